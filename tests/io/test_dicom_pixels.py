"""Stored values come out of every syntax as they went in, with sign and bits set right."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from coded_pixels import COLOUR, LOSSLESS, RAMP, SIGNED, values_of
from dicom_files import compressed, image, write
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)

from medview.domain.errors import ReadError
from medview.io import dicom_pixels
from medview.io.dicom_pixels import PixelFile


@pytest.mark.parametrize("pixels", [RAMP, SIGNED, RAMP.astype(np.uint8), COLOUR])
def test_big_endian_words_are_turned(pixels, tmp_path):
    ds = image(pixels)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    ds["PixelData"].VR = "OW"
    swapped = np.frombuffer(pixels.tobytes(), "u2").byteswap().tobytes()
    ds.PixelData = swapped
    np.testing.assert_array_equal(values_of(ds, tmp_path), pixels)


def test_frames_of_an_odd_number_of_bytes_lie_in_turned_words(tmp_path):
    frames = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    ds = image(frames[0], NumberOfFrames=3)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    ds["PixelData"].VR = "OW"
    ds.PixelData = np.frombuffer(frames.tobytes() + b"\0", "u2").byteswap().tobytes()
    for n in range(3):
        np.testing.assert_array_equal(values_of(ds, tmp_path, n), frames[n])


def test_shared_colours_are_spread_over_their_pixels(tmp_path):
    ds = image(np.zeros((1, 4, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = bytes([10, 20, 1, 2, 30, 40, 3, 4])
    values = values_of(ds, tmp_path)
    assert values.tolist() == [[[10, 1, 2], [20, 1, 2], [30, 3, 4], [40, 3, 4]]]


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


def several(tmp_path, syntax=None):
    """A file of three frames that differ, and the frames."""
    frames = np.stack([RAMP + np.uint16(n) for n in (0, 1000, 2000)])
    ds = image(RAMP, NumberOfFrames=3)
    ds.PixelData = frames.tobytes()
    if syntax is not None:
        ds.file_meta.TransferSyntaxUID = syntax
    return write(ds, tmp_path / "x.dcm"), frames


@pytest.mark.parametrize("syntax", [None, DeflatedExplicitVRLittleEndian])
def test_each_frame_lies_behind_the_one_before(syntax, tmp_path):
    path, frames = several(tmp_path, syntax)
    file = PixelFile(path)
    assert file.has_plain_words is (syntax is None)
    for n in (2, 0, 1):
        np.testing.assert_array_equal(file.stored_values(n), frames[n])
        np.testing.assert_array_equal(file.raw_words(n), frames[n])
        file.forget()


def test_of_a_file_that_was_cut_the_whole_frames_are_read_and_no_part_of_one(tmp_path):
    path, frames = several(tmp_path)
    path.write_bytes(path.read_bytes()[:-1537])  # of three times 1536
    file = PixelFile(path)
    out = np.full(RAMP.shape, 7, np.uint16)
    file.read_words(0, out)
    np.testing.assert_array_equal(out, frames[0])
    for n, share in ((1, 66), (2, 66)):
        out[...] = 7
        with pytest.raises(ReadError, match=f"ends early: {share} % of the pixel data"):
            file.read_words(n, out)
        assert not out.any()
        with pytest.raises(ReadError, match=f"ends early: {share} % of the pixel data"):
            file.stored_values(n)


def test_what_lies_behind_the_pixels_is_not_taken_for_a_frame(tmp_path):
    ds = image(RAMP, NumberOfFrames=2)
    ds.add_new(0xFFFCFFFC, "OB", bytes(4000))  # padding behind the only frame
    path = write(ds, tmp_path / "x.dcm")
    with pytest.raises(ReadError, match="ends early: 50 %"):
        PixelFile(path).stored_values(1)
    with pytest.raises(ReadError, match="ends early: 50 %"):
        PixelFile(path).read_words(1, np.empty(RAMP.shape, np.uint16))


def test_deflated_data_are_unpacked_up_to_a_limit_only(tmp_path, monkeypatch):
    monkeypatch.setattr(dicom_pixels, "MAX_INFLATED", 2 * 1536)
    monkeypatch.setattr(dicom_pixels, "MAX_INFLATION", 0)
    path, _ = several(tmp_path, DeflatedExplicitVRLittleEndian)
    with pytest.raises(ReadError, match="inflates to more than") as caught:
        PixelFile(path).stored_values(0)
    assert caught.value.code == "MV-IO-104"


def test_a_colour_stream_under_a_grey_header_is_refused(tmp_path):
    stream = imagecodecs.jpeg8_encode(COLOUR)
    ds = compressed(image(RAMP.astype(np.uint8)), JPEGBaseline8Bit, [stream])
    error = refused(ds, tmp_path)
    assert error.code == "MV-IO-108"
    assert "the header says (32, 24), the image inside is (32, 24, 3)" in error.what


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
