"""Intervals of volumes: what makes them, and how often they hold the true volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from region_heads import people

from medview.learning.region_groups import REGIONS
from medview.learning.region_intervals import COVERAGE, ELSEWHERE, WIDTH, factors, interval_rows
from medview.learning.region_measure import Measured

ML, AGE = people(20)


def _head(n: int, subset: str, factor: float) -> Measured:
    """A head whose volumes come out too large by a factor, more or less."""
    found = ML[n] * factor * (1.01 if n % 2 else 0.99)
    return Measured(f"c{n}", f"p{n}", subset, 40.0, np.ones(len(REGIONS)), found, ML[n])


def _by_group(heads: list[Measured], every: list[Measured], name: str) -> dict[str, float]:
    return {row.group: row.value for row in interval_rows(heads, every) if row.name == name}


def test_an_interval_holds_the_error_of_each_set_and_the_volume_itself() -> None:
    usual = np.exp(1.96 * 0.1)
    assert factors(0.0, 0.1, ()) == pytest.approx((1 / usual, usual))
    assert factors(np.log(2), 0.0, ()) == (0.5, 1.0)
    assert factors(np.log(2), 0.0, (0.0, -0.5)) == pytest.approx((0.5, 2.0))
    assert factors(0.0, 0.1, (0.25, -0.2)) == pytest.approx((0.8 / usual, 1.25 * usual))


def test_a_set_that_is_off_is_held_once_it_has_been_measured() -> None:
    right = [_head(n, "right", 1.0) for n in range(6)]
    large = [_head(n, "large", 1.5) for n in range(6, 12)]
    every = right + large
    for heads in (right, large):
        held = _by_group(heads, every, COVERAGE)
        assert held["all"] == held["group:thalamus"] == held["group:intracranial volume"] == 1
    # All are too large alike: their shares of the head are right, the head itself is not.
    assert _by_group(large, every, COVERAGE)[ELSEWHERE] == 0
    rows = interval_rows(large, every)
    assert {(row.subset, row.n, row.n_patients, row.task) for row in rows} == {
        ("large", 6, 6, "regions")
    }


def test_the_width_is_a_percentage_of_the_volume_found() -> None:
    heads = [_head(n, "one", 1.0) for n in range(12)]
    widths = _by_group(heads, heads, WIDTH)
    spread = np.std(np.log([0.99, 1.01] * 6), ddof=1)
    assert widths["group:intracranial volume"] == pytest.approx(200 * 1.96 * spread, rel=0.1)
    assert ELSEWHERE not in widths  # there is no other set


def test_a_head_does_not_tell_its_own_interval_nor_do_other_heads_of_its_patient() -> None:
    heads = [_head(n, "one", 1.0) for n in range(8)]
    odd = replace(heads[0], found_ml=ML[0] * 1.6)
    twice = [odd, replace(odd, case="again"), *heads[1:]]
    assert _by_group([odd], twice, COVERAGE)["group:intracranial volume"] == 0


def test_too_few_other_heads_make_no_rows() -> None:
    heads = [_head(n, "one", 1.0) for n in range(3)]
    assert interval_rows(heads, heads) == []
