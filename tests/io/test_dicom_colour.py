"""Colour comes out as red, green and blue, whatever the file calls it."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from dicom_files import compressed, image, only, write
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageCms
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medview.io.dicom_colour import _unfolded


def rgb_of(ds, tmp_path) -> np.ndarray:
    _, volume = only(write(ds, tmp_path / "x.dcm"))
    assert volume.array.dtype == np.uint8
    return volume.array[0]


def flat(*colour: int) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (4, 6, 3)).copy()


def test_red_green_and_blue_stay_what_they_are(tmp_path):
    np.testing.assert_array_equal(rgb_of(image(flat(200, 30, 7)), tmp_path), flat(200, 30, 7))


@pytest.mark.parametrize(
    ("ybr", "rgb"),
    [
        ((76, 85, 255), (254, 0, 0)),  # red of BT.601 in full range
        ((150, 44, 21), (0, 255, 1)),
        ((29, 255, 107), (0, 0, 254)),
        ((128, 128, 128), (128, 128, 128)),
    ],
)
def test_luminance_and_chrominance_are_turned_into_colour(ybr, rgb, tmp_path):
    ds = image(flat(*ybr), PhotometricInterpretation="YBR_FULL")
    np.testing.assert_allclose(rgb_of(ds, tmp_path)[0, 0].astype(int), rgb, atol=1)


def test_shared_chrominances_are_spread(tmp_path):
    ds = image(flat(0, 0, 0), PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = bytes([100, 120, 128, 128]) * 12
    grey = rgb_of(ds, tmp_path)
    assert grey[0, 0].tolist() == [100] * 3
    assert grey[0, 1].tolist() == [120] * 3


# How red, green and blue become luminance and chrominance, by the standard (PS3.3 C.7.6.3.1.2).
_FULL = [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]]
_PARTIAL = [[0.2568, 0.5041, 0.0979], [-0.1482, -0.2910, 0.4392], [0.4392, -0.3678, -0.0714]]


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize(
    ("name", "matrix", "black"), [("YBR_FULL_422", _FULL, 0), ("YBR_PARTIAL_422", _PARTIAL, 16)]
)
def test_colours_that_are_stored_as_they_are_come_back(name, matrix, black, is_shared, tmp_path):
    """Also where a program has spread the chrominances and calls them shared all the same."""
    rgb = np.random.default_rng(1).integers(0, 256, (4, 3, 3)).repeat(2, axis=1)
    ybr = np.rint(rgb @ np.transpose(matrix) + (black, 128, 128)).clip(0, 255).astype(np.uint8)
    y, chrominance = ybr[..., 0].reshape(-1, 2), ybr[..., 1:].reshape(-1, 2, 2)[:, 0]
    ds = image(ybr, PhotometricInterpretation=name)
    ds.PixelData = (np.hstack((y, chrominance)) if is_shared else ybr).tobytes()
    np.testing.assert_allclose(rgb_of(ds, tmp_path).astype(int), rgb, atol=3)


def test_sixteen_bits_keep_the_upper_eight(tmp_path):
    deep = np.full((4, 6, 3), 0x1234, np.uint16)
    assert rgb_of(image(deep), tmp_path)[0, 0].tolist() == [0x12] * 3


def palette(entries: int, first: int, bits: int, data: list[bytes], index: np.ndarray):
    ds = image(index, PhotometricInterpretation="PALETTE COLOR")
    for name, table in zip(("Red", "Green", "Blue"), data, strict=True):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [entries, first, bits])
        setattr(ds, f"{name}PaletteColorLookupTableData", table)
    return ds


def words(*values: int) -> bytes:
    return np.array(values, "<u2").tobytes()


def test_a_palette_is_looked_up_and_its_ends_hold(tmp_path):
    index = np.array([[0, 5, 6, 7, 255, 200]], np.uint8)
    tables = [words(0, 0x8000, 0xFF00), words(0, 0, 0xFF00), words(0xFF00, 0, 0)]
    found = rgb_of(palette(3, 5, 16, tables, index), tmp_path)
    assert found[0].tolist() == [
        [0, 0, 255], [0, 0, 255], [128, 0, 0], [255, 255, 0], [255, 255, 0], [255, 255, 0],
    ]  # fmt: skip


@pytest.mark.parametrize("entries", [0, 3, 300, 65535])
@pytest.mark.parametrize("size", [0, 2, 6])
def test_a_palette_that_is_not_what_it_says_is_no_crash(entries, size, tmp_path):
    index = np.array([[0, 1, 2, 255]], np.uint8)
    ds = palette(entries, 0, 16, [b"\x00\x80" * (size // 2)] * 3, index)
    assert rgb_of(ds, tmp_path).shape == (1, 4, 3)


def test_a_segmented_table_has_points_lines_and_repeats():
    table = [0, 2, 10, 20, 1, 2, 40, 2, 2, 0, 0]
    # two points, a line of two from 20 to 40, then both segments once more
    assert _unfolded(table, 100) == [10, 20, 30, 40, 10, 20, 30, 40]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        # The second segment again, which lies 6 bytes in; then a line, from where it stands.
        ([0, 1, 5, 0, 2, 10, 20, 2, 1, 6, 0], [5, 10, 20, 10, 20]),
        ([0, 1, 0, 1, 2, 20, 2, 1, 6, 0], [0, 10, 20, 20, 20]),
        ([0, 1, 0, 1, 2, 20, 0, 1, 40, 2, 1, 6, 0], [0, 10, 20, 40, 30, 20]),
        # What lies ahead, between segments or is cut off ends the table.
        ([0, 1, 5, 2, 1, 6, 0, 0, 1, 7], [5]),
        ([0, 1, 5, 2, 1, 2, 0], [5]),
        ([0, 1, 5, 1, 2], [5]),
        ([0, 1, 5, 3, 1, 1], [5]),
    ],
)
def test_repeats_are_of_the_segment_that_they_name(table, values):
    assert _unfolded(table, 100) == values
    assert _unfolded(table, 2) == values[:2]


@pytest.mark.parametrize(
    ("bits", "packed", "shown"),
    [
        (8, bytes([0, 100, 255, 0]), [0, 100, 255]),  # bytes, filled up to an even number
        (8, words(0, 100, 255), [0, 100, 255]),  # bytes in words
        (8, words(0, 100 << 8, 255 << 8), [0, 100, 255]),  # words that call themselves bytes
        (16, words(0, 100 << 8, 255 << 8), [0, 100, 255]),
        (12, words(0, 100 << 4, 255 << 4), [0, 100, 255]),
        (16, words(0, 100, 255), [0, 100, 255]),  # bytes in words that call themselves words
        (16, bytes([0, 100, 255, 0]), [0, 100, 255]),  # bytes that do
    ],
)
def test_a_palette_has_bytes_or_words(bits, packed, shown, tmp_path):
    index = np.array([[0, 1, 2]], np.uint8)
    found = rgb_of(palette(3, 0, bits, [packed] * 3, index), tmp_path)
    assert found[0, :, 0].tolist() == shown


@pytest.mark.parametrize("bits", [8, 16])
def test_a_dark_colour_of_a_deep_palette_stays_dark(bits, tmp_path):
    """How deep the entries are is told by all three colours together."""
    tables = [words(0, 90, 200), words(0, 100 << 8, 255 << 8), words(0, 0, 0)]
    found = rgb_of(palette(3, 0, bits, tables, np.array([[0, 1, 2]], np.uint8)), tmp_path)
    assert found[0].tolist() == [[0, 0, 0], [0, 100, 0], [0, 255, 0]]


@pytest.mark.parametrize(("factor", "bits"), [(1, 16), (1, 8), (256, 16)])
def test_a_segmented_palette_has_bytes_or_words(factor, bits, tmp_path):
    ds = image(np.array([[0, 1, 2, 3]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [4, 0, bits])
        lines = words(0, 1, 10 * factor, 1, 3, 220 * factor)
        setattr(ds, f"Segmented{name}PaletteColorLookupTableData", lines)
    assert rgb_of(ds, tmp_path)[0, :, 1].tolist() == [10, 80, 150, 220]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_palette_of_signed_indices_begins_below_zero(syntax, tmp_path):
    index = np.array([[-3, -2, -1, 0]], np.int16)
    ds = palette(3, -2, 16, [words(0x1000, 0x8000, 0xF000)] * 3, index)
    ds.file_meta.TransferSyntaxUID = syntax
    assert rgb_of(ds, tmp_path)[0, :, 0].tolist() == [16, 16, 128, 240]


@given(st.lists(st.integers(0, 65535), max_size=60), st.integers(1, 65536))
def test_no_segmented_table_runs_in_circles(table, count):
    assert len(_unfolded(table, count)) <= count


@given(st.lists(st.integers(0, 4), max_size=80))
def test_no_table_of_small_segments_runs_in_circles(table):
    assert len(_unfolded(table, 65536)) <= 65536


def test_a_jpeg_of_colours_is_turned_once(tmp_path):
    red = np.broadcast_to(np.array([200, 30, 7], np.uint8), (16, 16, 3)).copy()
    stream = imagecodecs.jpeg8_encode(red, level=100, subsampling="444")
    ds = compressed(image(red, PhotometricInterpretation="YBR_FULL"), "1.2.840.10008.1.2.4.50", [
        stream + b"\0" * (len(stream) % 2)
    ])  # fmt: skip
    np.testing.assert_allclose(rgb_of(ds, tmp_path)[8, 8].astype(int), [200, 30, 7], atol=3)


def test_grey_stays_grey(tmp_path):
    _, volume = only(write(image(np.full((4, 6), 7, np.uint8)), tmp_path / "x.dcm"))
    assert not volume.is_colour


def test_a_colour_profile_is_applied_and_a_broken_one_is_left(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colours = np.random.default_rng(5).integers(0, 256, (4, 6, 3), np.uint8)
    same = rgb_of(image(colours, ICCProfile=srgb), tmp_path)
    np.testing.assert_allclose(same.astype(int), colours, atol=2)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for broken in (b"no profile", srgb[:100], lab):
        np.testing.assert_array_equal(rgb_of(image(colours, ICCProfile=broken), tmp_path), colours)
