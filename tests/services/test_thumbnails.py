import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import catalogue_of, on_screen, series_of

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.io import readers
from medview.services import thumbnail_work
from medview.services.session import Session
from medview.services.session_values import Task, VolumeId
from medview.services.thumbnails import Thumbnail, Thumbnails, thumbnail_of

MADE = Thumbnail(np.zeros((4, 4), np.uint8), (1.0, 1.0))
FIRST, SECOND, THIRD = (series_of(uid) for uid in ("1.1", "1.2", "1.3"))


@pytest.fixture
def session():
    return Session()


@pytest.fixture
def thumbnails(session, jobs):
    return Thumbnails(jobs, session)


def opened(session):
    session.catalogue = catalogue_of(FIRST, SECOND, THIRD)
    on_screen(session, uid="1.1")


def test_the_series_on_screen_has_its_picture_without_reading(thumbnails, session):
    opened(session)
    assert set(thumbnails.pictures) == {FIRST.key}


def test_others_are_read_one_after_the_other(thumbnails, session, jobs):
    opened(session)
    assert [job.args for job in jobs.asked] == [(SECOND,)]
    jobs.last.finish(MADE)
    assert jobs.last.args == (THIRD,)
    jobs.last.finish(MADE)
    assert len(jobs.asked) == 2
    assert set(thumbnails.pictures) == {FIRST.key, SECOND.key, THIRD.key}


def test_what_the_reader_asks_for_goes_first(thumbnails, session, jobs):
    opened(session)
    session.tasks = (Task(1, "Reading", lambda: None),)
    assert jobs.asked[0].is_over
    assert len(jobs.asked) == 1
    session.tasks = ()
    assert jobs.last.args == (SECOND,)
    assert not jobs.last.is_over


def test_a_model_that_runs_keeps_no_picture_waiting(thumbnails, session, jobs):
    opened(session)
    session.tasks = (Task(1, "Anomaly", lambda: None),)
    session.running = frozenset({(VolumeId(FIRST.key, "sha"), "anomaly@1.0")})
    assert jobs.last.args == (SECOND,)
    assert not jobs.last.is_over
    session.tasks = (*session.tasks, Task(2, "Reading", lambda: None))
    assert jobs.last.is_over


def test_a_series_that_cannot_be_read_is_passed_over(thumbnails, session, jobs):
    opened(session)
    jobs.last.fail(ReadError("ends early"))
    assert jobs.last.args == (THIRD,)
    assert SECOND.key not in thumbnails.pictures
    assert session.message is None


def test_each_arrival_is_told(thumbnails, session, jobs):
    told = []
    thumbnails.arrived.connect(told.append)
    opened(session)
    jobs.last.finish(MADE)
    assert told == [FIRST.key, SECOND.key]


def test_a_new_catalogue_forgets_the_pictures_of_the_old(thumbnails, session, jobs):
    opened(session)
    session.catalogue = catalogue_of(series_of("9.9"))
    assert thumbnails.pictures == {}


def test_the_picture_is_small_and_keeps_proportions():
    volume = phantom_on(geometry_of("LPS", (9, 600, 500), (5.0, 0.4, 0.2)))
    made = thumbnail_of(volume)
    assert max(made.pixels.shape) < 400
    assert made.pixel_mm[1] / made.pixel_mm[0] == pytest.approx(2.0)


def test_of_a_dicom_series_only_the_middle_slice_is_read(monkeypatch):
    asked = []

    def load(job, series, time=0):
        asked.append(series)
        return Volume(np.ones(series.geometry.shape, np.int16), series.geometry)

    monkeypatch.setattr(readers, "load", load)
    series = series_of("1.1", format="dicom", slots=tuple((k, 0) for k in range(16)))
    made = thumbnail_work.thumbnail(Silent(), series)
    assert asked[0].slots == ((8, 0),)
    assert asked[0].geometry.to_mm((0, 0, 0)) == pytest.approx(series.geometry.to_mm((8, 0, 0)))
    assert made.pixels.shape == (20, 24)


def test_other_formats_are_read_as_a_whole(monkeypatch):
    asked = []

    def load(job, series, time=0):
        asked.append(series)
        return phantom_on(series.geometry)

    monkeypatch.setattr(readers, "load", load)
    series = series_of("1.1", format="nifti")
    thumbnail_work.thumbnail(Silent(), series)
    assert asked == [series]


def test_the_picture_of_a_large_film_is_made_of_its_coarse_pixels():
    grid = geometry_of("LIP", (1, 3000, 2000), (1.0, 0.1, 0.1))
    array = np.zeros(grid.shape, np.int16)
    array[:, :1500, :1000] = 100
    made = thumbnail_of(Volume(array, grid, modality="DX"))
    assert 150 < max(made.pixels.shape) < 400
    rows, columns = made.pixels.shape
    assert rows / columns == pytest.approx(1.5, abs=0.02)
    assert rows * made.pixel_mm[1] == pytest.approx(300, rel=0.02)
    bright = made.pixels > made.pixels.mean()
    assert bright[: rows // 2 - 1, : columns // 2 - 1].all()
    assert not bright[rows // 2 + 1 :].any()
