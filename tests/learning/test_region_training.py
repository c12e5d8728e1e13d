"""Which heads a training of the region network learns from, and whom each fold leaves out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from region_heads import people

from medview.domain.errors import DataError
from medview.learning.region_cases import LabelledHead
from medview.learning.region_groups import REGIONS
from medview.learning.region_measure import Measured
from medview.learning.region_sets import ROLE
from medview.learning.region_trainer import RegionRecipe
from medview.learning.region_training import (
    figures,
    learnt_from,
    left_out_patients,
    table_of,
    with_sets_there,
)
from medview.learning.subset import Subset, TrainCase

ML, AGE = people(30)


def _case(number: int, subset: str, patient: str = "") -> TrainCase:
    name = f"{subset}-{number}"
    return TrainCase(name, patient or name, {"t1": Path("a.nii")}, "t1", subset)


CASES = [*(_case(n, "ixi-t1") for n in range(7)), *(_case(n, "elderly-t1") for n in range(7))]
NOTHING: Any = None  # by its case alone is a head chosen
HEADS = [LabelledHead(case, NOTHING, NOTHING, NOTHING) for case in CASES]


def test_of_the_usual_sets_those_are_learnt_from_that_are_there() -> None:
    usual = RegionRecipe()
    assert with_sets_there(HEADS, usual) == usual
    assert with_sets_there(HEADS[:7], usual).sets == "ixi-t1"
    assert with_sets_there([], usual) == usual
    named = replace(usual, sets="ixi-t1,eldery-t1")
    assert with_sets_there(HEADS, named) == named


@pytest.mark.parametrize("folds", [2, 3, 4, 5])
def test_every_patient_is_left_out_once_and_each_set_is_spread_over_the_folds(folds: int) -> None:
    parts = left_out_patients(CASES, folds)
    assert sorted(name for part in parts for name in part) == sorted(c.patient for c in CASES)
    for subset in ("ixi-t1", "elderly-t1"):
        counts = [sum(name.startswith(subset) for name in part) for part in parts]
        assert max(counts) - min(counts) <= 1


def test_a_patient_with_two_heads_is_left_out_with_both() -> None:
    cases = [*CASES, _case(9, "elderly-t1", patient="ixi-t1-0")]
    names = Counter(name for part in left_out_patients(cases, 3) for name in part)
    assert set(names.values()) == {1}
    assert left_out_patients(cases, 1) == left_out_patients(cases[:1], 3) == []


def test_only_heads_of_the_sets_named_are_learnt_from_and_a_set_that_is_not_there_is_told() -> None:
    assert learnt_from(HEADS, RegionRecipe(sets="elderly-t1")) == HEADS[7:]
    assert learnt_from(HEADS, RegionRecipe(sets="ixi-t1, elderly-t1")) == HEADS
    with pytest.raises(DataError, match="no set called eldery-t1 with region labels"):
        learnt_from(HEADS, RegionRecipe(sets="ixi-t1,eldery-t1"))


def _table_set() -> Subset:
    """Thirty people with volumes and ages, and one without an age."""
    cases = [replace(_case(n, "table"), rows={ROLE: ML[n]}, age_years=AGE[n]) for n in range(30)]
    return Subset(
        "table", "table", Path(), (*cases, replace(cases[0], patient="x", age_years=None))
    )


def _head(number: int, subset: str) -> LabelledHead:
    regions = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    volume: Any = SimpleNamespace(geometry=SimpleNamespace(voxel_ml=1.0))  # all that is asked
    return LabelledHead(replace(_case(number, subset), age_years=88.0), volume, NOTHING, regions)


def test_an_age_is_learnt_from_people_of_tables_and_from_the_heads_learnt_from() -> None:
    table = table_of([_table_set()], [_head(1, "mine")])
    assert table is not None
    assert Counter(table.sets) == {"table": 30, "mine": 1}
    assert (table.patients[-1], table.age[-1]) == ("mine-1", 88.0)
    assert table.ml[-1].sum() == 7  # of eight voxels one is no region
    assert table_of([], [_head(1, "mine")]) is None


def test_ages_of_a_table_are_measured_on_its_own_people_only() -> None:
    def measured(number: int) -> Measured:
        off = ML[number] * (1.1 if number % 2 else 1.0)
        ones = np.ones(len(REGIONS))
        return Measured(f"c{number}", f"mine-{number}", "mine", 50.0, ones, off, ML[number])

    table = table_of([_table_set()], [_head(n, "mine") for n in range(4)])
    rows = figures([measured(n) for n in range(4)], [], table)
    counts = {(row.subset, row.predictor): row.n for row in rows if row.name == "mae"}
    assert counts == {
        **{("table", who): 30 for who in ("model", "plain ridge", "mean")},
        **{("mine", who): 4 for who in ("model", "uncorrected volumes", "label volumes")},
    }
