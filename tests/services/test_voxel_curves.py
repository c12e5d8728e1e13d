"""Time points for a curve are read once, and let go with the folder."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from services.stubs import StubJobs, catalogue_of, series_of

from medview.domain.errors import ReadError
from medview.imaging.view import View
from medview.services.session import Session
from medview.services.voxel_curves import VoxelCurves

GRID = geometry_of("LPS", (6, 5, 4), (3.0, 2.0, 1.0))
COURSE = np.arange(3, dtype=np.float32)[:, None, None, None] + np.zeros(GRID.shape, np.float32)


@pytest.fixture
def desk():
    session, jobs = Session(), StubJobs()
    series = replace(series_of("1.1", geometry=GRID, times=3), time_step_s=0.5)
    session.catalogue = catalogue_of(series)
    session.series, session.volume = series, phantom_on(GRID)
    point = tuple(float(n) for n in GRID.to_mm((2, 2, 1)))
    session.views = {"main": View(point_lps=point)}
    session.active_pane = "main"
    return session, jobs, VoxelCurves(jobs, session)


def test_time_points_come_by_one_job(desk):
    _, jobs, curves = desk
    heard = []
    curves.changed.connect(lambda: heard.append(True))
    assert curves.has_times("main")
    assert curves.times("main", None) is None
    curves.read("main")
    assert curves.read("main") is None
    assert not curves.is_read("main")
    jobs.last.finish(COURSE)
    assert (heard, curves.is_read("main")) == ([True], True)
    curve = curves.times("main", None)
    assert (curve.x.tolist(), curve.y.tolist()) == ([0, 0.5, 1], [0, 1, 2])


def test_what_was_refused_is_not_asked_for_again(desk):
    _, jobs, curves = desk
    curves.read("main")
    jobs.last.fail(ReadError("ends early", file="v.nii"))
    assert curves.is_read("main")
    assert curves.times("main", None) is None
    assert curves.read("main") is None


def test_another_folder_lets_go_of_all_of_it(desk):
    session, jobs, curves = desk
    curves.read("main")
    jobs.last.finish(COURSE)
    session.catalogue = catalogue_of()
    assert curves.times("main", None) is None
    assert not curves.is_read("main")


def test_of_a_series_with_one_time_point_nothing_is_read(desk):
    session, _, curves = desk
    session.series = series_of("1.2", geometry=GRID)
    assert curves.read("main") is None
    assert not curves.has_times("main")
    assert curves.slices("main", None).y.shape == (6,)
    assert curves.slices("upper", None) is None
