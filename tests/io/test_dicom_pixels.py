"""Stored values come out of every syntax as they went in, with sign and bits set right."""

from __future__ import annotations

import numpy as np
import pytest
from coded_pixels import COLOUR, LOSSLESS, RAMP, SIGNED, values_of
from dicom_files import compressed, image, write
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import ExplicitVRBigEndian, RLELossless, generate_uid

from medview.domain.errors import ReadError
from medview.io.dicom_pixels import PixelFile


@pytest.mark.parametrize("pixels", [RAMP, SIGNED, RAMP.astype(np.uint8), COLOUR])
def test_big_endian_words_are_turned(pixels, tmp_path):
    ds = image(pixels)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    ds["PixelData"].VR = "OW"
    swapped = np.frombuffer(pixels.tobytes(), "u2").byteswap().tobytes()
    ds.PixelData = swapped
    np.testing.assert_array_equal(values_of(ds, tmp_path), pixels)


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_planes_come_out_as_pixels(planar, tmp_path):
    ds = image(COLOUR, PlanarConfiguration=planar)
    ds.PixelData = (COLOUR if planar == 0 else np.moveaxis(COLOUR, -1, 0)).tobytes()
    np.testing.assert_array_equal(values_of(ds, tmp_path), COLOUR)


# ---------------------------------------------------------------------------------- bits


def test_one_bit_frames_need_not_begin_at_a_byte(tmp_path):
    masks = np.random.default_rng(2).integers(0, 2, (3, 5, 7), np.uint8)
    ds = image(np.zeros((5, 7), np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0)
    ds.NumberOfFrames = 3
    packed = np.packbits(masks.ravel(), bitorder="little").tobytes()
    ds.PixelData = packed + b"\0" * (len(packed) % 2)
    for frame in range(3):
        np.testing.assert_array_equal(values_of(ds, tmp_path, frame), masks[frame])


# ------------------------------------------------------------------- checks before memory


def refused(ds, tmp_path) -> ReadError:
    with pytest.raises(ReadError) as caught:
        values_of(ds, tmp_path)
    assert caught.value.file == "x.dcm"
    return caught.value


def test_a_tiny_run_length_file_that_claims_gigabytes_is_refused(tmp_path):
    ds = image(np.zeros((4, 4), np.uint16), Rows=65535, Columns=65535)
    frame = RLELosslessEncoder.encode(
        np.zeros((4, 4), np.uint16), rows=4, columns=4, samples_per_pixel=1, bits_allocated=16,
        bits_stored=16, pixel_representation=0, photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )  # fmt: skip
    error = refused(compressed(ds, RLELossless, [frame]), tmp_path)
    assert error.code == "MV-IO-105"


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"])
def test_a_stream_of_another_size_than_the_header_says_is_refused(uid, tmp_path):
    ds = compressed(image(RAMP, Rows=16), uid, [LOSSLESS[uid](RAMP)])
    error = refused(ds, tmp_path)
    assert error.code == "MV-IO-108"
    assert "24 x 16" in error.what
    assert "24 x 32" in error.what


def test_a_cut_file_says_how_much_of_it_is_there(tmp_path):
    path = write(image(RAMP), tmp_path / "x.dcm")
    path.write_bytes(path.read_bytes()[:-598])  # of 1536
    with pytest.raises(ReadError, match="ends early: 61 % of the pixel data present") as caught:
        PixelFile(path).stored_values(0)
    assert caught.value.code == "MV-IO-103"


def test_a_file_that_changed_after_it_was_listed_is_a_named_error(tmp_path):
    path = write(image(RAMP, SOPInstanceUID=generate_uid()), tmp_path / "x.dcm")
    file = PixelFile(path)
    path.write_bytes(b"gone")
    with pytest.raises(ReadError):
        file.stored_values(0)


def test_a_file_without_one_whole_frame_is_refused_before_there_is_room_for_it(tmp_path):
    path = write(image(RAMP, Rows=5000, Columns=5000), tmp_path / "x.dcm")
    with pytest.raises(ReadError, match="ends early: 0 % of the pixel data present"):
        PixelFile(path)


def test_shared_colours_need_an_even_number_of_columns(tmp_path):
    odd = np.zeros((5, 9, 3), np.uint8)
    ds = image(odd, PhotometricInterpretation="YBR_FULL_422", PixelData=bytes(90))
    with pytest.raises(ReadError, match="odd number of columns"):
        values_of(ds, tmp_path)
