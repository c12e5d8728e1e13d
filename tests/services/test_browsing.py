"""Where the keys for studies and patients lead, and the order of the list."""

import pytest
from phantoms import geometry_of
from services.stubs import series_of

from medview.domain.study import Catalogue, Patient, Study
from medview.services.browsing import end_of_study, listed, neighbour

GRID = geometry_of("LPS", (4, 5, 6))
A1, A2, B1, C1 = (series_of(uid, geometry=GRID) for uid in ("1.1", "1.2", "2.1", "3.1"))
EMPTY = series_of("1.9", geometry=None)
LIST = Catalogue(
    (
        Patient("p", studies=(Study("1", series=(A1, A2, EMPTY)), Study("2", series=(B1,)))),
        Patient("q", studies=(Study("4", series=(EMPTY,)), Study("3", series=(C1,)))),
    )
)


@pytest.mark.parametrize(
    ("here", "unit", "steps", "wanted"),
    [
        (A2, "study", 1, B1),
        (A2, "study", -1, None),
        (B1, "study", 1, C1),
        (B1, "patient", 1, C1),
        (C1, "patient", -1, A1),
        (C1, "patient", 5, None),
        (A2, "series", 1, B1),
        (None, "study", 1, A1),
    ],
)
def test_one_goes_by_study_and_patient_and_the_ends_hold(here, unit, steps, wanted):
    assert neighbour(LIST, here, unit, steps) is wanted


def test_ends_of_a_study_are_series_that_can_be_shown():
    assert end_of_study(LIST, A1, last=True) is A2
    assert end_of_study(LIST, A2, last=False) is A1
    assert end_of_study(LIST, None, last=True) is None
    assert neighbour(Catalogue(), A1, "study", 1) is None


def test_the_newest_study_of_a_patient_comes_first():
    old, new, undated = (series_of(uid, geometry=GRID) for uid in ("5.1", "6.1", "7.1"))
    studies = (
        Study("5", "2024-01-01", series=(old,)),
        Study("7", "", series=(undated,)),
        Study("6", "2026-01-01", series=(EMPTY, new)),
    )
    catalogue = Catalogue((Patient("p", studies=studies),))
    assert listed(catalogue) == (new, old, undated)
    assert neighbour(catalogue, new, "study", 1) is old
    assert neighbour(catalogue, undated, "series", -1) is old
