"""Random schedules with real children, and that a wrong map would be seen."""

from dataclasses import replace

import numpy as np
import pytest
from services.stubs import on_screen, result_about

from medview.cli.benches import schedules
from medview.cli.benches.schedules import Desk, measure
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine


def test_a_few_schedules_end_without_a_fault(monkeypatch):
    monkeypatch.setattr(schedules, "QUICK_SCHEDULES", 2)
    rows = measure(Context(Options(), ProgressLine(None, on_terminal=False)), True)
    assert [row.value for row in rows[::2]] == [2, 0]
    assert rows[1].value > 0
    assert rows[2].met


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.jobs.close()


def test_a_map_of_another_study_would_be_seen(desk):
    shown = on_screen(desk.session)
    mark = float(shown.volume.array.flat[0])
    made = result_about(shown.id, shown.volume)
    own = np.full(shown.volume.geometry.shape, mark, np.float32)
    for array, faults in ((own, 0), (own + 1, 1)):
        maps = (replace(made.maps[0], array=array),)
        desk.session.predictions = {shown.id: (replace(made, maps=maps),)}
        assert (len(desk.faults) > 0) == bool(faults)
