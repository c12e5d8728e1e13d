"""Rows of feature tables: too few, twice, and cells that are no age or sex."""

from dataclasses import replace

import numpy as np
import pytest
from age_sets import write_ixi_table

from medview.domain.errors import DataError
from medview.learning import brain_age_sets as sets
from medview.learning.feature_rows import age_of, checked, keep, refuse_few, sex_of
from medview.learning.subset import TrainCase


def test_fewer_than_ten_rows_teach_nothing():
    with pytest.raises(DataError, match="only 9 rows with an age can be used, 10 are needed"):
        refuse_few(9)
    refuse_few(10)


def test_nobody_is_in_a_set_twice(tmp_path):
    write_ixi_table(tmp_path)
    subset = sets.load_ixi_roi(tmp_path)
    twice = replace(subset, cases=(*subset.cases, subset.cases[0]))
    with pytest.raises(DataError, match="is there twice"):
        checked(twice, "t.csv")


def test_cells_that_are_empty_are_unknown_and_others_are_refused():
    assert age_of("", 2, "Age", "t.csv") is None
    assert age_of("61.5", 2, "Age", "t.csv") == 61.5
    assert sex_of("", {"1": "M"}, 2, "SEX", "t.csv") is None
    assert sex_of("1", {"1": "M"}, 2, "SEX", "t.csv") == "M"
    with pytest.raises(DataError, match='row 2, column "Age": "130" is no age'):
        age_of("130", 2, "Age", "t.csv")
    with pytest.raises(DataError, match='row 2, column "SEX": "3" is none of 1'):
        sex_of("3", {"1": "M"}, 2, "SEX", "t.csv")


def test_a_vector_with_a_value_that_is_no_number_is_left_out():
    kept, left = [], []
    person = TrainCase("a", "a", {}, "smri")
    keep(person, "smri", np.array([1.0, np.nan]), 7, kept, left)
    keep(person, "smri", np.array([1.0, 2.0]), 8, kept, left)
    assert (left[0].case, left[0].what) == ("a", "row 7: value 1 of its array is no number")
    assert kept[0].rows["smri"].tolist() == [1, 2]
