"""NRRD and MetaImage: their place is that of SimpleITK, their headers are not believed."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from dicom_files import codes, only

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io import metaimage

VALUES = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4)  # (k, j, i)
TURNED = (0.0, 1, 0, 0, 0, 1, 1, 0, 0)


def image(values: np.ndarray = VALUES, *, vector: bool = False) -> SimpleITK.Image:
    made = SimpleITK.GetImageFromArray(values, isVector=vector)
    if made.GetDimension() == 3:
        made.SetSpacing((0.5, 0.7, 2.5))
        made.SetOrigin((-100, -80, 40))
        made.SetDirection(TURNED)
    return made


def written(path: Path, made: SimpleITK.Image | None = None, *, packed: bool = False) -> Path:
    SimpleITK.WriteImage(made or image(), str(path), packed)
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["v.nrrd", "v.mha", "v.mhd", "v.nhdr"])
def test_each_voxel_has_its_value_and_its_place(name, packed, tmp_path):
    path = written(tmp_path / name, packed=packed)
    series, volume = only(path)
    assert codes(series) == []
    np.testing.assert_array_equal(volume.array, VALUES)
    assert volume.array.dtype == np.int16
    place = image().TransformIndexToPhysicalPoint((3, 1, 0))
    np.testing.assert_allclose(volume.geometry.to_mm((0, 1, 3)), place, atol=1e-9)


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("name", ["v.nrrd", "v.mha"])
def test_every_type_of_number_is_read(name, kind, tmp_path):
    _, volume = only(written(tmp_path / name, image(VALUES.astype(kind))))
    np.testing.assert_array_equal(volume.array, VALUES)


def test_a_header_and_its_data_file_are_one_image(tmp_path):
    written(tmp_path / "v.mhd")
    series, _ = only(tmp_path)
    assert sorted(path.name for path in series.files) == ["v.mhd", "v.raw"]


def test_floats_stay_floats_and_colours_stay_colours(tmp_path):
    _, volume = only(written(tmp_path / "f.nrrd", image(VALUES / np.float32(3))))
    assert volume.array.dtype == np.float32
    colours = np.random.default_rng(4).integers(0, 256, (2, 3, 4, 3), np.uint8)
    _, volume = only(written(tmp_path / "c.mha", image(colours, vector=True)))
    np.testing.assert_array_equal(volume.array, colours)


def test_a_fourth_dimension_is_time(tmp_path):
    values = np.arange(3 * 24, dtype=np.int16).reshape(3, 2, 3, 4)
    series, _ = only(written(tmp_path / "v.nrrd", image(values)))
    assert series.times == 3
    np.testing.assert_array_equal(metaimage.load(Silent(), series, 2).array, values[2])


def test_a_flat_picture_has_no_orientation(tmp_path):
    series, volume = only(written(tmp_path / "v.mha", image(VALUES[0])))
    assert codes(series) == ["UNKNOWN_ORIENTATION"]
    assert volume.geometry.shape == (1, 3, 4)


NRRD = """NRRD0004
type: {type}
dimension: 3
sizes: {sizes}
encoding: {encoding}
endian: little
{extra}
"""
META = """NDims = 3
DimSize = {sizes}
ElementType = {type}
ElementSpacing = 1 1 1
{extra}
ElementDataFile = {file}
"""


def nrrd(path: Path, *, sizes: str = "4 3 2", kind: str = "short", encoding: str = "raw",
         extra: str = "", data: bytes = VALUES.tobytes()) -> Path:  # fmt: skip
    text = NRRD.format(type=kind, sizes=sizes, encoding=encoding, extra=extra).rstrip("\n")
    path.write_bytes(text.encode() + b"\n\n" + data)
    return path


def meta(path: Path, *, sizes: str = "4 3 2", kind: str = "MET_SHORT", file: str = "LOCAL",
         extra: str = "BinaryData = True", data: bytes = VALUES.tobytes()) -> Path:  # fmt: skip
    path.write_bytes(META.format(sizes=sizes, type=kind, extra=extra, file=file).encode() + data)
    return path


@pytest.mark.parametrize(
    "elsewhere",
    ["/etc/passwd", "../secret.raw", "..", "sub/x.raw", "http://host/x.raw", "C:\\x.raw",
     "LIST", "x%03d.raw 1 2 1"],
)  # fmt: skip
@pytest.mark.parametrize("make", ["nrrd", "meta"])
def test_pixels_elsewhere_are_never_opened(make, elsewhere, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.raw").write_bytes(VALUES.tobytes())
    if make == "nrrd":
        path = nrrd(tmp_path / "v.nhdr", extra=f"data file: {elsewhere}", data=b"")
    else:
        path = meta(tmp_path / "v.mhd", file=elsewhere, data=b"")
    with pytest.raises(ReadError) as caught:
        only(path)
    assert caught.value.code == "MV-IO-211"
    assert caught.value.file == path.name


def test_a_link_to_a_file_elsewhere_is_not_followed(tmp_path):
    outside = tmp_path / "outside.raw"
    outside.write_bytes(VALUES.tobytes())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "v.raw").symlink_to(outside)
    path = meta(tmp_path / "in" / "v.mhd", file="v.raw", data=b"")
    with pytest.raises(ReadError, match="are not there"):
        only(path)


@pytest.mark.parametrize(
    "sizes", ["100000 100000 100000", "4 3 3", "4 3", "4 3 -2", "0 3 2", "4 3 x", "", "9" * 30]
)
def test_sizes_that_the_file_cannot_hold_are_refused_before_memory_is_taken(sizes, tmp_path):
    for path in (nrrd(tmp_path / "v.nrrd", sizes=sizes), meta(tmp_path / "v.mha", sizes=sizes)):
        with pytest.raises(ReadError) as caught:
            only(path)
        assert caught.value.code in ("MV-IO-210", "MV-IO-105")


def test_a_packed_file_that_claims_too_much_is_refused(tmp_path):
    path = nrrd(
        tmp_path / "v.nrrd", sizes="4000 4000 400", encoding="gzip",
        data=gzip.compress(VALUES.tobytes()),
    )  # fmt: skip
    with pytest.raises(ReadError, match="claims"):
        only(path)


@pytest.mark.parametrize("kind", ["", "block", "quaternion"])
def test_an_unknown_type_is_refused(kind, tmp_path):
    with pytest.raises(ReadError, match="unknown type"):
        only(nrrd(tmp_path / "v.nrrd", kind=kind))


def test_a_cut_packed_file_is_refused(tmp_path):
    noise = np.random.default_rng(6).integers(0, 30000, (8, 30, 40), np.int16)
    path = written(tmp_path / "v.nrrd", image(noise), packed=True)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(ReadError) as caught:
        only(path)
    assert caught.value.code == "MV-IO-210"


@pytest.mark.parametrize("content", [b"NRRD0004\n", b"NRRD0004\n\n", b"NRRD0", b"NDims = 3\n"])
def test_an_unfinished_header_is_refused(content, tmp_path):
    for name in ("v.nrrd", "v.mha"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ReadError):
            only(tmp_path / name)


# ------------------------------------------------------------- what a header does not say

PLAIN_NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 3 2\nendian: little\nencoding: raw\n"
DIRECTED = "space: left-posterior-superior\nspace directions: (2,0,0) (0,3,0) (0,0,4)\n"
PLAIN_META = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 4 3 2\nElementType = MET_SHORT\n"
)
TURN = "TransformMatrix = 1 0 0 0 1 0 0 0 1\n"
SIZED = "ElementSpacing = 2 3 4\n"
HERE = "ElementDataFile = LOCAL\n"


def by_hand(path: Path, text: str) -> Path:
    end = "\n" if path.suffix == ".nrrd" else ""
    path.write_bytes((text + end).encode() + VALUES.tobytes())
    return path


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("v.nrrd", PLAIN_NRRD + DIRECTED, []),
        ("v.nrrd", PLAIN_NRRD + DIRECTED + 'space units: "mm" "mm" "mm"\n', []),
        ("v.nrrd", PLAIN_NRRD + DIRECTED + 'space units: "px" "px" "px"\n', ["NO_SPACING"]),
        ("v.nrrd", PLAIN_NRRD + "spacings: 2 3 4\n", ["UNKNOWN_ORIENTATION"]),
        ("v.nrrd", PLAIN_NRRD + "spacings: nan 3 4\n", ["UNKNOWN_ORIENTATION", "NO_SPACING"]),
        ("v.nrrd", PLAIN_NRRD, ["UNKNOWN_ORIENTATION", "NO_SPACING"]),
        ("v.mha", PLAIN_META + TURN + SIZED + HERE, []),
        ("v.mha", PLAIN_META + SIZED + HERE, ["UNKNOWN_ORIENTATION"]),
        ("v.mha", PLAIN_META + HERE, ["UNKNOWN_ORIENTATION", "NO_SPACING"]),
    ],
)  # fmt: skip
def test_what_a_header_does_not_say_is_not_made_up(name, text, said, tmp_path):
    series, volume = only(by_hand(tmp_path / name, text))
    assert codes(series) == said
    np.testing.assert_array_equal(volume.array, VALUES)
    assert volume.geometry.orientation_known == ("UNKNOWN_ORIENTATION" not in said)
    assert (volume.geometry.spacing_kind is None) == ("NO_SPACING" in said)


def test_metres_become_millimetres(tmp_path):
    text = PLAIN_NRRD + DIRECTED + 'space units: "m" "m" "m"\nspace origin: (0.1,0,0)\n'
    _, volume = only(by_hand(tmp_path / "v.nrrd", text))
    assert volume.geometry.spacing_mm == (4000, 3000, 2000)
    assert volume.geometry.affine[0, 3] == 100


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "v.nrrd",
            PLAIN_NRRD.replace("raw", "bzip2") + DIRECTED,
            "packed as bzip2, which cannot be unpacked",
        ),
        ("v.mha", PLAIN_META.replace("True", "False") + HERE, "holds its pixels as text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(name, text, why, tmp_path):
    with pytest.raises(ReadError, match=why):
        only(by_hand(tmp_path / name, text))
