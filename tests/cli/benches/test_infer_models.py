"""A study for each shipped model, and the rows about it."""

import os
from types import SimpleNamespace

import pytest

from medview.cli.benches import infer_models
from medview.cli.benches.infer_models import QUICK, model_rows
from medview.cli.benches.studies import STUDIES
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine
from medview.domain.formats import is_table
from medview.domain.progress import Silent
from medview.io.record import find_tables
from medview.services.inputs import table_role
from medview.services.models import find_card


def test_every_shipped_model_has_a_study():
    named = {each.model.partition("@")[0] for each in STUDIES}
    plain = {"anomaly", "brain-age", "cxr", "icu"}
    assert named == plain | {"brain-age-armed", "cxr-armed", "icu-armed"}


@pytest.mark.parametrize("study", STUDIES, ids=lambda s: f"{s.model}, {s.what}")
def test_the_files_of_a_study_are_there_and_go_to_its_model(study, tmp_path):
    files = study.files(tmp_path)
    assert all(path.exists() for path in files)
    card = find_card(study.model)
    roles = {spec.role for spec in card.inputs}
    assert {table_role(card, path) for path in files if is_table(path)} <= roles
    found = find_tables(Silent(), tuple(path for path in files if is_table(path)))
    if study.what == "a stay of 48 h":
        ((_, role, _, record),) = found
        assert (role, record.before, record.last) == ("series", 1, 47.0)


def test_time_memory_and_start_are_rows_of_their_own(monkeypatch):
    class Jobs:
        def __init__(self, post):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def warm(self, lane, *modules):
            return SimpleNamespace(pid=os.getpid(), settled=SimpleNamespace(wait=lambda: None))

    told = {"seconds": 2.5, "peak_memory_mb": 700, "device": "cpu"}
    asked = []
    monkeypatch.setattr(infer_models, "Jobs", Jobs)
    monkeypatch.setattr(infer_models, "run_case", lambda *args: asked.append(args) or told)
    context = Context(Options(device="cpu"), ProgressLine(None, on_terminal=False))
    rows = model_rows(context, True)
    assert [args[1].id for args in asked] == list(QUICK)
    assert [row.unit for row in rows] == ["s", "s", "MB", "s"] * len(QUICK)
    assert rows[0].what == "brain-age-armed 1.0, measures of the cortex, cpu: a study"
    assert (rows[0].value, rows[2].value) == (2.5, 700.0)
