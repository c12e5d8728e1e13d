"""What gzip has packed: images open as if they were not packed, and nothing grows without end."""

from __future__ import annotations

import gzip
import io
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from dicom_files import catalogue, image, only, save, stack
from nifti_files import written

from medview.domain.errors import ReadError
from medview.io import sources
from medview.io.gzipped import grows_beyond, unpack

WORDS = b"0123456789" * 20_000


@pytest.mark.parametrize(
    ("packed", "most", "found"),
    [
        (gzip.compress(WORDS), len(WORDS), (WORDS, "whole")),
        (gzip.compress(WORDS) + gzip.compress(b"5") + bytes(9), 10**6, (WORDS + b"5", "whole")),
        (gzip.compress(WORDS), 10, (WORDS[:10], "more")),
        (gzip.compress(WORDS)[:-9], 10**6, (WORDS, "cut")),
        (gzip.compress(WORDS)[:-8] + bytes(8), 10**6, (b"", "damaged")),
        (gzip.compress(WORDS) + b"no gzip", 10**6, (WORDS, "damaged")),
        (b"", 10, (b"", "cut")),
    ],
)  # fmt: skip
def test_bytes_come_out_as_far_as_they_are_wanted_and_sound(packed, most, found):
    data, end = unpack(io.BytesIO(packed), most)
    assert (data if found[0] or end != "damaged" else b"", end) == found


@pytest.mark.parametrize(("most", "more"), [(len(WORDS) - 1, True), (len(WORDS), False)])
def test_how_far_something_grows_is_known_without_holding_it(most, more):
    assert grows_beyond(io.BytesIO(gzip.compress(WORDS)), most) is more


def packed(folder: Path, out: Path) -> Path:
    """The files of a folder, each packed by itself."""
    out.mkdir(parents=True)
    for file in folder.iterdir():
        (out / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 1))
    return out


@pytest.mark.parametrize("archived", [False, True])
def test_packed_dicom_opens_as_if_it_were_not_packed(tmp_path, archived):
    plain = save(stack(), tmp_path / "in")
    folder = packed(plain, tmp_path / "gz")
    archive = Path(shutil.make_archive(str(tmp_path / "s"), "zip", folder))
    series, volume = only(archive if archived else folder)
    expected, unpacked = only(plain)
    np.testing.assert_array_equal(volume.array, unpacked.array)
    assert volume.geometry.same_grid(unpacked.geometry)
    assert (series.uid, series.size) == (expected.uid, expected.size)


def test_packed_dicom_and_nifti_stand_side_by_side(tmp_path):
    folder = packed(save(stack(), tmp_path / "in"), tmp_path / "gz")
    written(folder / "t1.nii.gz")
    found = catalogue(folder)
    assert sorted(series.format for series in found.all_series()) == ["dicom", "nifti"]
    assert not found.skipped


def test_a_packed_file_that_breaks_off_says_how_much_there_is(tmp_path):
    dice = np.random.default_rng(0)
    save([image(dice.integers(0, 999, (64, 64), np.int16))], tmp_path / "in")
    (file,) = packed(tmp_path / "in", tmp_path / "gz").iterdir()
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    assert catalogue(file).read == 1
    with pytest.raises(ReadError, match=r"ends early: \d\d % of the pixel data present"):
        only(file)


def test_a_packed_file_that_does_not_fit_its_checksum_is_refused(tmp_path):
    (file,) = packed(save(stack()[:1], tmp_path / "in"), tmp_path / "gz").iterdir()
    file.write_bytes(file.read_bytes()[:-8] + b"12345678")
    with pytest.raises(ReadError, match=r"\.gz: is damaged: what it holds"):
        catalogue(file)


def test_a_file_that_grows_without_end_is_refused_before_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "ALWAYS_UNPACKED", 2**20)
    (file,) = save(stack()[:1], tmp_path / "in").iterdir()
    engine = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = engine.compress(file.read_bytes()) + engine.compress(bytes(2**24)) + engine.flush()
    (tmp_path / "bomb.dcm.gz").write_bytes(bomb)
    with pytest.raises(ReadError, match=r"bomb\.dcm\.gz: unpacks to more than \d+ MB from 0\.0 MB"):
        catalogue(tmp_path / "bomb.dcm.gz")
    save(stack(), tmp_path / "in")
    found = catalogue(tmp_path)
    assert (found.read, [item.code for item in found.skipped]) == (8, ["MV-IO-012"])
