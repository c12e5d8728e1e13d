"""Figures of the Brixia score, by hand and beside the junior reader."""

from dataclasses import replace

import numpy as np
import pytest
from chest_said import case, row, said

from medview.learning.cxr_severity_rows import severity_rows


def test_the_ridge_of_the_total_stands_beside_the_zones():
    cases = [case(n, brixia="111111") for n in range(6)]
    whole = replace(said(cases, zones=np.full((6, 6), 1.5)), baselines={"ridge": np.full(6, 7.0)})
    rows = severity_rows(whole)
    assert row(rows, predictor="ridge", name="mae").value == 1
    assert row(rows, name="mae_difference", group="all, against:ridge").value == 2


def test_severity_rows_stand_beside_the_junior_reader_and_the_median():
    cases = [case(n, brixia="111111", brixia_junior="111110") for n in range(6)]
    rows = severity_rows(said(cases, zones=np.full((6, 6), 1.5)))
    assert row(rows, predictor="model", level="case", name="mae").value == pytest.approx(3)
    assert row(rows, predictor="model", level="zone", group="zone:B").value == pytest.approx(0.5)
    assert row(rows, predictor="junior_reader", level="case", name="mae").value == 1
    assert row(rows, predictor="median", name="mae").value == 0


def test_errors_of_zones_and_totals_by_hand():
    """Totals 6 and 15; zones are off by 1 in one place and by 3 in another of the second film."""
    cases = [case(1, brixia="111111"), case(2, brixia="333330"), case(3, brixia="111111")]
    zones = [[1] * 6, [3, 3, 3, 3, 2, 3], [1, 1, 1, 1, 1, 0]]
    rows = severity_rows(replace(said(cases, zones=zones), baselines={"ridge": np.full(3, 6.0)}))
    assert row(rows, predictor="model", level="case", name="mae").value == pytest.approx(3 / 3)
    zone = row(rows, predictor="model", level="zone", name="mae", group="all")
    assert (zone.value, zone.n) == (pytest.approx(5 / 18), 18)
    assert row(rows, level="zone", group="zone:F").value == pytest.approx(4 / 3)
    assert row(rows, level="zone", group="zone:E").value == pytest.approx(1 / 3)
    # 15 and 17 are of one class, and so are 6 and 5.
    assert row(rows, predictor="model", name="accuracy").value == 1.0
    apart = row(rows, name="mae_difference", group="all, against:ridge")
    assert apart.value == pytest.approx(1 - 3)
