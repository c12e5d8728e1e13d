"""Old against new, case by case."""

from pathlib import Path

import pytest

from medview.services.case_table import CaseLine, case_lines


def write(folder, who, text):
    place = folder / "comparison" / "validation" / who
    place.mkdir(parents=True)
    (place / "predictions.csv").write_text(text)


def test_what_got_worse_stands_first_and_a_case_without_truth_in_the_middle(tmp_path):
    write(tmp_path, "old", "case,age,true_age\na,50,52\nb,60,60\nc,70,\n")
    write(tmp_path, "new", "case,age\nc,71\nb,66\na,52\n")
    lines = case_lines(tmp_path, {"b": "/data/b.nii.gz"})
    assert [(line.case, line.closer) for line in lines] == [("b", -6.0), ("c", None), ("a", 2.0)]
    assert lines[0] == CaseLine("b", "age", 60.0, 60.0, 66.0, Path("/data/b.nii.gz"))
    assert lines[1].file is None


@pytest.mark.parametrize(
    ("old", "new", "cases"),
    [
        ("case,anomaly\na,1\nb,2\n", "case,anomaly\na,3\n", ["a"]),
        ("case,age,true_age\na,50,52\nb,,60\n", "case,age\na,51\nb,61\n", ["a"]),
        ("case,age\na,50\n", "case,age\na,51\n", []),
        ("name,age,true_age\na,50,52\n", "case,age\na,51\n", []),
    ],
)
def test_only_cases_that_both_speak_of_are_told(tmp_path, old, new, cases):
    write(tmp_path, "old", old)
    write(tmp_path, "new", new)
    assert [line.case for line in case_lines(tmp_path, {})] == cases


def test_without_a_comparison_there_are_no_lines(tmp_path):
    assert case_lines(tmp_path, {}) == ()
