"""Figures of regions: each of its own heads, errors without the patient."""

from __future__ import annotations

import numpy as np
import pytest
from region_heads import measured_heads

from medview.learning.region_groups import REGIONS
from medview.learning.region_measure import error_of, region_rows


def test_rows_of_regions_name_each_region_and_all() -> None:
    rows = region_rows(measured_heads(6))
    whole = {row.name: row for row in rows if row.group == "all"}
    assert whole["dice"].value == pytest.approx(0.725)
    assert whole["volume_error"].value == pytest.approx(20, abs=2)
    assert whole["dice"].low < whole["dice"].value < whole["dice"].high
    assert {f"region:{region.title}" for region in REGIONS} <= {row.group for row in rows}
    assert region_rows(measured_heads(4))[0].low is None


@pytest.mark.parametrize("factor", [1.25, 0.8])
def test_the_volume_of_the_whole_head_is_over_or_under_by_so_much(factor: float) -> None:
    rows = {
        (row.name, row.group): row for row in region_rows(measured_heads(6, factor, spread=0.0))
    }
    off = 100 * (factor - 1)
    whole = rows["volume_error", "region:intracranial volume"]
    assert (whole.value, whole.low, whole.high) == pytest.approx((abs(off),) * 3)
    assert rows["volume_bias", "all"].value == pytest.approx(off)
    assert rows["volume_error", "all"].value == pytest.approx(abs(off))


def test_a_region_that_a_head_does_not_have_is_not_measured_in_it() -> None:
    heads = measured_heads(6, factor=1.5, spread=0.0)
    heads[0].true_ml[0] = 0.0
    heads[0].dice[0] = np.nan
    rows = {(row.name, row.group): row for row in region_rows(heads)}
    first = f"region:{REGIONS[0].title}"
    assert rows["volume_bias", first].value == pytest.approx(50)
    assert (rows["volume_bias", first].n, rows["dice", first].n_patients) == (5, 5)
    assert rows["dice", first].value == pytest.approx(0.73)
    assert rows["dice", "all"].n == 6


def test_a_group_is_measured_as_the_sum_of_its_regions() -> None:
    heads = measured_heads(6, factor=1.0, spread=0.0)
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


def test_the_error_leaves_a_patient_out_and_needs_some() -> None:
    heads = measured_heads(4)
    heads[0].found_ml[:2] *= 3
    whole, without = error_of(heads), error_of(heads, ["p0"])
    assert whole.spread[0] > 2 * without.spread[0]
    assert error_of(heads[:2]).spread.sum() == 0
