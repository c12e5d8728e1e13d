"""What a study took comes back once another folder is on screen."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
from phantoms import geometry_of
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from services.stubs import catalogue_of, series_of
from ui.fakes import make_bench

from medview.domain.overlay import ScalarMap
from medview.domain.progress import Silent
from medview.services.shelf_work import keep

GRID = geometry_of("LPS", (20, 24, 22), (3.0, 2.0, 2.0))


def opened(bench, uid):
    """Open a folder with one series, and have it read."""
    bench.app.library.open((Path("/data") / uid,))
    bench.jobs.last.finish(catalogue_of(replace(series_of(uid, geometry=GRID), study_uid=uid)))
    bench.read()


def over(volume):
    return ScalarMap(
        "Lesion", np.ones(GRID.shape, np.uint8), volume.geometry, kind="mask", title="Lesion"
    )


def test_volume_result_and_what_was_laid_over_it_go_with_the_study(qtbot, tmp_path):
    bench = make_bench(tmp_path, results=tmp_path / "results")
    qtbot.addWidget(bench.window)
    bench.window.show()
    opened(bench, "1.1")
    session, about = bench.session, bench.session.volume_id
    bench.add_result("score")
    (result,) = session.results
    bench.app.shelf.keep(about, result)
    keeping = bench.jobs.running("shelf_work:keep")[0]
    keeping.finish(keep(Silent(), *keeping.args))
    session.laid = {about: (over(session.volume),)}
    session.map_name = "score"
    bench.settle()
    arrays = (session.volume.array, result.maps[0].array, session.laid[about][0].array)
    gone = [weakref.ref(each) for each in arrays]
    del arrays, result, keeping
    opened(bench, "2.1")
    assert session.series.uid == "2.1"
    assert (session.laid, session.predictions) == ({}, {})
    for job in bench.jobs.asked:  # a real one lets go of them when it is over
        job.args, job._calls = (), {}
    bench.settle()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert [each() is None for each in gone] == [True] * 3


def test_a_result_that_no_disk_has_stays(qtbot, tmp_path):
    bench = make_bench(tmp_path, results=tmp_path / "results")
    qtbot.addWidget(bench.window)
    opened(bench, "1.1")
    bench.add_result("score")
    about = bench.session.volume_id
    opened(bench, "2.1")
    assert about in bench.session.predictions
