"""What a comparison makes its figures of: the outcome by patient, severity by film and zone."""

from dataclasses import replace

import numpy as np
import pytest
from chest_said import case, said

from medview.learning.cxr_scored import DECISIONS, scored

FILMS = (
    case(0, "p", "hannover", prognosis="SEVERE", day="2", to_icu="1"),
    case(1, "p", "hannover", prognosis="SEVERE", day="4", to_icu="-1"),
    case(2, "q", "hannover", prognosis="MILD", day="1"),
    case(3, "r", "elsewhere", prognosis="SEVERE", day="0"),
    case(4, "r", "elsewhere"),
    case(5, "s", "elsewhere", prognosis="MILD"),
)
CHANCES = (0.5, 0.75, 0.25, 0.625, 0.125, np.nan)


def test_the_outcome_is_of_patients_and_each_group_has_its_own_films():
    found = scored(said(FILMS, CHANCES), ", run 2")
    assert {one.task for one in found} == {"prognosis"}
    assert {one.names for one in found} == {DECISIONS}
    assert {one.subset: (one.patients, one.truth, one.score) for one in found} == {
        "all, run 2": (("p", "q", "r"), (1.0, 0.0, 1.0), (0.625, 0.25, 0.625)),
        "first-film, run 2": (("p", "q", "r"), (1.0, 0.0, 1.0), (0.5, 0.25, 0.625)),
        "to-icu-admission, run 2": (("p", "q"), (1.0, 0.0), (0.5, 0.25)),
        "elsewhere, run 2": (("r",), (1.0,), (0.625,)),
        "hannover, run 2": (("p", "q"), (1.0, 0.0), (0.625, 0.25)),
    }
    assert all(one.cases == one.patients for one in found)


@pytest.mark.parametrize(
    ("digits", "told", "hit"),
    [
        ("000004", "000005", 0.0), ("000013", "000100", 1.0), ("000023", "222111", 1.0),
        ("111222", "222222", 0.0), ("112222", "222222", 1.0), ("222222", "333321", 0.0),
        ("222333", "333333", 1.0),
    ],
)  # fmt: skip
def test_the_class_of_severity_changes_at_five_ten_and_fifteen(digits, told, hit):
    zones = [[float(digit) for digit in told]]
    found = scored(said([case(0, brixia=digits)], zones=zones))
    total = float(sum(map(int, digits)))
    one = next(one for one in found if one.names == ("class_accuracy",))
    assert one.truth == (float(np.searchsorted((5, 10, 15), total, "right")),)
    assert one.score == (hit,)


def test_severity_is_told_by_film_by_zone_and_beside_the_median():
    films = [case(0, "p", brixia="012300"), case(1, "q"), case(2, "p", brixia="300001")]
    zones = np.array([[0, 1, 1.5, 3, 0, 0], [3.0] * 6, [2, 0, 0, 0.25, 0, 1]])
    made = said(films, zones=zones)
    by = {(one.task, one.level, one.names): one for one in scored(made)}
    whole = by["severity", "case", ("mae", "pearson_r")]
    assert (whole.patients, whole.truth, whole.score) == (("p", "p"), (6.0, 4.0), (5.5, 3.25))
    apart = by["severity", "zone", ("mae",)]
    assert apart.truth == (0, 1, 2, 3, 0, 0, 3, 0, 0, 0, 0, 1)
    assert apart.score == (0, 1, 1.5, 3, 0, 0, 2, 0, 0, 0.25, 0, 1)
    assert apart.patients == ("p",) * 12
    assert [name.rpartition(":")[2] for name in apart.cases] == list("ABCDEF") * 2
    assert len(set(apart.cases)) == 12
    assert by["median", "case", ("mae",)].score == (6.0, 6.0)
    # A model that knows of classes only has neither totals nor zones.
    bare = scored(replace(made, zones=np.full((3, 6), np.nan), median=np.full(3, np.nan)))
    assert [one.names for one in bare] == [("class_accuracy",)]


def test_films_of_which_nothing_is_known_make_no_figures():
    assert scored(said([case(0)], [0.5])) == []
