"""Figures of regions and ages: nothing of a patient is in two parts."""

from __future__ import annotations

import numpy as np
import pytest
from region_heads import people

from medview.learning import region_measure
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_groups import REGIONS
from medview.learning.region_measure import (
    Ages,
    Measured,
    Table,
    age_rows,
    effect_row,
    error_of,
    head_ages,
    region_rows,
    table_ages,
)

ML, AGE = people(60)
TABLE = Table(tuple(f"p{n}" for n in range(60)), ML, AGE)


def _heads(count: int, factor: float = 1.2, spread: float = 0.02) -> list[Measured]:
    """Heads of the first people of the table, their volumes measured with an error."""
    rng = np.random.default_rng(0)
    return [
        Measured(
            f"c{n}",
            f"p{n}",
            "heads",
            float(AGE[n]),
            np.full(len(REGIONS), 0.7 + 0.01 * n),
            ML[n] * factor * np.exp(rng.normal(0, spread, len(REGIONS))),
            ML[n],
        )
        for n in range(count)
    ]


def test_rows_of_regions_name_each_region_and_all() -> None:
    rows = region_rows(_heads(6))
    whole = {row.name: row for row in rows if row.group == "all"}
    assert whole["dice"].value == pytest.approx(0.725)
    assert whole["volume_error"].value == pytest.approx(20, abs=2)
    assert whole["dice"].low < whole["dice"].value < whole["dice"].high
    assert {f"region:{region.title}" for region in REGIONS} <= {row.group for row in rows}
    assert region_rows(_heads(4))[0].low is None


@pytest.mark.parametrize("factor", [1.25, 0.8])
def test_the_volume_of_the_whole_head_is_over_or_under_by_so_much(factor: float) -> None:
    rows = {(row.name, row.group): row for row in region_rows(_heads(6, factor, spread=0.0))}
    off = 100 * (factor - 1)
    whole = rows["volume_error", "region:intracranial volume"]
    assert (whole.value, whole.low, whole.high) == pytest.approx((abs(off),) * 3)
    assert rows["volume_bias", "all"].value == pytest.approx(off)
    assert rows["volume_error", "all"].value == pytest.approx(abs(off))


def test_a_region_that_a_head_does_not_have_is_not_measured_in_it() -> None:
    heads = _heads(6, factor=1.5, spread=0.0)
    heads[0].true_ml[0] = 0.0
    heads[0].dice[0] = np.nan
    rows = {(row.name, row.group): row for row in region_rows(heads)}
    first = f"region:{REGIONS[0].title}"
    assert rows["volume_bias", first].value == pytest.approx(50)
    assert (rows["volume_bias", first].n, rows["dice", first].n_patients) == (5, 5)
    assert rows["dice", first].value == pytest.approx(0.73)
    assert rows["dice", "all"].n == 6


def test_the_mean_age_of_the_others_is_the_guess_to_beat() -> None:
    ages = table_ages(TABLE, _heads(4), exact=True, mean=True)
    for guess in np.unique(ages.found):
        told = ages.found == guess
        assert guess == pytest.approx(AGE[~told].mean())
        assert told.sum() == 12
        inside = np.abs(AGE[~told] - guess) <= ages.half[told][0]
        assert inside.mean() >= 0.95


def test_a_group_is_measured_as_the_sum_of_its_regions() -> None:
    heads = _heads(6, factor=1.0, spread=0.0)
    first = [n for n, r in enumerate(REGIONS) if r.name == "thalamus"]
    for head in heads:
        head.true_ml[first] = head.true_ml[first].mean()
        # Of two sides alike one is right: 10 % of both together.
        head.found_ml[first] = head.true_ml[first] * [1.2, 1.0]
    rows = {(row.name, row.group): row.value for row in region_rows(heads)}
    assert rows["volume_bias", "group:thalamus"] == pytest.approx(10)
    assert rows["volume_error", "region:thalamus right"] == pytest.approx(20)
    assert rows["dice", "group:cortical grey"] == pytest.approx(0.725)
    assert rows["volume_bias", "group:white matter"] == pytest.approx(0)


def test_a_bias_of_volumes_moves_the_age_until_it_is_taken_off() -> None:
    heads = _heads(8, factor=1.0)
    for head in heads:
        for n, region in enumerate(REGIONS):
            head.found_ml[n] *= 1.5 if "ventricle" in region.name else 1.0
    ages = head_ages(TABLE, heads, heads)
    off = {name: np.abs(found.found - ages["table"].found).mean() for name, found in ages.items()}
    assert off["uncorrected"] > off["model"] + 5


def test_the_error_leaves_a_patient_out_and_needs_some() -> None:
    heads = _heads(4)
    heads[0].found_ml[:2] *= 3
    whole, without = error_of(heads), error_of(heads, ["p0"])
    assert whole.spread[0] > 2 * without.spread[0]
    assert error_of(heads[:2]).spread.sum() == 0


def test_every_fit_leaves_out_whom_it_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that a fit is given never hold a person whose age it tells."""
    given: list[np.ndarray] = []

    def watched(ml: np.ndarray, age: np.ndarray, error: VolumeError) -> object:
        given.append(ml)
        return fit_age(ml, age, error)

    monkeypatch.setattr(region_measure, "fit_age", watched)
    heads = _heads(5)
    head_ages(TABLE, heads, heads)
    for head, rows in zip(heads, given, strict=True):
        assert len(rows) == len(AGE) - 1
        assert not (rows == head.true_ml).all(axis=1).any()
    given.clear()
    table_ages(TABLE, heads)
    assert [len(rows) for rows in given] == [48] * 5


def test_ages_of_heads_are_right_about_and_the_offset_is_taken_off() -> None:
    heads = _heads(8, factor=1.3)
    ages = head_ages(TABLE, heads, heads)
    assert np.abs(ages["table"].found - ages["table"].age).mean() < 6
    assert np.abs(ages["model"].found - ages["table"].found).mean() < 6
    assert (ages["model"].half > ages["table"].half).all()
    moved = effect_row(ages["model"], ages["table"], "heads")
    assert moved.value == pytest.approx(np.abs(ages["model"].found - ages["table"].found).mean())


def test_figures_of_ages_are_those_of_the_ages() -> None:
    age = np.array([20.0, 40.0, 60.0, 80.0, 50.0])
    found = age + np.array([1.0, -1.0, 3.0, -3.0, 2.0])
    ages = Ages(("a", "b", "c", "d", "e"), age, found, np.full(5, 2.5))
    rows = {row.name: row.value for row in age_rows(ages, "x", "model")}
    intervals = {row.name: (row.low, row.high) for row in age_rows(ages, "x", "model")}
    for name in ("rmse", "pearson_r"):
        low, high = intervals[name]
        assert low <= rows[name] <= high
    assert rows["pearson_r"] == pytest.approx(np.corrcoef(age, found)[0, 1])
    assert rows["mae"] == 2.0
    assert rows["bias"] == pytest.approx(0.4)
    assert rows["coverage"] == 0.6
    assert rows["interval_width"] == 5.0
    assert rows["rmse"] == pytest.approx(np.sqrt(24 / 5))


def test_the_mean_of_the_others_is_worse_than_the_fit() -> None:
    fit = np.abs(table_ages(TABLE, []).found - AGE).mean()
    mean = np.abs(table_ages(TABLE, [], mean=True).found - AGE).mean()
    assert fit < mean / 2
