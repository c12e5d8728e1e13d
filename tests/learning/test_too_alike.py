"""Data that are all alike are refused, and why is said."""

import numpy as np
import pytest

from medview.domain.errors import DataError
from medview.learning.subset import TrainCase
from medview.learning.too_alike import (
    refuse_one_age,
    refuse_one_class,
    refuse_one_outcome,
    refuse_one_patient,
)


def cases_of(*cells):
    return [TrainCase(f"c{n}", f"p{n}", {}, "", cells=cell) for n, cell in enumerate(cells)]


def test_cases_of_one_outcome_are_refused_unless_they_have_other_labels():
    same = cases_of({"prognosis": "MILD"}, {"prognosis": "MILD"}, {})
    with pytest.raises(DataError, match=r"have the same one \(prognosis MILD"):
        refuse_one_outcome("cxr", same)
    refuse_one_outcome("cxr", [*same, *cases_of({"brixia": "000000"})])
    refuse_one_outcome("cxr", [*same, *cases_of({"prognosis": "SEVERE"})])
    refuse_one_outcome("cxr", cases_of({}, {}))
    refuse_one_outcome("anomaly", same)


def test_one_output_with_both_classes_is_enough():
    unknown = np.full(4, np.nan)
    one, both = np.zeros(4), np.array([0.0, 1.0, np.nan, 0.0])
    refuse_one_class([np.stack([unknown, one, both], 1)])
    refuse_one_class([one[:, None], both[:, None]])
    with pytest.raises(DataError, match="have the same one"):
        refuse_one_class([np.stack([unknown, one], 1)])


def test_one_age_and_one_patient_are_named():
    refuse_one_age(np.array([40.0, 41.0]))
    with pytest.raises(DataError, match=r"all 3 rows are of the same age \(50 years\)"):
        refuse_one_age(np.full(3, 50.0))
    refuse_one_patient(["a", "b", "a"])
    with pytest.raises(DataError, match="all cases are of one patient"):
        refuse_one_patient(["a", "a"])
