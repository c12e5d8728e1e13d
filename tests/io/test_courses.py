"""All time points of a series in one go."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
from dicom_files import catalogue, only
from phantoms import geometry_of
from PIL import Image

from medview.domain.errors import Cancelled, ReadError
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.io import courses, nifti
from medview.io.courses import read_course
from medview.io.readers import load

GRID = geometry_of("RAS", (4, 5, 6), (2.0, 2.0, 2.0))
TIMES = [np.full((4, 5, 6), n, np.int16) + np.arange(6, dtype=np.int16) for n in (10, 20, 30)]


@pytest.fixture(params=["v.nii", "v.nii.gz"])
def written(tmp_path, request):
    path = tmp_path / request.param
    nifti.write_times([Volume(each, GRID) for each in TIMES], path)
    return path


def test_every_time_point_is_as_it_is_read_alone(written):
    series, _ = only(written)
    course = read_course(Silent(), series)
    assert course.shape == (3, 4, 5, 6)
    for time in range(3):
        np.testing.assert_array_equal(course[time], load(Silent(), series, time).array)


def test_other_formats_are_read_one_by_one(written, monkeypatch):
    series, _ = only(written)
    wanted = read_course(Silent(), series)
    monkeypatch.setattr(courses.nifti, "each_time", None)
    other = replace(series, format="other")
    monkeypatch.setattr(courses, "load", lambda job, _, time: load(job, series, time))
    np.testing.assert_array_equal(read_course(Silent(), other), wanted)


def test_a_file_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "v.nii.gz"
    nifti.write_times([Volume(each, GRID) for each in TIMES], path)
    series, _ = only(path)
    whole = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(whole[:-100]))
    with pytest.raises(ReadError, match="ends early"):
        read_course(Silent(), series)


@pytest.mark.parametrize("count", [2, 4])
def test_a_file_that_has_other_time_points_by_now_is_refused(written, count):
    series, _ = only(written)
    nifti.write_times([Volume(each, GRID) for each in (*TIMES, TIMES[0])[:count]], written)
    with pytest.raises(ReadError, match="has changed since it was listed"):
        read_course(Silent(), series)


def test_what_would_take_too_much_memory_is_refused_before_it_is_read(written, monkeypatch):
    series, _ = only(written)
    monkeypatch.setattr(courses, "MOST_BYTES", 100)
    with pytest.raises(ReadError, match="one by one"):
        read_course(Silent(), series)


def test_each_time_point_is_told_and_all_that_may_be_held_are_read(written, monkeypatch):
    told = []

    class Heard(Silent):
        def report(self, done, total, text=""):
            told.append((done, total))

    series, _ = only(written)
    monkeypatch.setattr(courses, "MOST_BYTES", 3 * 4 * 5 * 6 * 4)
    read_course(Heard(), series)
    assert told[-3:] == [(1, 3), (2, 3), (3, 3)]


def test_pages_of_another_colour_have_no_curve(tmp_path):
    first, second = Image.new("L", (6, 5), 7), Image.new("RGB", (6, 5), (9, 5, 1))
    first.save(tmp_path / "f.tif", save_all=True, append_images=[first, second])
    (series,) = catalogue(tmp_path / "f.tif").all_series()
    assert series.times == 3
    with pytest.raises(ReadError, match=r"f\.tif: has no curve over time"):
        read_course(Silent(), series)


def test_it_can_be_stopped(written):
    class Stopped(Silent):
        def check(self):
            raise Cancelled("stopped")

    series, _ = only(written)
    with pytest.raises(Cancelled):
        read_course(Stopped(), series)
