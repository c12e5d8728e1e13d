"""Graphics of the file lie where their origin says, cut off where the image ends."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from dicom_files import image, marked_slice, only, save, stack, write
from pydicom.uid import ExplicitVRBigEndian

from medview.domain.progress import Silent
from medview.io import readers


def with_graphic(ds, mask: np.ndarray, *, group: int = 0x6000, origin=(1, 1), **elements: object):
    """Add an overlay group; `mask` is (rows, columns) or (frames, rows, columns)."""
    rows, columns = mask.shape[-2:]
    for element, vr, value in (
        (0x10, "US", rows), (0x11, "US", columns), (0x40, "CS", "G"), (0x50, "SS", list(origin)),
        (0x100, "US", 1), (0x102, "US", 0),
    ):  # fmt: skip
        ds.add_new(group << 16 | element, vr, value)
    if mask.ndim == 3:
        ds.add_new(group << 16 | 0x15, "IS", str(len(mask)))
        ds.add_new(group << 16 | 0x51, "US", elements.get("first", 1))
    packed = np.packbits(mask.ravel(), bitorder="little").tobytes()
    ds.add_new(group << 16 | 0x3000, "OW", packed + b"\0" * (len(packed) % 2))
    return ds


def graphics(ds, tmp_path) -> np.ndarray:
    _, volume = only(write(ds, tmp_path / "g.dcm"))
    return volume.graphics[0] if len(volume.graphics) == 1 else volume.graphics


CROSS = np.zeros((3, 5), bool)
CROSS[1, :] = CROSS[:, 2] = True


def expected(row: int, column: int) -> np.ndarray:
    """The cross with its middle at a place of the 6 x 9 image."""
    big = np.zeros((60, 60), bool)
    big[20 + row - 1 : 20 + row + 2, 20 + column - 2 : 20 + column + 3] = CROSS
    return big[20:26, 20:29]


@pytest.mark.parametrize(
    ("origin", "middle"),
    [((1, 1), (1, 2)), ((3, 4), (3, 5)), ((0, 0), (0, 1)), ((5, 8), (5, 9)), ((-1, 7), (-1, 8))],
)
def test_a_graphic_lies_where_its_origin_says(origin, middle, tmp_path):
    ds = with_graphic(image(marked_slice(0)), CROSS, origin=origin)
    np.testing.assert_array_equal(graphics(ds, tmp_path), expected(*middle))
    # pydicom unpacks the same bits.
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "g.dcm").overlay_array(0x6000), CROSS)


def test_several_groups_are_seen_together_and_a_graphic_may_be_larger_than_the_image(tmp_path):
    ds = with_graphic(image(marked_slice(0)), CROSS, group=0x6002, origin=(3, 4))
    whole = np.zeros((40, 40), bool)
    whole[12, 13] = True
    with_graphic(ds, whole, group=0x601E, origin=(-7, -9))
    both = expected(3, 5)
    both[4, 3] = True
    np.testing.assert_array_equal(graphics(ds, tmp_path), both)


def test_a_graphic_of_bits_that_hold_no_value_is_found_and_the_values_stay_clean(tmp_path):
    pixels = np.full((6, 9), 300, np.uint16)
    pixels[2, 3] |= 0x8000
    ds = image(pixels, BitsStored=12, HighBit=11)
    for element, value in ((0x10, 6), (0x11, 9), (0x100, 16), (0x102, 15)):
        ds.add_new(0x60000000 | element, "US", value)
    ds.add_new(0x60000050, "SS", [1, 1])
    _, volume = only(write(ds, tmp_path / "g.dcm"))
    assert np.argwhere(volume.graphics[0]).tolist() == [[2, 3]]
    assert set(volume.array.ravel().tolist()) == {300}


def test_frames_have_their_own_graphics(tmp_path):
    masks = np.zeros((2, 6, 9), bool)
    masks[0, 1, 1] = masks[1, 4, 4] = True
    ds = image(np.concatenate([marked_slice(k) for k in range(4)]), Rows=6, NumberOfFrames=4)
    ds.Modality, ds.SOPClassUID = "US", "1.2.840.10008.5.1.4.1.1.3.1"
    del ds.ImagePositionPatient, ds.ImageOrientationPatient
    with_graphic(ds, masks, first=2)
    (series,) = readers.scan(Silent(), (write(ds, tmp_path / "g.dcm"),)).all_series()
    found = [readers.load(Silent(), series, t).graphics for t in range(4)]
    assert [None if f is None else np.argwhere(f[0]).tolist() for f in found] == [
        None, [[1, 1]], [[4, 4]], None,
    ]  # fmt: skip


def test_big_endian_graphics_are_turned(tmp_path):
    ds = with_graphic(image(marked_slice(0)), CROSS)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    ds["PixelData"].VR = "OW"
    for tag in (0x7FE00010, 0x60003000):
        ds[tag].value = np.frombuffer(ds[tag].value, "u2").byteswap().tobytes()
    np.testing.assert_array_equal(graphics(ds, tmp_path), expected(1, 2))


@pytest.mark.parametrize(
    "change",
    [{0x10: 60000}, {0x11: 0}, {0x102: 3}, {0x50: [32767, 32767]}],
)  # fmt: skip
def test_a_graphic_that_is_not_what_it_says_is_left_out(change, tmp_path):
    ds = with_graphic(image(marked_slice(0)), CROSS)
    for element, value in change.items():
        vr = {0x15: "IS", 0x50: "SS"}.get(element, "US")
        ds.add_new(0x60000000 | element, vr, value)
    if 0x102 in change:
        del ds[0x60003000]
    _, volume = only(write(ds, tmp_path / "g.dcm"))
    assert volume.graphics is None
    assert volume.array[0, 1, 2] == 1000


def test_graphics_of_one_slice_lie_on_the_grid_of_the_stack(tmp_path):
    datasets = stack()
    with_graphic(datasets[5], CROSS)
    _, volume = only(save(datasets, tmp_path))
    assert {k for k, _, _ in np.argwhere(volume.graphics)} == {5}
    assert not volume.graphics.flags.writeable
