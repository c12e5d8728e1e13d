"""Frames of enhanced images: each in its place, with its own rescale."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import (
    catalogue,
    codes,
    enhanced,
    marked_slice,
    only,
    positions,
    write,
)


def plane(k: int, **more: object) -> dict[str, object]:
    return {"PlanePositionSequence": {"ImagePositionPatient": list(positions()[k])}} | more


def test_frames_of_an_enhanced_image_are_ordered_by_place_not_by_number(tmp_path):
    order = [3, 0, 7, 1, 5, 2, 6, 4]
    ds = enhanced([marked_slice(k) for k in order], [plane(k) for k in order])
    series, volume = only(write(ds, tmp_path / "e.dcm"))
    assert codes(series) == []
    assert [int(v) for v in volume.array[:, 1, 2]] == list(range(1000, 1008))
    np.testing.assert_allclose(volume.geometry.to_mm((3, 1, 2)), (-99, -79.3, 47.5), atol=1e-6)


def test_echoes_of_an_enhanced_image_are_times(tmp_path):
    groups, frames = [], []
    for echo in (4.6, 9.2):
        for k in range(8):
            groups.append(plane(k, MREchoSequence={"EffectiveEchoTime": echo}))
            frames.append(marked_slice(k) + np.int16(10 * echo))
    series, volume = only(write(enhanced(frames, groups), tmp_path / "e.dcm"))
    assert (series.times, series.split_by) == (2, "EchoTime")
    assert volume.array[3, 1, 2] == 1049


def test_two_stacks_in_one_enhanced_image_are_two_series_entries(tmp_path):
    coronal = {"PlaneOrientationSequence": {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}}
    groups = [plane(k) for k in range(8)] + [
        {"PlanePositionSequence": {"ImagePositionPatient": [-100, -80 + 3 * k, 40]}} | coronal
        for k in range(3)
    ]
    ds = enhanced([marked_slice(k) for k in range(11)], groups)
    found = catalogue(write(ds, tmp_path / "e.dcm")).all_series()
    assert [series.size[2] for series in found] == [8, 3]
    assert found[1].geometry.spacing_mm[0] == pytest.approx(3)


def test_each_frame_has_its_own_rescale(tmp_path):
    groups = [
        plane(
            k,
            PixelValueTransformationSequence={
                "RescaleSlope": 0.5 * (k + 1),
                "RescaleIntercept": 1,
            },
        )
        for k in range(3)
    ]
    ds = enhanced([marked_slice(k) for k in range(3)], groups)
    _, volume = only(write(ds, tmp_path / "e.dcm"))
    assert volume.array.dtype == np.float32
    assert volume.array[:, 1, 2].tolist() == [501, 1002, 1504]
