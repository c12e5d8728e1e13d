"""Slices of a run fill their map as they come."""

import numpy as np
import pytest
from services.stubs import CARD

from medview.domain.prediction import MapSlices
from medview.services import filling
from medview.services.filling import Filling


@pytest.fixture
def run(session):
    return Filling(session, CARD, session.volume_id, session.volume.geometry)


@pytest.fixture
def every_slice(monkeypatch):
    """Show slices as they come, however fast."""
    monkeypatch.setattr(filling, "SHOW_EVERY_S", 0.0)


def block(first, values, name="score"):
    array = np.empty((len(values), 20, 24), dtype=np.float32)
    array[:] = np.array(values, dtype=np.float32)[:, None, None]
    return MapSlices(name, first, array)


@pytest.mark.usefixtures("every_slice")
def test_slices_fill_their_map_as_they_come(run, session):
    run.fill(block(0, [1.0, 2.0]))
    found = session.map("score")
    assert found.array[:2, 0, 0].tolist() == [1.0, 2.0]
    assert np.isnan(found.array[2:]).all()
    run.fill(block(2, [7.0], "epistemic"))
    assert session.map("score").array[1, 0, 0] == 2.0
    assert session.map("epistemic").range == (0.0, 7.0)


@pytest.mark.usefixtures("every_slice")
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_model_may_go_through_the_volume_along_any_axis(run, session, axis):
    whole = np.arange(16 * 20 * 24, dtype=np.float32).reshape(16, 20, 24)
    slices = np.moveaxis(whole, axis, 0)
    for first in range(0, len(slices), 4):
        run.fill(MapSlices("score", first, slices[first : first + 4], axis))
    assert np.array_equal(session.map("score").array, whole)


@pytest.mark.usefixtures("every_slice")
def test_the_colours_of_a_growing_score_stand_still(run, session):
    for first, value in enumerate((1.0, 30.0)):
        run.fill(block(first, [value]))
        style = session.style("score")
        assert (style.range, style.threshold) == ((0.0, 18.0), 6.0)


@pytest.mark.usefixtures("every_slice")
def test_every_block_that_is_shown_is_heard(run, session):
    heard = []
    session.events.unfinished.connect(heard.append)
    for first in range(3):
        run.fill(block(first, [1.0]))
    assert len(heard) == 3


def test_slices_that_come_too_fast_to_see_are_shown_together(run, session):
    heard = []
    session.events.unfinished.connect(heard.append)
    for first in range(16):
        run.fill(block(first, [1.0]))
    assert len(heard) == 1
    assert (session.map("score").array == 1.0).all()


@pytest.mark.usefixtures("every_slice")
def test_slices_that_waited_for_their_map_are_put_there_a_few_at_a_time(run, session, monkeypatch):
    is_ready = [False]
    monkeypatch.setattr(filling.Blank, "is_ready", property(lambda _: is_ready[0]))
    monkeypatch.setattr(filling, "_SLICES_AT_ONCE", 3)
    for first in range(6):
        run.fill(block(first, [float(first)]))
    assert session.map("score") is None
    is_ready[0] = True
    shown = []
    for first in range(6, 10):
        run.fill(block(first, [float(first)]))
        shown.append(int(np.isfinite(session.map("score").array[:, 0, 0]).sum()))
    assert shown == [3, 6, 9, 10]
    assert session.map("score").array[:10, 0, 0].tolist() == list(range(10))


@pytest.mark.parametrize(
    ("values", "highest"),
    [([1.0, np.nan], 1.0), ([np.inf, 3.0, np.nan], 3.0), ([np.nan, -np.inf], 0.0), ([-2.0], -2.0)],
)
def test_the_top_of_the_colours_is_a_number(values, highest):
    assert filling.highest(np.array(values, dtype=np.float32)) == highest
