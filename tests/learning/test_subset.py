"""Cases of a set: what is normal in it, and how many patients it has."""

from pathlib import Path

import pytest

from medview.learning.subset import LeftOut, Subset, TrainCase, none_usable


def subset(*labels, layout="cases", **more):
    cases = tuple(
        TrainCase(f"c{n}", f"p{n // 2}", {"t1": Path(f"{n}.nii")}, "t1", label=label)
        for n, label in enumerate(labels)
    )
    return Subset("a set", layout, Path(), cases, **more)


@pytest.mark.parametrize(
    ("labels", "is_normal"),
    [((0, 0), True), ((0, 1), False), ((0, None), False), ((None,), False), ((), False)],
)
def test_a_set_is_normal_where_every_case_is_known_to_be(labels, is_normal):
    assert subset(*labels).is_normal is is_normal


def test_of_an_own_list_the_normal_cases_are_taken_and_the_rest_stays():
    mixed = subset(0, 1, None, 0, licence="CC0")
    part = mixed.normal_part
    assert [case.case for case in part.cases] == ["c0", "c3"]
    assert (part.name, part.layout, part.licence) == ("a set", "cases", "CC0")
    assert subset(1, None).normal_part is None


def test_of_a_published_set_all_or_nothing_is_taken():
    assert subset(0, 1, layout="ixi-t1").normal_part is None
    whole = subset(0, 0, layout="ixi-t1")
    assert whole.normal_part is whole


def test_patients_are_counted_once_and_a_case_knows_its_image():
    assert subset(0, 0, 0, 0, 0).n_patients == 3
    assert subset(0).cases[0].image == Path("0.nii")


def test_where_none_can_be_used_the_first_reason_is_told():
    gone = [LeftOut("c1", "MV-DAT-030", "there is no file"), LeftOut("c2", "MV-DAT-031", "odd")]
    told = none_usable(gone, "MV-DAT-142")
    assert told.what == "none of 2 cases can be used; there is no file"
    assert (told.file, told.code) == ("c1", "MV-DAT-142")
    assert told.do
