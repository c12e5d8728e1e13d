"""Bits stored are taken from their place with their sign; absurd forms are refused."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import image, write

from medview.domain.errors import ReadError
from medview.io.dicom_codecs import Stream
from medview.io.dicom_form import Form, clean_in_place, cleaned, expanded_422, from_stream
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
        (10, 12, 0, 0x1234, 0x1234 >> 3 & 0x3FF),
    ],
)
def test_bits_stored_are_taken_from_their_place_with_their_sign(
    stored, high, signed, word, value, tmp_path
):
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
        ({"PhotometricInterpretation": "CMYK"}, "MV-IO-110"),
        ({"PhotometricInterpretation": "HSV"}, "MV-IO-110"),
        ({"BitsStored": 12, "HighBit": 10}, "MV-IO-110"),
        ({"Rows": 60000, "Columns": 60000, "NumberOfFrames": 100}, "MV-IO-105"),
        ({"Rows": 600}, "MV-IO-103"),
    ],
)
def test_an_impossible_form_is_refused_before_memory_is_taken(elements, code, tmp_path):
    assert refused(image(RAMP, **elements), tmp_path).code == code


def form(**fields):
    """Four by two values of 16 bits, unless told otherwise."""
    known = {
        "rows": 2, "columns": 4, "frames": 1, "samples": 1, "planar": False,
        "photometric": "MONOCHROME2", "allocated": 16, "stored": 16, "high": 15,
        "signed": False, "floating": False,
    }  # fmt: skip
    return Form(**(known | fields))


@pytest.mark.parametrize(
    ("fields", "bits", "kind", "limits"),
    [
        ({}, 128, "<u2", (0, 65535)),
        ({"signed": True, "stored": 12}, 128, "<i2", (-2048, 2047)),
        ({"allocated": 8, "stored": 8, "samples": 3}, 192, "u1", (0, 255)),
        ({"allocated": 8, "stored": 8, "samples": 3, "photometric": "YBR_FULL_422"}, 128, "u1",
         (0, 255)),
        ({"allocated": 1, "stored": 1}, 8, "u1", (0, 1)),
        ({"allocated": 64, "stored": 64, "floating": True}, 512, "<f8", (0, 2**64 - 1)),
    ],
)  # fmt: skip
def test_a_form_knows_the_bits_of_a_frame_its_type_and_limits(fields, bits, kind, limits):
    made = form(**fields)
    assert (made.frame_bits, made.dtype, made.limits) == (bits, np.dtype(kind), limits)


def test_two_luminances_share_their_chrominances():
    raw = np.arange(16, dtype=np.uint8)
    pixels = expanded_422(raw, form(samples=3, photometric="YBR_FULL_422"))
    assert pixels[0].tolist() == [[0, 2, 3], [1, 2, 3], [4, 6, 7], [5, 6, 7]]
    assert pixels[1, 3].tolist() == [13, 14, 15]


@pytest.mark.parametrize(
    ("stored", "high", "signed"),
    [(16, 15, True), (12, 11, False), (12, 15, False), (12, 11, True), (9, 12, True)],
)
def test_words_are_cleaned_in_their_place_as_they_are_elsewhere(stored, high, signed):
    made = form(stored=stored, high=high, signed=signed)
    words = np.array([[0, 1, 0x7FF, 0x800], [0xFFF, 0x8123, 0xF000, 0xFFFF]], np.uint16)
    here = words.view(made.dtype).copy()
    clean_in_place(here, made)
    np.testing.assert_array_equal(here, cleaned(words.view(made.dtype), made))
    assert made.limits[0] <= here.min() <= here.max() <= made.limits[1]


@pytest.mark.parametrize(
    ("found", "fields", "bits", "values"),
    [
        # A stream without a sign under a header with one, and the other way round.
        (np.uint16([4095, 2047]), {"stored": 12, "high": 11, "signed": True}, 12, [-1, 2047]),
        (np.int16([-1, 5]), {"stored": 12, "high": 11}, 12, [4095, 5]),
        # The fewer bits count.
        (np.uint16([0x1FFF, 7]), {"stored": 12, "high": 11}, 16, [4095, 7]),
        (np.uint16([255, 7]), {"signed": True}, 8, [-1, 7]),
        # Eight bits where sixteen are allocated, and what says nothing of itself.
        (np.uint8([200, 7]), {}, 8, [200, 7]),
        (np.int8([-3, 7]), {"signed": True}, 8, [-3, 7]),
        (np.uint8([200, 7]), {"stored": 12, "high": 11}, None, [200, 7]),
        (np.uint16([0xF005, 7]), {"stored": 12, "high": 11}, None, [5, 7]),
    ],
)
def test_values_of_a_stream_take_sign_and_bits_of_header_and_stream(found, fields, bits, values):
    stream = None if bits is None else Stream(1, 2, 1, bits, found.dtype.kind == "i")
    made = from_stream(found[None], form(**fields), stream)
    assert made.tolist() == [values]
    assert made.dtype.itemsize == 2


def test_colours_of_a_stream_stay_as_they_are():
    colours = np.zeros((2, 4, 3), np.uint8)
    assert from_stream(colours, form(samples=3, allocated=8), None) is colours
