"""A mosaic becomes its slices, each where it lies, or is refused by name."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from dicom_files import catalogue, codes, image, only, write
from hypothesis import given
from hypothesis import strategies as st

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io import readers
from medview.io.dicom_mosaic import read_csa

TILE, TILES, ACROSS = (6, 9), 7, 3


def csa(**tags: list[float]) -> bytes:
    """A CSA header of the second version with numeric tags."""
    out = b"SV10\4\3\2\1" + struct.pack("<2I", len(tags), 77)
    for name, values in tags.items():
        out += name.encode().ljust(64, b"\0") + struct.pack("<i4s3i", 1, b"FD", 4, 6, 77)
        for n in range(6):
            text = f"{values[n]:.8f}".encode() + b"\0" if n < len(values) else b""
            out += struct.pack("<4I", len(text), len(text), 77, len(text))
            out += text.ljust((len(text) + 3) // 4 * 4, b"\0")
    return out


def mosaic(normal: list[float] | None, count: int = TILES, **elements: object):
    rows, columns = TILE
    picture = np.zeros((rows * ACROSS, columns * ACROSS), np.int16)
    for tile in range(TILES):
        down, right = divmod(tile, ACROSS)
        picture[rows * down + 1, columns * right + 2] = 1000 + tile
    # The position is that of the whole picture as if it were one slice about the same centre.
    first = np.array([-100.0, -80.0, 40.0])
    corner = first - (0.5 * (27 - 9) / 2, 0.7 * (18 - 6) / 2, 0)
    ds = image(
        picture, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], SpacingBetweenSlices=2.5,
        ImagePositionPatient=list(corner), **elements,
    )  # fmt: skip
    if normal is not None:
        ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
        header = csa(NumberOfImagesInMosaic=[count], SliceNormalVector=normal)
        ds.add_new(0x00291010, "OB", header + b"\0" * (len(header) % 2))
    return ds


@pytest.mark.parametrize("up", [1, -1])
def test_each_tile_lies_where_its_slice_was(up, tmp_path):
    series, volume = only(write(mosaic([0, 0, up]), tmp_path / "m.dcm"))
    assert codes(series) == []
    assert series.size == (9, 6, 7)
    for k in range(7):
        tile = int(volume.array[k, 1, 2]) - 1000
        place = (-99.0, -79.3, 40 + up * 2.5 * tile)
        np.testing.assert_allclose(volume.geometry.to_mm((k, 1, 2)), place, atol=1e-6)


def test_mosaics_of_a_series_are_times(tmp_path):
    for n in range(3):
        ds = mosaic([0, 0, 1], AcquisitionNumber=n + 1)
        write(ds, tmp_path / f"{7 - n}.dcm")
    (series,) = catalogue(tmp_path).all_series()
    assert (series.times, series.split_by, series.size) == (3, "AcquisitionNumber", (9, 6, 7))
    assert readers.load(Silent(), series, 2).array[3, 1, 2] == 1003


def protocol(centres: list[tuple[float, float, float]]) -> bytes:
    """The lines of a protocol that say where slices lie; what is zero is not written."""
    lines = [
        f"sSliceArray.asSlice[{n}].sPosition.d{axis} = {value:.6f}"
        for n, centre in enumerate(centres)
        for axis, value in zip(("Sag", "Cor", "Tra"), centre, strict=True)
        if value
    ]
    text = "\n".join(lines).encode()
    return text + b" " * (len(text) % 2)


@pytest.mark.parametrize("is_listed_backward", [False, True])
@pytest.mark.parametrize("up", [1, -1])
def test_without_an_image_header_tiles_lie_where_the_protocol_says(
    up, is_listed_backward, tmp_path
):
    ds = mosaic(None)
    centres = [(-97.75, -77.9, 40 + up * 2.5 * tile) for tile in range(TILES)]
    ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    ds.add_new(0x00291020, "OB", protocol(centres[::-1] if is_listed_backward else centres))
    _, volume = only(write(ds, tmp_path / "m.dcm"))
    for k in range(TILES):
        tile = int(volume.array[k, 1, 2]) - 1000
        place = (-99.0, -79.3, 40 + up * 2.5 * tile)
        np.testing.assert_allclose(volume.geometry.to_mm((k, 1, 2)), place, atol=1e-6)


@pytest.mark.parametrize(
    ("normal", "count"),
    [(None, 7), ([0, 0], 7), ([0, 0, 1], 0), ([0, 0, 1], 50), ([0, 0, 1], 10**6)],
)
def test_a_mosaic_that_cannot_be_taken_apart_is_refused_by_name(normal, count, tmp_path):
    with pytest.raises(ReadError, match="mosaic") as caught:
        only(write(mosaic(normal, count), tmp_path / "m.dcm"))
    assert (caught.value.code, caught.value.file) == ("MV-IO-109", "m.dcm")


def test_numbers_of_a_private_header_are_read():
    raw = csa(NumberOfImagesInMosaic=[48], SliceNormalVector=[0, 0.6, 0.8])
    assert read_csa(raw)["SliceNormalVector"] == (0, 0.6, 0.8)


@given(st.integers(0, 500), st.binary(max_size=8))
def test_a_damaged_private_header_gives_what_is_there(at, noise):
    raw = bytearray(csa(NumberOfImagesInMosaic=[48], SliceNormalVector=[0, 0.6, 0.8]))
    raw[at : at + len(noise)] = noise
    assert isinstance(read_csa(bytes(raw)), dict)
    assert isinstance(read_csa(noise), dict)
