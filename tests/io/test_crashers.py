"""Files that once ended the process or took it far too long, each by its name."""

import struct

import numpy as np
import pytest

from medview.cli.benches.ct_series import run_length, slice_pixels
from medview.io.dicom_codecs import CodecError, Coded, decode

RLE = "1.2.840.10008.1.2.5"
CODED = Coded(24, 24, 1, 16, "MONOCHROME2")


def test_run_length_comes_back_as_it_was():
    pixels = slice_pixels(1, 24)
    assert np.array_equal(decode(RLE, run_length(pixels), CODED), pixels)


@pytest.mark.parametrize(
    "header",
    [
        (2, 64, 0x7FFFFFFF),
        (2, 64, 0xFFFFFFFF),
        (2, 64, 3),
        (2, 0, 64),
        (15, 64, *range(100, 240, 10)),
        (0xFFFFFFFF, 64, 100),
        (0,),
    ],
)
def test_run_length_offsets_that_lead_out_of_the_frame_are_refused(header):
    frame = run_length(slice_pixels(1, 24))
    lying = struct.pack("<16I", *header, *[0] * (16 - len(header))) + frame[64:]
    with pytest.raises(CodecError):
        decode(RLE, lying, CODED)


@pytest.mark.parametrize("length", [0, 10, 63, 64, 70, 200])
def test_a_run_length_frame_that_ends_early_is_refused(length):
    frame = run_length(slice_pixels(1, 24))
    with pytest.raises(CodecError):
        decode(RLE, frame[:length], CODED)
