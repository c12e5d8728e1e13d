"""history.csv as curves, and which of them stand for a training."""

import pytest

from medview.services.histories import main_curves, main_names, read_curves

POINTS = ((1, 2.0), (2, 1.0))


@pytest.mark.parametrize(
    ("there", "names"),
    [
        ([("train", "loss"), ("val", "loss"), ("val", "mae")], {"train": "loss", "val": "loss"}),
        (
            [("train", "loss"), ("train", "prognosis"), ("val", "prognosis")],
            {"train": "prognosis", "val": "prognosis"},
        ),
        ([("train", "loss"), ("val", "mae")], {"train": "loss", "val": "mae"}),
        ([("train", "loss"), ("health", "active_units")], {"train": "loss"}),
        ([], {}),
    ],
)
def test_both_lines_are_of_one_quantity_where_there_is_one(there, names):
    curves = dict.fromkeys(there, POINTS)
    assert main_names(curves) == names
    assert main_curves(curves) == dict.fromkeys(names, POINTS)


def test_what_is_no_number_is_not_drawn_and_never_the_best():
    nan, inf = float("nan"), float("inf")
    curves = {("train", "loss"): ((1, nan), (2, 3.0), (3, inf)), ("val", "loss"): ((1, nan),)}
    assert main_curves(curves) == {"train": ((2, 3.0),)}


@pytest.mark.parametrize("text", ["", "epoch,part\n1,train\n", "epoch,part,name,value\nx,a,b,c\n"])
def test_a_curve_that_is_not_there_yet_or_broken_is_none(tmp_path, text):
    (tmp_path / "history.csv").write_text(text)
    assert read_curves(tmp_path / "history.csv") == {}
    assert read_curves(tmp_path / "nothing.csv") == {}


def test_points_are_read_by_part_and_name(tmp_path):
    text = "epoch,part,name,value\n1,train,loss,2\n1,val,loss,3\n2,train,loss,1\n"
    (tmp_path / "history.csv").write_text(text)
    assert read_curves(tmp_path / "history.csv") == {
        ("train", "loss"): POINTS,
        ("val", "loss"): ((1, 3.0),),
    }
