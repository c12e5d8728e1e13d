"""What tells volumes apart, in the order of the rules."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import (
    catalogue,
    codes,
    enhanced,
    marked_slice,
    save,
    spacing_of,
    two_phases,
    write,
)
from pydicom.dataset import Dataset

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


def two_volumes(sequence, first, second):
    """Three slices twice in one enhanced file; a functional group tells them apart."""
    groups = [
        {"PlanePositionSequence": {"ImagePositionPatient": [0, 0, 2.5 * k]}, sequence: told}
        for told in (first, second)
        for k in range(3)
    ]
    return enhanced([marked_slice(0) + np.int16(n) for n in range(6)], groups)


def directed(*direction):
    """A group of diffusion along a direction."""
    item = Dataset()
    item.DiffusionGradientOrientation = list(direction)
    return {"DiffusionBValue": 1000.0, "DiffusionGradientDirectionSequence": [item]}


@pytest.mark.parametrize(
    ("sequence", "first", "second", "key"),
    [
        ("FrameContentSequence", {"TemporalPositionIndex": 1}, {"TemporalPositionIndex": 2},
         "TemporalPositionIndex"),
        ("FrameContentSequence", {"FrameAcquisitionNumber": 1}, {"FrameAcquisitionNumber": 2},
         "AcquisitionNumber"),
        ("FrameContentSequence", {"FrameAcquisitionDateTime": "20261121101500"},
         {"FrameAcquisitionDateTime": "20261121101530"}, "AcquisitionTime"),
        # The night in which clocks are put back: what reads later comes first.
        ("FrameContentSequence", {"FrameAcquisitionDateTime": "20261025025950.5+0200"},
         {"FrameAcquisitionDateTime": "20261025020010.5+0100"}, "AcquisitionTime"),
        ("FrameContentSequence", {"DimensionIndexValues": [1, 1]},
         {"DimensionIndexValues": [1, 2]}, "DimensionIndexValues[1]"),
        ("MREchoSequence", {"EffectiveEchoTime": 4.6}, {"EffectiveEchoTime": 9.2}, "EchoTime"),
        ("MRModifierSequence", {"InversionTimes": [100]}, {"InversionTimes": [900]},
         "InversionTime"),
        ("MRTimingAndRelatedParametersSequence", {"FlipAngle": 5}, {"FlipAngle": 25}, "FlipAngle"),
        ("MRDiffusionSequence", {"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0},
         "DiffusionBValue"),
        ("MRDiffusionSequence", directed(0, 1, 0), directed(1, 0, 0), "DiffusionBValue"),
        ("CardiacSynchronizationSequence", {"NominalCardiacTriggerDelayTime": 0.0},
         {"NominalCardiacTriggerDelayTime": 40.5}, "TriggerTime"),
    ],
)  # fmt: skip
def test_volumes_of_one_file_are_told_apart_by_their_groups(sequence, first, second, key, tmp_path):
    path = write(two_volumes(sequence, first, second), tmp_path / "x.dcm")
    (series,) = catalogue(path).all_series()
    assert (series.times, series.split_by, series.size[2]) == (2, key, 3)
    for time in (0, 1):
        volume = readers.load(Silent(), series, time)
        assert volume.array[:, 1, 2].tolist() == [1000 + 3 * time + k for k in range(3)]
