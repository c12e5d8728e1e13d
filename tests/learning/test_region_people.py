"""Ages of people and heads: nothing of a patient is in two parts."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from region_heads import measured_heads, people

from medview.learning import region_people
from medview.learning.region_age import VolumeError, fit_age
from medview.learning.region_groups import REGIONS
from medview.learning.region_people import Ages, Table, age_rows, effect_row, head_ages, table_ages

ML, AGE = people(60)
TABLE = Table(tuple(f"p{n}" for n in range(60)), ML, AGE)


def test_the_mean_age_of_the_others_is_the_guess_to_beat() -> None:
    ages = table_ages(TABLE, measured_heads(4), exact=True, mean=True)
    for guess in np.unique(ages.found):
        told = ages.found == guess
        assert guess == pytest.approx(AGE[~told].mean())
        assert told.sum() == 12
        inside = np.abs(AGE[~told] - guess) <= ages.half[told][0]
        assert inside.mean() >= 0.95


def test_a_bias_of_volumes_moves_the_age_until_it_is_taken_off() -> None:
    heads = measured_heads(8, factor=1.0)
    for head in heads:
        for n, region in enumerate(REGIONS):
            head.found_ml[n] *= 1.5 if "ventricle" in region.name else 1.0
    ages = head_ages(TABLE, heads, heads)
    off = {name: np.abs(found.found - ages["table"].found).mean() for name, found in ages.items()}
    assert off["uncorrected"] > off["model"] + 5


def test_every_fit_leaves_out_whom_it_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that a fit is given never hold a person whose age it tells."""
    given: list[np.ndarray] = []

    def watched(ml: np.ndarray, age: np.ndarray, error: VolumeError) -> object:
        given.append(ml)
        return fit_age(ml, age, error)

    monkeypatch.setattr(region_people, "fit_age", watched)
    heads = measured_heads(5)
    head_ages(TABLE, heads, heads)
    for head, rows in zip(heads, given, strict=True):
        assert len(rows) == len(AGE) - 1
        assert not (rows == head.true_ml).all(axis=1).any()
    given.clear()
    table_ages(TABLE, heads)
    assert [len(rows) for rows in given] == [48] * 5


def test_ages_of_heads_are_right_about_and_the_offset_is_taken_off() -> None:
    heads = measured_heads(8, factor=1.3)
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


def _labelled(patient: str, age: float | None, ml: float = 1.0) -> SimpleNamespace:
    case = SimpleNamespace(patient=patient, age_years=age, subset="more")
    return SimpleNamespace(case=case, ml=np.full(len(REGIONS), ml))


def test_people_of_labelled_heads_join_those_of_a_table_once() -> None:
    few = Table(("a", "b"), ML[:2], AGE[:2], ("old", "old"))
    heads = [
        _labelled("b", 30.0),
        _labelled("c", 90.0, 2.0),
        _labelled("c", 90.0),
        _labelled("d", None),
    ]
    wide = few.and_heads(heads)
    assert (wide.patients, wide.sets) == (("a", "b", "c"), ("old", "old", "more"))
    assert wide.age.tolist() == [*AGE[:2], 90.0]
    assert wide.ml.shape == (3, len(REGIONS))
    assert (wide.ml[:2] == ML[:2]).all()
    assert few.and_heads(heads[:1]) is few
    rest = wide.without(["a", "c"])
    assert (rest.patients, rest.sets, rest.age.tolist()) == (("b",), ("old",), [AGE[1]])


def test_ages_of_some_people_keep_all_that_is_said_of_them() -> None:
    values = (np.arange(3.0) + shift for shift in (40, 50, 5))
    ages = Ages(("a", "b", "c"), *values, strange=np.array([0.1, 2.0, 0.2]))
    some = ages.only([False, True, True])
    assert some.patients == ("b", "c")
    assert [each.tolist() for each in (some.age, some.found, some.half, some.strange)] == [
        [41, 42], [51, 52], [6, 7], [2.0, 0.2],
    ]  # fmt: skip
    assert Ages(("a",), *(np.ones(1),) * 3).only([True]).strange is None
