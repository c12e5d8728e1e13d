"""Films as PNG, JPEG, TIFF and other pictures: shown, but without letters and millimetres."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from dicom_files import catalogue, codes, marked_slice, only, save, stack
from PIL import Image

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io import radiograph

GREY = (np.arange(60, dtype=np.uint8) * 4).reshape(6, 10)
DEEP = (np.arange(60, dtype=np.uint16) * 500).reshape(6, 10)
COLOUR = np.random.default_rng(7).integers(0, 256, (6, 10, 3), np.uint8)


def picture(path: Path, pixels: np.ndarray, **how: object) -> Path:
    Image.fromarray(pixels).save(path, **how)
    return path


@pytest.mark.parametrize("name", ["f.png", "f.tif", "f.tiff"])
@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8 bit", "16 bit"])
def test_grey_values_are_read_exactly(name, pixels, tmp_path):
    series, volume = only(picture(tmp_path / name, pixels))
    assert (series.format, series.size) == ("film", (10, 6, 1))
    assert (series.times, series.split_by) == (1, None)
    assert codes(series) == ["UNKNOWN_ORIENTATION", "NO_SPACING"]
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array[0], pixels)
    assert volume.geometry.spacing_kind is None
    assert not volume.geometry.orientation_known


def test_sixteen_bits_beyond_the_sign_become_floats(tmp_path):
    _, volume = only(picture(tmp_path / "f.png", DEEP * 2))
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array[0], DEEP * 2)


def bare_tiff(path: Path, pixels: np.ndarray, *more: tuple[int, int]) -> Path:
    """A TIFF of one strip with the usual tags and `more` of one short number each."""
    rows, columns = pixels.shape
    tags = {256: columns, 257: rows, 258: 8 * pixels.itemsize, 259: 1, 262: 1, 277: 1, 278: rows}
    tags |= {273: 8 + 2 + 12 * (9 + len(more)) + 4, 279: pixels.nbytes, **dict(more)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)
    path.write_bytes(head + pixels.tobytes())
    return path


@pytest.mark.parametrize(
    ("pixels", "more"),
    [
        (DEEP.astype(np.uint32) * 140_000, ()),
        (DEEP.astype(np.uint32) * 140_000, ((339, 1),)),
        (DEEP.astype(np.int32) * 70_000 - 2**30, ((339, 2),)),
    ],
)
def test_whole_numbers_of_32_bits_keep_their_size_and_sign(pixels, more, tmp_path):
    _, volume = only(bare_tiff(tmp_path / "f.tif", pixels, *more))
    np.testing.assert_array_equal(volume.array[0], pixels.astype(np.float32))


def test_a_kind_of_tiff_that_is_not_read_is_not_only_called_damaged(tmp_path):
    path = bare_tiff(tmp_path / "f.tif", DEEP.astype(np.float64), (339, 3))
    with pytest.raises(ReadError, match="of a kind that is not read here") as caught:
        only(path)
    assert "PNG" in caught.value.do


def test_a_jpeg_of_a_film_is_grey(tmp_path):
    _, volume = only(picture(tmp_path / "f.jpg", GREY, quality=100))
    assert not volume.is_colour
    np.testing.assert_allclose(volume.array[0], GREY, atol=3)


def test_colour_stays_colour_and_grey_saved_as_colour_becomes_grey(tmp_path):
    _, colour = only(picture(tmp_path / "c.png", COLOUR))
    np.testing.assert_array_equal(colour.array[0], COLOUR)
    _, grey = only(picture(tmp_path / "g.png", np.repeat(GREY[..., None], 3, axis=2)))
    assert not grey.is_colour
    np.testing.assert_array_equal(grey.array[0], GREY)


def test_transparency_and_palettes_are_taken_away(tmp_path):
    clear = np.dstack([COLOUR, np.full((6, 10), 9, np.uint8)])
    _, volume = only(picture(tmp_path / "a.png", clear))
    np.testing.assert_array_equal(volume.array[0], COLOUR)
    Image.fromarray(COLOUR).quantize(8).save(tmp_path / "p.png")
    _, volume = only(tmp_path / "p.png")
    assert volume.array.shape == (1, 6, 10, 3)


@pytest.mark.parametrize(
    ("pixels", "shown"), [(GREY > 100, (GREY > 100) * 255), (np.dstack([GREY, GREY // 2]), GREY)]
)
def test_bits_and_grey_with_transparency_are_grey(pixels, shown, tmp_path):
    _, volume = only(picture(tmp_path / "f.png", pixels))
    np.testing.assert_array_equal(volume.array[0], shown)


@pytest.mark.parametrize(
    ("pixels", "stored", "inverted"), [(GREY, 255 - GREY, False), (DEEP, DEEP, True)]
)
def test_tiffs_in_which_white_is_zero_are_shown_as_they_are_meant(
    pixels, stored, inverted, tmp_path
):
    path = picture(tmp_path / "f.tif", pixels)
    dark, white = (struct.pack("<HHII", 262, 3, 1, n) for n in (1, 0))
    assert not only(path)[1].inverted
    path.write_bytes(path.read_bytes().replace(dark, white))
    _, volume = only(path)
    # Eight bits are turned on reading; of sixteen the values stay, and the picture is turned.
    np.testing.assert_array_equal(volume.array[0], stored)
    assert volume.inverted is inverted


def test_pages_of_a_tiff_are_times(tmp_path):
    pages = [Image.fromarray(GREY + np.uint8(n)) for n in range(3)]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    series, _ = only(tmp_path / "p.tif")
    assert (series.times, series.split_by) == (3, "page")
    np.testing.assert_array_equal(radiograph.load(Silent(), series, 2).array[0], GREY + 2)


def test_pages_of_another_size_are_no_times_and_are_counted(tmp_path):
    """Such as the small picture that a scanner puts behind the large one."""
    sizes = [(8, 6), (4, 3), (8, 6), (2, 2)]
    pages = [Image.new("L", size, 10 * n) for n, size in enumerate(sizes)]
    pages[0].save(tmp_path / "p.tif", save_all=True, append_images=pages[1:])
    series, volume = only(tmp_path / "p.tif")
    assert (series.times, series.size) == (2, (8, 6, 1))
    assert [note.text for note in volume.warnings if note.code == "PAGES_LEFT_OUT"] == [
        "2 pages of the file are of another size than the first; they are left out"
    ]
    assert set(radiograph.load(Silent(), series, 1).array.ravel().tolist()) == {20}


def test_pictures_beside_medical_images_are_left_out(tmp_path):
    save(stack(), tmp_path)
    picture(tmp_path / "icon.png", GREY)
    found = catalogue(tmp_path)
    assert [series.format for series in found.all_series()] == ["dicom"]
    assert [(item.file, item.code) for item in found.skipped] == [("icon.png", "MV-IO-006")]
    assert (found.files, found.read) == (9, 8)


def test_pictures_alone_are_films(tmp_path):
    picture(tmp_path / "a.png", GREY)
    picture(tmp_path / "b.jpg", marked_slice(0).astype(np.uint8))
    found = catalogue(tmp_path)
    assert [series.description for series in found.all_series()] == ["a", "b"]


def png(width: int, height: int, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_picture_that_claims_gigabytes_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(2**20, 2**20, zlib.compress(b"\0" * 2**16)))
    with pytest.raises(ReadError, match="1048576 x 1048576") as caught:
        only(path)
    assert caught.value.code == "MV-IO-105"


@pytest.mark.parametrize("name", ["f.png", "f.jpg", "f.tif"])
def test_a_cut_picture_is_refused_wherever_it_is_cut(name, tmp_path):
    noise = np.random.default_rng(8).integers(0, 256, (40, 40), np.uint8)
    whole = picture(tmp_path / name, noise).read_bytes()
    path = tmp_path / f"cut-{name}"
    refused = 0
    for end in range(8, len(whole) - 40, len(whole) // 12):
        path.write_bytes(whole[:end])
        try:
            only(path)
        except ReadError as error:
            refused += error.code in ("MV-IO-220", "MV-IO-001")
    assert refused >= 10


def test_text_that_calls_itself_a_picture_is_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"nothing of the kind")
    with pytest.raises(ReadError, match="damaged") as caught:
        only(tmp_path / "x.png")
    assert caught.value.code == "MV-IO-220"


def test_a_cut_picture_is_refused_also_after_a_report_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    whole = picture(tmp_path / "f.png", np.arange(1600, dtype=np.uint8).reshape(40, 40))
    path = tmp_path / "cut.png"
    path.write_bytes(whole.read_bytes()[:-60])
    with pytest.raises(ReadError) as caught:
        only(path)
    assert caught.value.code == "MV-IO-220"


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_on_its_side_is_put_upright(turn, suffix, tmp_path):
    upright = np.zeros((24, 40), np.uint8)
    upright[:8, :8] = 250
    upright[:8, 32:] = 120
    # What has to be stored so that turning it gives that; 6 and 8 undo each other.
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    own = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        7: Image.Transpose.TRANSVERSE,
    }  # fmt: skip
    picture = Image.fromarray(upright)
    method = {**back, **own}.get(turn)
    stored = picture if method is None else picture.transpose(method)
    exif = stored.getexif()
    exif[0x0112] = turn
    path = tmp_path / f"film.{suffix}"
    stored.save(path, **({"tiffinfo": {0x0112: turn}} if suffix == "tif" else {"exif": exif}))
    series, volume = only(path)
    assert series.size == (40, 24, 1)
    assert np.abs(volume.array[0].astype(int) - upright).max() <= 12


@pytest.mark.parametrize("name", ["f.jp2", "f.j2k", "f.bmp", "f.gif", "f.webp"])
def test_pictures_of_other_kinds_are_films_with_their_exact_greys(name, tmp_path):
    how = {"lossless": True} if name.endswith("webp") else {}
    series, volume = only(picture(tmp_path / name, GREY, **how))
    assert (series.format, series.size, series.lossy) == ("film", (10, 6, 1), False)
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array[0], GREY)


def test_twelve_bits_of_jpeg_2000_are_not_stretched_to_sixteen(tmp_path):
    path = tmp_path / "f.jp2"
    path.write_bytes(imagecodecs.jpeg2k_encode(DEEP // 8, codecformat="jp2", bitspersample=12))
    _, volume = only(path)
    np.testing.assert_array_equal(volume.array[0], DEEP // 8)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("f.jpg", {}),
        ("f.webp", {}),
        ("f.webp", {"exif": bytes(10)}),
        ("f.jp2", {"irreversible": True, "quality_layers": [4]}),
        ("f.tif", {"compression": "jpeg"}),
    ],
)
def test_a_picture_that_was_compressed_with_loss_says_so(name, how, tmp_path):
    series, volume = only(picture(tmp_path / name, np.tile(GREY, (4, 4)), **how))
    assert "LOSSY" in codes(series)
    assert series.lossy
    assert volume.lossy


@pytest.mark.parametrize("name", ["f.jp2", "f.bmp", "f.gif", "f.webp"])
def test_a_cut_picture_of_another_kind_is_refused(name, tmp_path):
    noise = np.random.default_rng(9).integers(0, 256, (40, 40), np.uint8)
    whole = picture(tmp_path / name, noise).read_bytes()
    path = tmp_path / f"cut-{name}"
    for end in range(20, len(whole) - 40, len(whole) // 8):
        path.write_bytes(whole[:end])
        with pytest.raises(ReadError) as caught:
            only(path)
        assert caught.value.code == "MV-IO-220"


def test_text_that_begins_like_a_bitmap_is_no_picture(tmp_path):
    path = tmp_path / "f.txt"
    path.write_text("BM is a unit of the United States Marine Corps.")
    with pytest.raises(ReadError, match="not a medical image") as caught:
        only(path)
    assert "JPEG 2000, BMP, GIF or WebP" in caught.value.do


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "f.dcm").touch()
    with pytest.raises(ReadError, match="is empty"):
        only(tmp_path / "f.dcm")
