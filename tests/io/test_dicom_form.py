"""Bits stored are taken from their place with their sign; absurd forms are refused."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import image, write

from medview.domain.errors import ReadError
from medview.io.dicom_pixels import PixelFile

RAMP = (np.arange(32 * 24).reshape(32, 24) * 5).astype(np.uint16)


def values_of(ds, tmp_path, frame: int = 0) -> np.ndarray:
    return PixelFile(write(ds, tmp_path / "x.dcm")).stored_values(frame)


@pytest.mark.parametrize(
    ("stored", "high", "signed", "word", "value"),
    [
        (12, 11, 0, 0x0FFF, 4095),
        (12, 11, 1, 0x0FFF, -1),
        (12, 11, 1, 0x0800, -2048),
        (12, 11, 1, 0x07FF, 2047),
        (12, 11, 0, 0xF123, 0x123),  # an overlay in the upper four bits
        (12, 15, 0, 0x1230, 0x123),  # values in the upper twelve bits
        (12, 15, 1, 0xFFF7, -1),
        (16, 15, 0, 0xFFFF, 65535),
        (16, 15, 1, 0xFFFF, -1),
        (10, 12, 0, 0b0001_0010_0011_0100, 0b1001_0001 >> 0 & 0x3FF),
    ],
)
def test_bits_stored_are_taken_from_their_place_with_their_sign(
    stored, high, signed, word, value, tmp_path
):
    if (stored, high) == (10, 12):
        value = word >> 3 & 0x3FF
    ds = image(
        np.full((2, 2), word, np.uint16),
        BitsStored=stored, HighBit=high, PixelRepresentation=signed,
    )  # fmt: skip
    assert set(values_of(ds, tmp_path).ravel().tolist()) == {value}


def refused(ds, tmp_path) -> ReadError:
    with pytest.raises(ReadError) as caught:
        values_of(ds, tmp_path)
    assert caught.value.file == "x.dcm"
    return caught.value


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"Rows": 0}, "MV-IO-110"),
        ({"Columns": 0}, "MV-IO-110"),
        ({"SamplesPerPixel": 7}, "MV-IO-110"),
        ({"BitsAllocated": 12}, "MV-IO-110"),
        ({"BitsStored": 17}, "MV-IO-110"),
        ({"HighBit": 16}, "MV-IO-110"),
        ({"Rows": 60000, "Columns": 60000, "NumberOfFrames": 100}, "MV-IO-105"),
        ({"Rows": 600}, "MV-IO-103"),
    ],
)
def test_an_impossible_form_is_refused_before_memory_is_taken(elements, code, tmp_path):
    assert refused(image(RAMP, **elements), tmp_path).code == code
