"""Which heads a training of the region network learns from, and whom each fold leaves out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from medview.domain.errors import DataError
from medview.learning.region_cases import LabelledHead
from medview.learning.region_trainer import RegionRecipe
from medview.learning.region_training import learnt_from, left_out_patients
from medview.learning.subset import TrainCase


def _case(number: int, subset: str, patient: str = "") -> TrainCase:
    name = f"{subset}-{number}"
    return TrainCase(name, patient or name, {"t1": Path("a.nii")}, "t1", subset)


CASES = [*(_case(n, "ixi-t1") for n in range(7)), *(_case(n, "elderly-t1") for n in range(7))]
NOTHING: Any = None  # by its case alone is a head chosen
HEADS = [LabelledHead(case, NOTHING, NOTHING, NOTHING) for case in CASES]


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
