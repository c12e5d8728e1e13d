"""What tells volumes apart, in the order of the rules."""

from __future__ import annotations

import pytest
from dicom_files import (
    catalogue,
    codes,
    save,
    spacing_of,
    two_phases,
)

from medview.domain.progress import Silent
from medview.io import readers


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("TemporalPositionIdentifier", (1, 2)),
        ("AcquisitionNumber", (2, 10)),
        ("EchoTime", (4.6, 9.2)),
        ("InversionTime", (100, 900)),
        ("FlipAngle", (5, 25)),
        ("TriggerTime", (0, 40.5)),
        ("ContrastBolusAgent", ("", "Gd")),
        ("AcquisitionTime", ("101500", "101530.5")),
        ("ContentTime", ("101500", "101530.5")),
    ],
)
def test_two_phases_in_one_series_are_two_times(keyword, values, tmp_path):
    (series,) = catalogue(save(two_phases(keyword, values), tmp_path)).all_series()
    assert (series.times, series.split_by, series.size) == (2, keyword, (9, 6, 8))
    assert codes(series) == []
    assert spacing_of(series) == pytest.approx(2.5)
    first, second = (readers.load(Silent(), series, time) for time in (0, 1))
    assert first.array[3, 1, 2] == 1003
    assert second.array[3, 1, 2] == 1503


def test_a_key_that_comes_first_in_the_rules_is_taken_before_a_later_one(tmp_path):
    datasets = two_phases("ContentTime", ("101500", "101530"))
    for n, ds in enumerate(datasets):
        ds.EchoTime = 4.6 if n < 8 else 9.2
    (series,) = catalogue(save(datasets, tmp_path)).all_series()
    assert series.split_by == "EchoTime"
