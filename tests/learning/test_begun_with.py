"""What a training was begun with is what it goes on with."""

from dataclasses import replace

import numpy as np
import pytest

from medview.domain.errors import DataError
from medview.domain.training import BEGUN_WITH, TrainRequest
from medview.learning.begun_with import begin
from medview.learning.checkpoint import CHECKPOINT
from medview.learning.icu_series import Series
from medview.learning.subset import Subset, TrainCase


def case(folder, name="a", **more):
    known = {"site": "x", "age_years": 50.0, "rows": {"vector": np.arange(3.0)}} | more
    return TrainCase(name, f"p-{name}", {"film": folder / f"{name}.png"}, "film", **known)


def subset(folder, *cases):
    return Subset("own", "cases", folder, cases)


@pytest.fixture
def asked(tmp_path):
    """A training that has left a checkpoint of itself and of a fold."""
    (tmp_path / "start").write_bytes(b"weights")
    request = TrainRequest((), str(tmp_path / "out"), {}, init=str(tmp_path / "start"))
    begin(request, [subset(tmp_path, case(tmp_path), case(tmp_path, "b"))])
    for folder in (tmp_path / "out", tmp_path / "out" / "fold-1"):
        (folder / CHECKPOINT).parent.mkdir(parents=True, exist_ok=True)
        (folder / CHECKPOINT).write_bytes(b"half")
    return request


def series(value):
    return {"series": Series(("HR",), np.zeros(1), np.zeros(1, np.int16), np.array([value]))}


OTHER = (
    ({"site": "y"}, "other sites"),
    ({"split": "val"}, "other parts to train on and to validate on"),
    ({"label": 1}, "other labels"),
    ({"cells": {"prognosis": "MILD"}}, "other labels"),
    ({"age_years": 51.0, "sex": "F"}, "other ages or sexes"),
    ({"rows": {"vector": np.array([0.0, 1.0, 2.5])}}, "other measured values"),
    ({"site": "y", "label": 0}, "other sites and labels"),
    ({"name": "c", "site": "y"}, "other cases"),
)


@pytest.mark.parametrize(("change", "says"), OTHER)
def test_other_words_of_a_case_are_refused(change, says, asked, tmp_path):
    again = replace(asked, resume=True)
    sets = [subset(tmp_path, case(tmp_path, **change), case(tmp_path, "b"))]
    with pytest.raises(DataError, match=rf"was begun with {says}\.") as caught:
        begin(again, sets)
    assert caught.value.code == "MV-DAT-022"
    assert (tmp_path / "out" / CHECKPOINT).is_file()


def test_a_changed_measurement_of_a_series_is_seen(asked, tmp_path):
    begin(asked, [subset(tmp_path, case(tmp_path, rows=series(80.0)))])
    again = replace(asked, resume=True)
    begin(again, [subset(tmp_path, case(tmp_path, rows=series(80.0)))])
    with pytest.raises(DataError, match="other measured values"):
        begin(again, [subset(tmp_path, case(tmp_path, rows=series(81.0)))])


def test_another_start_seed_and_held_out_patients_are_refused(asked, tmp_path):
    same = [subset(tmp_path, case(tmp_path), case(tmp_path, "b"))]
    again = replace(asked, resume=True)
    with pytest.raises(DataError, match="begun with another seed"):
        begin(replace(again, seed=1), same)
    with pytest.raises(DataError, match="other parts"):
        begin(replace(again, held_out=("0" * 16,)), same)
    (tmp_path / "start").write_bytes(b"others")
    with pytest.raises(DataError, match="other weights to start from"):
        begin(again, same)


def test_the_same_goes_on_also_from_another_folder(asked, tmp_path):
    moved = tmp_path / "moved"
    begin(replace(asked, resume=True), [subset(moved, case(moved), case(moved, "b"))])
    assert (tmp_path / "out" / CHECKPOINT).is_file()


def test_one_that_begins_anew_with_others_leaves_no_older_checkpoint(asked, tmp_path):
    out = tmp_path / "out"
    begin(asked, [subset(tmp_path, case(tmp_path), case(tmp_path, "b"))])
    assert (out / CHECKPOINT).is_file()  # the same training: its checkpoint is its own
    begin(asked, [subset(tmp_path, case(tmp_path, site="y"))], leads=False)
    assert (out / CHECKPOINT).is_file()
    runs = (out / CHECKPOINT).with_name("runs.json")  # as a comparison of variants keeps them
    runs.write_text("{}")
    begin(asked, [subset(tmp_path, case(tmp_path, site="y"))])
    assert {path.name for path in out.rglob("*") if path.is_file()} == {BEGUN_WITH, runs.name}


def test_a_training_of_an_older_program_goes_on_and_is_noted(asked, tmp_path):
    note = (tmp_path / "out" / CHECKPOINT).with_name(BEGUN_WITH)
    note.write_text("half of a no")
    again = replace(asked, resume=True)
    begin(again, [subset(tmp_path, case(tmp_path))])
    with pytest.raises(DataError, match="other sites"):
        begin(again, [subset(tmp_path, case(tmp_path, site="y"))])
    assert "p-a" not in note.read_text()
