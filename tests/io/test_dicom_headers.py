"""What a file says of itself, and when it is not to be believed."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import (
    codes,
    image,
    marked_slice,
    only,
    save,
    write,
)
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

RAMP = np.arange(54, dtype=np.int16).reshape(6, 9)


def opened(tmp_path, ds):
    return only(write(ds, tmp_path / "x.dcm"))


@pytest.mark.parametrize(
    ("elements", "doubtful"),
    [
        ({}, False),
        ({"Modality": "CT"}, True),
        ({"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "EchoTime": 4}, True),
        (
            {"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
             "RescaleType": "US", "RescaleSlope": 1, "RescaleIntercept": 0},
            True,
        ),
        (
            {"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
             "RescaleSlope": 1, "RescaleIntercept": -1024},
            False,
        ),
        ({"Modality": "OT", "SOPClassUID": SecondaryCaptureImageStorage}, False),
    ],
)  # fmt: skip
def test_a_modality_that_the_rest_contradicts_is_doubted(elements, doubtful, tmp_path):
    series, volume = opened(tmp_path, image(RAMP, **elements))
    assert ("MODALITY_DOUBTFUL" in codes(series)) is doubtful
    if doubtful:
        assert volume.modality == ""
        assert volume.quantity == "a.u."


def test_a_lossy_image_says_so(tmp_path):
    series, volume = opened(tmp_path, image(RAMP, LossyImageCompression="01"))
    assert codes(series) == ["LOSSY"]
    assert volume.lossy
    assert series.lossy


@pytest.mark.parametrize(
    ("elements", "side"),
    [
        ({"ImageLaterality": "L"}, "L"),
        ({"Laterality": "R"}, "R"),
        ({"Laterality": "NO"}, ""),
        ({}, ""),
    ],
)
def test_the_side_that_a_file_names_is_told(elements, side, tmp_path):
    series, _ = only(save([image(marked_slice(0), **elements)], tmp_path))
    assert series.laterality == side


@pytest.mark.parametrize("begin", [b"MZ\x90\0", b"\x7fELF", b"PK\3\4", b"#!/bin/sh"])
def test_an_image_that_begins_like_a_program_is_shown_and_said(begin, tmp_path):
    path = write(image(marked_slice(0)), tmp_path / "x.dcm")
    raw = path.read_bytes()
    path.write_bytes(begin + raw[len(begin) :])
    series, volume = only(path)
    assert codes(series) == ["EXECUTABLE_HEADER"]
    assert volume.array[0, 1, 2] == 1000


def with_region(code, **elements):
    """An image whose anatomic region has a side."""
    ds = image(marked_slice(0), **elements)
    ds.AnatomicRegionSequence = [Dataset()]
    ds.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = [Dataset()]
    ds.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeValue = code
    return ds


def test_different_sides_in_one_file_are_said(tmp_path):
    series, _ = only(save([image(marked_slice(0), ImageLaterality="R", Laterality="L")], tmp_path))
    assert (series.laterality, codes(series)) == ("R", ["SIDE_DOUBTFUL"])
    assert "right (ImageLaterality), left (Laterality)" in series.warnings[0].text


@pytest.mark.parametrize(("code", "expected"), [("7771000", ["SIDE_DOUBTFUL"]), ("24028007", [])])
def test_the_side_of_the_region_is_compared_too(code, expected, tmp_path):
    series, _ = only(save([with_region(code, Laterality="R")], tmp_path / code))
    assert codes(series) == expected


@pytest.mark.parametrize(
    ("side", "x_mm", "expected"),
    [
        # Nine columns of 0.5 mm: from x to x + 4 mm, positive x being the patient's left.
        ("L", -60.0, ["SIDE_DOUBTFUL"]),
        ("L", 60.0, []),
        ("R", 60.0, ["SIDE_DOUBTFUL"]),
        ("R", -60.0, []),
        ("L", -10.0, []),
        ("B", -60.0, []),
    ],
)
def test_positions_on_the_other_side_than_the_one_named_are_said(side, x_mm, expected, tmp_path):
    place = [x_mm, -80.0, 40.0]
    ds = image(marked_slice(0), Laterality=side, ImagePositionPatient=place)
    series, _ = only(save([ds], tmp_path))
    assert codes(series) == expected
    if expected:
        assert series.warnings[0].text.endswith("check the side")
