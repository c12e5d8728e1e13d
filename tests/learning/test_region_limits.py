"""What is said of region weights comes from their figures, set by set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from phantoms import geometry_of
from region_heads import people

from medview.learning.metrics import MetricRow
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_grid import Boxed
from medview.learning.region_intervals import COVERAGE, ELSEWHERE
from medview.learning.region_limits import limits_of, method_of
from medview.learning.region_people import Ages, age_rows
from medview.learning.region_trainer import RegionRecipe
from medview.learning.subset import TrainCase
from medview.learning.upright import LEAST_ALIKE, MOST_DEG, Pose

AGE = fit_age(*people(30), VolumeError.none())
ONE, BOTH = RegionRecipe(sets="ixi-t1"), RegionRecipe(sets="ixi-t1,elderly-t1")


def _group(name: str, group: str, value: float, subset: str = "ixi-t1") -> MetricRow:
    return MetricRow("model", "case", name, subset, value, 7, 7, group=f"group:{group}")


def _case(patient: str, subset: str, age: float | None) -> TrainCase:
    return TrainCase(patient, patient, {"t1": Path("a.nii")}, "t1", subset, age_years=age)


def _box(degrees: float) -> Boxed:
    nothing = np.zeros((1, 1, 1), dtype=np.float32)
    pose = Pose(np.eye(3), degrees, LEAST_ALIKE)
    grid = geometry_of("LPS", nothing.shape)
    return Boxed(nothing, nothing, grid, nothing > 0, "", skull_stripped=False, pose=pose)


def _flat(name: str) -> list[MetricRow]:
    """Ages that do not follow the true ones, of volumes unlike those learnt from."""
    odd = np.array([40.0, 50.0, 60.0, 70.0])
    ages = Ages(("a", "b", "c", "d"), odd, odd[::-1] + 0.0, np.full(4, 5.0), np.full(4, 2.0))
    return age_rows(ages, name, "model")


def test_how_few_heads_there_were_is_said_of_each_set() -> None:
    cases = [_case("a", "ixi-t1", 23.4), _case("b", "ixi-t1", 51.0), _case("c", "elderly-t1", None)]
    first = limits_of(cases, None, [], BOTH)[0]
    assert "3 heads only, 2 of ixi-t1 (23-51 years) and 1 of elderly-t1; other" in first


def test_what_is_found_worst_is_said_of_each_set_learnt_from() -> None:
    rows = [
        *(_group("dice", "thalamus", 0.9), _group("dice", "ventricles", 0.8)),
        *(_group("dice", "fluid", 0.5), _group("dice", "stem", 0.1, "elderly-t1")),
        *(_group("volume_bias", "thalamus", 2.0), _group("volume_bias", "fluid", -17.6)),
    ]
    said = " ".join(limits_of([], None, rows, ONE))
    assert "in ixi-t1: fluid (Dice 0.50) and ventricles (Dice 0.80)" in said
    assert "fluid, 18 % too small" in said
    assert "stem" not in said
    rows.append(_group("volume_bias", "stem", 30.0, "elderly-t1"))
    said = " ".join(limits_of([], None, rows, BOTH))
    assert "in ixi-t1: fluid (Dice 0.50)" in said
    assert "in elderly-t1: stem (Dice 0.10). Most biased there: stem, 30 % too large" in said
    assert said.count("Volumes are told as found") == 1


@pytest.mark.parametrize("recipe", [ONE, BOTH])
def test_ages_that_are_not_followed_are_told_of_sets_learnt_from_and_others(
    recipe: RegionRecipe,
) -> None:
    rest = [
        MetricRow(who, "case", "mae", "elderly-t1", 6.0, 4, 4)
        for who in ("uncorrected volumes", "label volumes")
    ]
    limits = limits_of([], AGE, [*_flat("elderly-t1"), *rest], recipe)
    (line,) = (line for line in limits if "elderly-t1" in line and "off by" in line)
    assert line.startswith("The age of left-out heads" if recipe is BOTH else "On elderly-t1 (4 p")
    assert (
        "off by 20.0 years on average, and does not follow their ages (r -1.00). Of 100 %" in line
    )


def test_how_often_intervals_hold_the_true_volume_is_told_of_measured_sets_and_of_others() -> None:
    shares = {("all", "a"): 0.99, ("all", "b"): 0.958, (ELSEWHERE, "a"): 0.8, (ELSEWHERE, "b"): 0.5}
    rows = [
        MetricRow("model", "case", COVERAGE, on, value, 7, 7, group=group, task="regions")
        for (group, on), value in shares.items()
    ]
    ages = MetricRow("model", "case", "coverage", "c", 1.0, 7, 7, task="age")
    told = [line for line in limits_of([], None, [*rows, ages], BOTH) if "interval" in line]
    assert told == [
        "The interval of a volume holds the true one in 99 % (a) and 96 % (b) of left-out heads; "
        "had nothing of their set been measured, in 80 % and 50 %."
    ]
    (alone,) = (line for line in limits_of([], None, rows[:1], ONE) if "interval" in line)
    assert alone.endswith("in 99 % (a) of left-out heads.")


def test_the_method_tells_folds_volumes_and_how_many_heads_were_turned() -> None:
    told = {"model": 9.1, "uncorrected volumes": 8.5, "label volumes": 5.6}
    rows = [MetricRow(who, "case", "mae", "ixi-t1", value, 7, 7) for who, value in told.items()]
    said = method_of([_box(MOST_DEG + 1), _box(0.0)], AGE, rows, replace(ONE, folds=4))
    assert any("4 folds by patient" in line for line in said)
    assert any("off by 8.5 years, from the volumes of the labels by 5.6" in line for line in said)
    assert said[-1] == "Of the 2 heads learnt from, 1 lay far off and were turned."
    assert not any("folds" in line for line in method_of([], None, [], replace(ONE, folds=0)))
    assert any(
        "not been measured" in line for line in limits_of([], None, [], replace(ONE, folds=0))
    )
