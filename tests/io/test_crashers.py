"""Files that once ended the process or took it far too long, each by its name."""

import struct
import time

import imagecodecs
import numpy as np
import pytest

from medview.cli.benches.ct_series import run_length, slice_pixels
from medview.cli.benches.mutants import mutant
from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io.dicom_codecs import CodecError, Coded, decode
from medview.io.readers import load, scan

RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LS = "1.2.840.10008.1.2.4.80"
# What one damaged file may cost, seconds of the processor.
MOST_SECONDS = 2.0
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


@pytest.mark.parametrize("missing", [4, 10, 300])
def test_a_jpeg_ls_stream_without_an_end_is_refused_soon(missing):
    whole = bytes(imagecodecs.jpegls_encode(slice_pixels(3, 24)))
    began = time.process_time()
    with pytest.raises(CodecError):
        decode(JPEG_LS, whole[:-missing], CODED)
    assert time.process_time() - began < MOST_SECONDS


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0\0\0"])
def test_a_jpeg_ls_stream_with_padding_comes_back_as_it_was(padding):
    pixels = slice_pixels(3, 24)
    whole = bytes(imagecodecs.jpegls_encode(pixels))
    assert np.array_equal(decode(JPEG_LS, whole + padding, CODED), pixels)


# Damaged JPEG streams on which a decoder once ended the process: seed and number of the mutant.
@pytest.mark.parametrize(
    ("seed", "number"),
    [
        (0, 1381),
        (0, 2499),
        (0, 2544),
        (0, 6435),
        (0, 7488),
        (0, 19856),
        (1, 115),
        (1, 271),
        (2, 24),
    ],
)
def test_damaged_jpeg_streams_are_refused_in_words(tmp_path, seed, number):
    path = tmp_path / "damaged.dcm"
    path.write_bytes(mutant("dicom", seed, number))
    with pytest.raises(ReadError) as error:
        load(Silent(), scan(Silent(), (path,)).all_series()[0])
    assert error.value.do


@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_of_lossless_jpeg_is_known(predictor):
    pixels = slice_pixels(1, 24)
    frame = imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=12)
    assert np.array_equal(decode(JPEG_LOSSLESS, bytes(frame), CODED), pixels)


@pytest.mark.parametrize(("seed", "number"), [(1, 3516)])
def test_a_nifti_file_with_voxels_of_nearly_no_size_is_shown_without_spacing(
    tmp_path, seed, number
):
    path = tmp_path / "tiny.nii"
    path.write_bytes(mutant("nifti", seed, number))
    [series] = scan(Silent(), (path,)).all_series()
    assert series.geometry.spacing_kind is None
    assert "NO_SPACING" in {note.code for note in series.warnings}
