"""Every syntax gives the values that went in, or is refused by its name."""

from __future__ import annotations

import struct
import sys

import imagecodecs
import numpy as np
import pytest
from coded_pixels import COLOUR, LOSSLESS, RAMP, SIGNED, values_of
from dicom_files import compressed, image, only, write
from pydicom.uid import RLELossless, UID_dictionary

from medview.domain.errors import ReadError
from medview.io.dicom_codecs import SYNTAXES, CodecError, Coded, Stream, decode, stream_header


@pytest.mark.parametrize("pixels", [RAMP, SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize("uid", LOSSLESS)
def test_a_lossless_syntax_gives_the_values_that_went_in(uid, pixels, tmp_path):
    ds = compressed(image(pixels), uid, [LOSSLESS[uid](pixels)])
    np.testing.assert_array_equal(values_of(ds, tmp_path), pixels)


@pytest.mark.parametrize("pixels", [RAMP, SIGNED, RAMP.astype(np.uint8), COLOUR])
def test_run_lengths_give_the_values_that_went_in(pixels, tmp_path):
    ds = image(pixels)
    ds.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    np.testing.assert_array_equal(values_of(ds, tmp_path), pixels)


@pytest.mark.parametrize(
    ("count", "offsets"),
    [(2, (64, 70)), (1, (64,)), (3, (64, 70, 76)), (2, (70, 64)), (2, (60, 70)), (2, (64, 99_999))],
)
def test_run_lengths_whose_segments_lie_elsewhere_are_refused(count, offsets):
    # Two segments of 3 bytes that stand for 4 values each: 0x0102 four times.
    segments = b"\xfd\x01\0\0\0\0\xfd\x02"
    head = struct.pack("<16I", count, *offsets, *[0] * (15 - len(offsets)))
    if (count, offsets) == (2, (64, 70)):
        values = decode(RLELossless, head + segments, Coded(2, 2, 1, 16, ""))
        assert values.tolist() == [[0x0102] * 2] * 2
        return
    with pytest.raises(CodecError):
        decode(RLELossless, head + segments, Coded(2, 2, 1, 16, ""))


@pytest.mark.parametrize(
    ("stream", "uid"),
    [
        (b"\xff\x4f\xff\x51" + struct.pack(">HH8IH3B", 41, 0, 24, 40, 4, 10, 9, 9, 0, 0, 1,
                                             0x8B, 1, 1), "1.2.840.10008.1.2.4.90"),
        (b"\xff\xd8\xff\xe0\0\4ab\xff\xff\xc3" + struct.pack(">HBHHB", 8, 12, 30, 20, 1),
         "1.2.840.10008.1.2.4.70"),
    ],
    ids=["JPEG 2000", "JPEG"],
)  # fmt: skip
def test_a_stream_says_its_size_and_bits_as_far_as_it_is_there(stream, uid):
    signed = uid.endswith("90")
    assert stream_header(uid, stream) == Stream(30, 20, 1, 12, signed)
    assert stream_header(uid, stream[:-6]) is None
    assert stream_header("1.2.840.10008.1.2.1", stream) is None


def test_a_signed_image_in_an_unsigned_stream_keeps_its_sign(tmp_path):
    """JPEG 2000 streams say themselves whether they are signed, and are often wrong."""
    stream = imagecodecs.jpeg2k_encode(SIGNED.view(np.uint16), codecformat="J2K", reversible=True)
    ds = compressed(image(SIGNED), "1.2.840.10008.1.2.4.90", [stream])
    np.testing.assert_array_equal(values_of(ds, tmp_path), SIGNED)


def refused(ds, tmp_path) -> ReadError:
    with pytest.raises(ReadError) as caught:
        values_of(ds, tmp_path)
    assert caught.value.file == "x.dcm"
    return caught.value


@pytest.mark.parametrize("uid", [*LOSSLESS, RLELossless])
def test_a_damaged_stream_is_refused_by_name(uid, tmp_path):
    encode = LOSSLESS.get(uid, lambda a: b"\2\0\0\0" + b"\x40\0\0\0" + b"\0" * 56 + b"\x7f")
    frame = encode(RAMP)
    damaged = frame[: len(frame) // 3].ljust(40, b"\0")
    error = refused(compressed(image(RAMP), uid, [damaged + b"\0" * (len(damaged) % 2)]), tmp_path)
    assert error.code in ("MV-IO-107", "MV-IO-108")


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.1.2.4.100", "MPEG2 Main Level"),
        ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264"),
        ("1.2.840.10008.1.2.9.99", "an unknown transfer syntax"),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_name_and_number(uid, name, tmp_path):
    ds = compressed(image(RAMP), uid, [b"\0" * 64])
    error = refused(ds, tmp_path)
    assert error.code == "MV-IO-106"
    assert name in error.what
    assert uid in error.what


def test_the_names_of_the_table_are_those_of_the_standard():
    for uid, syntax in SYNTAXES.items():
        if uid in UID_dictionary:
            words = set(syntax.name.lower().replace(",", "").split())
            theirs = set(UID_dictionary[uid][0].lower().replace(",", "").split())
            assert words & theirs, (uid, syntax.name)


@pytest.mark.parametrize(
    ("pixels", "elements", "said"),
    [
        (RAMP, {}, ""),
        (SIGNED, {}, "16 bits with a sign, the image inside 16 bits without a sign"),
        (RAMP, {"BitsStored": 12, "HighBit": 11},
         "12 bits without a sign, the image inside 16 bits without a sign"),
    ],
)  # fmt: skip
def test_a_header_and_a_stream_that_disagree_are_said_with_both_values(
    pixels, elements, said, tmp_path
):
    stream = imagecodecs.jpeg2k_encode(pixels.view(np.uint16), codecformat="J2K", reversible=True)
    ds = compressed(image(pixels, **elements), "1.2.840.10008.1.2.4.90", [stream])
    _, volume = only(write(ds, tmp_path / "x.dcm"))
    assert [note.code for note in volume.warnings] == (["STREAM_DISAGREES"] if said else [])
    assert said in "".join(note.text for note in volume.warnings)


def test_a_jpeg_stream_says_no_sign_and_its_bits_are_compared(tmp_path):
    uid = "1.2.840.10008.1.2.4.80"
    stream = imagecodecs.jpegls_encode(SIGNED.view(np.uint16))
    _, volume = only(write(compressed(image(SIGNED), uid, [stream]), tmp_path / "x.dcm"))
    assert volume.warnings == ()


def test_bits_of_another_family_of_streams_are_compared_too(tmp_path):
    stream = imagecodecs.jpegls_encode(RAMP)
    ds = image(RAMP, BitsStored=12, HighBit=11)
    _, volume = only(write(compressed(ds, "1.2.840.10008.1.2.4.80", [stream]), tmp_path / "x.dcm"))
    assert [note.code for note in volume.warnings] == ["STREAM_DISAGREES"]


def test_an_error_that_a_decoder_cannot_raise_is_no_image():
    """A damaged HTJ2K stream was an image of which some rows had never been written."""
    frame = imagecodecs.htj2k_encode(RAMP, reversible=True)
    chance = np.random.default_rng(0)
    hooks = sys.unraisablehook, sys.excepthook
    refusals = []
    for _ in range(40):
        damaged = bytearray(frame)
        for at in chance.integers(60, len(frame), 2):
            damaged[at] = chance.integers(0, 256)
        try:
            decode("1.2.840.10008.1.2.4.201", bytes(damaged), Coded(32, 24, 1, 16, ""))
        except CodecError as error:
            refusals.append(str(error))
    # Without a look at what is ignored, 14 are refused, by the reader's own words.
    assert refusals.count("ojph error") > 5
    assert (sys.unraisablehook, sys.excepthook) == hooks


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.90"])
@pytest.mark.parametrize(
    ("at", "value"),
    [(32, 0xFFFFFF7F), (36, 1), (24, 0), (28, 0), (16, 24), (8, 0)],
)
def test_tiles_that_do_not_cover_the_image_are_refused_before_they_are_searched_for(at, value, uid):
    plane = np.zeros((24, 24), np.uint16)
    encode = imagecodecs.htj2k_encode if uid.endswith("201") else imagecodecs.jpeg2k_encode
    options = {} if uid.endswith("201") else {"codecformat": "J2K"}
    stream = bytearray(encode(plane, reversible=True, **options))
    coded = Coded(24, 24, 1, 16, "")
    np.testing.assert_array_equal(decode(uid, bytes(stream), coded), plane)
    stream[at : at + 4] = value.to_bytes(4, "big")
    with pytest.raises(CodecError, match="tiles do not cover"):
        decode(uid, bytes(stream), coded)
