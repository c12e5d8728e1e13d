"""What a file says of itself, and when it is not to be believed."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from dicom_files import (
    catalogue,
    codes,
    enhanced,
    image,
    marked_slice,
    only,
    save,
    write,
)
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from medview.domain.errors import ReadError
from medview.io.dicom_headers import iso_date

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


PT = {"Modality": "PT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128"}
CT = {"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "KVP": 120}


@pytest.mark.parametrize(
    ("elements", "quantity"),
    [
        ({}, "a.u."),
        (CT, "HU"),
        (CT | {"RescaleType": "HU"}, "HU"),
        (CT | {"RescaleType": "HU_MOD"}, "HU"),
        (CT | {"RescaleType": "MGML"}, "a.u."),
        ({"RescaleType": "HU"}, "HU"),
        ({"RescaleType": "HU_MOD"}, "HU_MOD"),
        (PT | {"Units": "BQML"}, "Bq/ml"),
        (PT | {"Units": "GML"}, "g/ml"),
        (PT | {"Units": "PROPCPS"}, "PROPCPS"),
        (PT, "a.u."),
    ],
)
def test_what_values_are_of_is_told_by_type_and_units(elements, quantity, tmp_path):
    series, _ = opened(tmp_path, image(RAMP, **elements))
    assert series.quantity == quantity


@pytest.mark.parametrize(
    ("elements", "acquired"),
    [
        ({"AcquisitionDate": "20260102", "SeriesDate": "20260103"}, "2026-01-02"),
        ({"SeriesDate": "20260103", "SeriesTime": "101112.5"}, "2026-01-03 10:11"),
        ({"AcquisitionTime": "0930", "SeriesTime": "101112"}, "2026-11-21 09:30"),
        ({"AcquisitionTime": "09"}, "2026-11-21"),
        # As before DICOM 3.0, and what is no date or time at all.
        ({"AcquisitionDate": "1997.07.26", "AcquisitionTime": "09:30:15"}, "1997-07-26 09:30"),
        ({"AcquisitionDate": "1997", "AcquisitionTime": "noon"}, ""),
    ],
)
def test_when_images_were_made_is_the_nearest_date_and_time(elements, acquired, tmp_path):
    with pydicom.config.disable_value_validation():
        series, _ = opened(tmp_path, image(RAMP, **elements))
    assert series.acquired == acquired


@pytest.mark.parametrize(
    ("elements", "what"),
    [
        ({"Rows": 0}, "no usable number of rows"),
        ({"Columns": 0}, "no usable number of rows"),
        ({"Rows": None}, "no usable number of rows"),
        ({"Columns": [9, 9]}, "no usable number of rows"),
        ({"NumberOfFrames": 1_000_001}, "claims 1000001 frames"),
        ({"TotalPixelMatrixColumns": 9}, "whole-slide"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6"}, "whole-slide"),
        ({"PixelData": None}, "DICOM without an image"),
        ({"PixelData": None, "DirectoryRecordSequence": []}, "is the index of a DICOM medium"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_its_header(elements, what, tmp_path):
    with pytest.raises(ReadError, match=what) as caught:
        opened(tmp_path, image(RAMP, **elements))
    assert caught.value.file == "x.dcm"


def test_frames_of_other_types_in_one_file_are_series_of_their_own(tmp_path):
    places = [{"PlanePositionSequence": {"ImagePositionPatient": [0, 0, k]}} for k in range(4)]
    for n, place in enumerate(places):
        kind = ["ORIGINAL", "PRIMARY", "M" if n < 3 else "R", "NONE"]
        place["MRImageFrameTypeSequence"] = {"FrameType": kind}
    found = catalogue(write(enhanced([marked_slice(0)] * 4, places), tmp_path / "x.dcm"))
    assert [series.size[2] for series in found.all_series()] == [3, 1]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        *(("20261121", "2026-11-21"), ("2026.11.21", "2026-11-21"), ("2026-11-21", "2026-11-21")),
        *(("00000000", ""), ("20991332", ""), ("20260230", ""), ("202611", ""), ("2026112x", "")),
        *(("\u0662026112", ""), ("", "")),
    ],
)
def test_a_date_that_no_calendar_has_is_none(text, iso):
    assert iso_date(text) == iso
