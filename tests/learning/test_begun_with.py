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
    known = {"site": "x", "age_years": 50.0, "rows": {"vector": np.arange(3.0)},
             "images": {"film": folder / f"{name}.png"}} | more  # fmt: skip
    return TrainCase(case=name, patient=f"p-{name}", role=next(iter(known["images"])), **known)


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


def test_one_of_very_many_measurements_and_a_word_among_them_are_seen(asked, tmp_path):
    many = np.zeros(5000)
    other = many.copy()
    other[2500] = 1.0
    worded = replace(series(np.nan)["series"], words={0: "low"})
    for was, is_ in ((many, other), (worded, replace(worded, words={0: "high"}))):
        begin(asked, [subset(tmp_path, case(tmp_path, rows={"vector": was}))])
        again = replace(asked, resume=True)
        begin(again, [subset(tmp_path, case(tmp_path, rows={"vector": was}))])
        with pytest.raises(DataError, match="other measured values"):
            begin(again, [subset(tmp_path, case(tmp_path, rows={"vector": is_}))])


@pytest.mark.parametrize("init", [None, "nowhere"])
def test_one_that_started_from_no_weights_goes_on(init, asked, tmp_path):
    fresh = replace(asked, init=init)
    same = [subset(tmp_path, case(tmp_path), case(tmp_path, "b"))]
    begin(fresh, same)
    begin(replace(fresh, resume=True), same)
    with pytest.raises(DataError, match="other weights to start from"):
        begin(replace(asked, resume=True), same)


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
    """A copy of the data has other times and another place, and the same bytes."""
    begin(asked, [in_files(tmp_path / "here")])
    noted = (tmp_path / "out" / CHECKPOINT).with_name(BEGUN_WITH)
    before = noted.read_bytes()
    begin(replace(asked, resume=True), [in_files(tmp_path / "moved")])
    assert noted.read_bytes() == before


def in_files(folder):
    """Two cases with their files: a film and a mask, a folder of slices, a pair."""
    for name in ("a.png", "mask.nii", "b/1.dcm", "b/2.dcm", "b/more/3.dcm", "c.hdr", "c.img"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    other = case(folder, "b", images={"film": folder / "b", "t1": folder / "c.hdr"})
    return subset(folder, case(folder, mask=folder / "mask.nii"), other)


CHANGED = (
    ("a.png", "a.png"),
    ("mask.nii", "mask.nii"),
    ("b/2.dcm", "b"),
    ("b/more/3.dcm", "b"),
    ("c.img", "c.hdr"),
)


@pytest.mark.parametrize(("file", "named"), CHANGED)
def test_a_file_that_holds_something_else_is_named(file, named, asked, tmp_path):
    same = in_files(tmp_path)
    begin(asked, [same])
    (tmp_path / file).write_bytes(b"x" * len(file))  # as long as before
    with pytest.raises(DataError, match=r"has changed since .*Put back") as caught:
        begin(replace(asked, resume=True), [same])
    assert (caught.value.file, caught.value.code) == (named, "MV-DAT-022")


def test_a_file_that_is_gone_is_named_and_others_are_counted(asked, tmp_path):
    same = in_files(tmp_path)
    begin(asked, [same])
    for name in ("a.png", "mask.nii", "c.img"):
        (tmp_path / name).unlink()
    with pytest.raises(DataError, match=r"is gone since .*, and 2 other files with it\.") as caught:
        begin(replace(asked, resume=True), [same])
    assert caught.value.file == "a.png"


def test_what_the_rows_hold_is_not_asked_of_the_file_that_it_came_from(asked, tmp_path):
    """A table of all cases may get a row more: of each case its own counts."""
    (tmp_path / "table.csv").write_text("a 1")
    whole = {"images": {"smri": tmp_path / "table.csv"}, "rows": {"smri": np.arange(3.0)}}
    same = [subset(tmp_path, case(tmp_path, **whole))]
    begin(asked, same)
    (tmp_path / "table.csv").write_text("a 1, b 2")
    begin(replace(asked, resume=True), same)
    same = [subset(tmp_path, case(tmp_path, **whole | {"rows": {"smri": np.zeros(3)}}))]
    with pytest.raises(DataError, match="other measured values"):
        begin(replace(asked, resume=True), same)


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
