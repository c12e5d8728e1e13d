"""Words within pixel data are taken out, and the picture stays as it is."""

import imagecodecs
import numpy as np
import pydicom
import pytest
from canaries import CANARY
from coded_pixels import LOSSLESS, RAMP
from dicom_files import image, write
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEGLSLossless

from medview.domain.progress import Silent
from medview.io.bare_pixels import bare_stream
from medview.io.deidentify import deidentify_into

WORDS = CANARY.encode()
SCENE = np.tile(RAMP[:, :8].astype(np.uint8), (4, 8))
STREAMS = {
    "jpeg": (imagecodecs.jpeg8_encode(SCENE), imagecodecs.jpeg8_decode),
    "lossless": (LOSSLESS["1.2.840.10008.1.2.4.70"](RAMP), imagecodecs.ljpeg_decode),
    "jpeg-ls": (LOSSLESS["1.2.840.10008.1.2.4.80"](RAMP), imagecodecs.jpegls_decode),
    "jpeg 2000": (LOSSLESS["1.2.840.10008.1.2.4.90"](RAMP), imagecodecs.jpeg2k_decode),
}


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def with_comment(stream: bytes) -> bytes:
    """The stream with words in its header, where its kind has room for them."""
    if stream.startswith(b"\xff\x4f"):
        at = 4 + int.from_bytes(stream[4:6], "big")
        return stream[:at] + segment(0x64, b"\0\1" + WORDS) + stream[at:]
    words = segment(0xFE, WORDS) + segment(0xE1, b"Exif\0\0" + WORDS)
    return stream[:2] + words + stream[2:]


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_loses_its_words_and_keeps_its_picture(kind):
    stream, decode = STREAMS[kind]
    told = with_comment(stream) + WORDS
    bare = bare_stream(told)
    assert WORDS in decode(told).tobytes() + told
    assert WORDS not in bare
    np.testing.assert_array_equal(decode(bare), decode(stream))


def test_what_decoders_ask_for_the_colours_stays():
    stream = imagecodecs.jpeg8_encode(np.dstack([SCENE] * 3), colorspace="RGB", outcolorspace="RGB")
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
    stream = stream[:2] + adobe + stream[2:]
    assert bare_stream(stream) == stream


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_that_is_cut_short_stays_cut_short(kind):
    stream = STREAMS[kind][0]
    assert bare_stream(with_comment(stream)[:-20]) == bare_stream(stream)[:-20]


def test_every_frame_of_a_copy_is_bare_and_found_by_its_table(tmp_path):
    values = np.stack([RAMP, RAMP[::-1], RAMP // 2])
    coded = [imagecodecs.jpegls_encode(np.ascontiguousarray(frame)) for frame in values]
    before = image(RAMP, NumberOfFrames=3)
    before.file_meta.TransferSyntaxUID = JPEGLSLossless
    before.PixelData = encapsulate([with_comment(frame) for frame in coded])
    before["PixelData"].is_undefined_length = True
    before["PixelData"].VR = "OB"
    write(before, tmp_path / "in.dcm")
    deidentify_into(Silent(), (tmp_path / "in.dcm",), tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.dcm")
    assert WORDS in (tmp_path / "in.dcm").read_bytes()
    assert WORDS not in file.read_bytes()
    after = pydicom.dcmread(file)
    frames = [imagecodecs.jpegls_decode(f) for f in generate_frames(after.PixelData)]
    np.testing.assert_array_equal(frames, values)


def test_what_lies_behind_the_last_pixel_is_not_copied(tmp_path):
    before = image(np.ones((3, 5), np.uint8))
    before.PixelData = before.PixelData + WORDS + b"\0"
    write(before, tmp_path / "in.dcm")
    deidentify_into(Silent(), (tmp_path / "in.dcm",), tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.dcm")
    assert pydicom.dcmread(file).PixelData == b"\1" * 15 + b"\0"
