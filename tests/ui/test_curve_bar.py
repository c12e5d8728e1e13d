"""The value under the mouse as a curve."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from ui.fakes import LEFT, NO, hover, type_key

from medview.domain.errors import ReadError
from medview.services import tilting

GRID = geometry_of("LPS", (40, 44, 36), (3.0, 3.0, 3.0))


@pytest.fixture
def curved(head):
    head.press("J")
    draw(head)
    return head


def draw(bench):
    """Let the curve come after the mouse."""
    bench.settle()
    bar = bench.window.curve
    bar._soon.stop()
    bar._draw()
    return bar.plot.curve


def centre(pane):
    return pane.area.center().x(), pane.area.center().y()


def test_the_curve_is_asked_for_and_goes_again(head):
    assert head.window.curve.isHidden()
    head.press("J")
    assert not head.window.curve.isHidden()
    assert head.window.table["view.curve"].isChecked()
    head.press("J")
    assert head.window.curve.isHidden()


def test_it_shows_the_values_under_the_mouse_through_the_slices_of_that_pane(curved):
    pane = curved.pane("upper")
    hover(pane, centre(pane))
    curve = draw(curved)
    volume = curved.session.volume
    point = pane.to_lps(*centre(pane))
    k, _, i = (round(float(n)) for n in volume.geometry.to_index(point))
    assert curve.y.tolist() == volume.array[k, :, i].tolist()
    assert curve.here == curved.frame("upper").slice


def test_without_a_mouse_it_is_at_the_crosshair(curved):
    curve = draw(curved)
    read = curved.app.session.views["main"].point_lps
    volume = curved.session.volume
    k, j, i = (round(float(n)) for n in volume.geometry.to_index(read))
    assert curve.y[k] == volume.array[k, j, i]


def test_a_click_goes_to_the_slice_and_keys_go_on(curved):
    plot = curved.window.curve.plot
    wanted = 31
    x = plot.place(plot.curve, wanted).x()
    at, none = QPointF(x, 40), Qt.MouseButton.NoButton
    for kind, held in (
        (QEvent.Type.MouseButtonPress, LEFT),
        (QEvent.Type.MouseButtonRelease, none),
    ):
        glob = QPointF(plot.mapToGlobal(QPoint(int(x), 40)))
        QApplication.sendEvent(plot, QMouseEvent(kind, at, glob, LEFT, held, NO))
    assert curved.frame().slice == wanted
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert curved.frame().slice == wanted + 1
    QTest.keyClick(plot, Qt.Key.Key_Home)
    assert curved.frame().slice == 0
    assert plot.accessibleDescription().startswith("0 mm: ")


def test_curves_are_kept_copied_and_cleared(curved):
    bar = curved.window.curve
    curved.find(QPushButton, "curve_keep").click()
    hover(curved.pane(), (60, 80))
    draw(curved)
    assert len(bar.plot.kept) == 1
    curved.find(QPushButton, "curve_copy").click()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == "Slice (mm)\tat the mouse\tkept 1"
    assert len(lines) == 41
    assert lines[2].split("\t")[0] == "3"
    curved.find(QPushButton, "curve_clear").click()
    assert bar.plot.kept == ()


def test_kept_curves_go_with_what_they_were_compared_with(curved):
    curved.find(QPushButton, "curve_keep").click()
    curved.show(uid="1.7")
    draw(curved)
    assert curved.window.curve.plot.kept == ()


def test_along_a_turned_plane_other_slices_are_gone_through(curved):
    curved.find(QPushButton, "curve_keep").click()
    tilting.tilt(curved.session, "upper", 20.0)
    draw(curved)
    bar = curved.window.curve
    assert bar.plot.kept == ()
    curved.find(QPushButton, "curve_keep").click()
    curved.find(QPushButton, "curve_copy").click()
    assert len(QGuiApplication.clipboard().text().splitlines()) == len(bar.plot.curve.x) + 1
    tilting.straighten(curved.session)
    draw(curved)
    curved.find(QPushButton, "curve_keep").click()
    curved.find(QPushButton, "curve_copy").click()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 41


def choose_time(bench):
    bench.window.curve.along.set_value("times")
    bench.window.curve.along.changed.emit("times")


def test_one_time_point_is_no_curve_and_says_so(curved):
    choose_time(curved)
    assert curved.window.curve.plot.curve is None
    assert curved.window.curve.plot.note == "This series has one time point only."
    assert curved.jobs.running("read_course") == []


@pytest.fixture
def moving(curved):
    curved.show(phantom_on(GRID), uid="4.1", times=5, time_step_s=2.0)
    choose_time(curved)
    return curved


def test_time_points_are_read_once_and_the_curve_is_one_voxel(moving):
    plot = moving.window.curve.plot
    assert plot.note == "Reading all time points …"
    draw(moving)
    (job,) = moving.jobs.running("read_course")
    course = np.arange(5, dtype=np.float32)[:, None, None, None] + np.zeros(GRID.shape, np.float32)
    job.finish(course)
    curve = draw(moving)
    assert curve.y.tolist() == [0, 1, 2, 3, 4]
    assert curve.x.tolist() == [0, 2, 4, 6, 8]
    hover(moving.pane(), centre(moving.pane()))
    draw(moving)
    assert moving.jobs.running("read_course") == []


def test_a_click_shows_that_time_point(moving):
    (job,) = moving.jobs.running("read_course")
    job.finish(np.zeros((5, *GRID.shape), np.float32))
    draw(moving)
    moving.window.curve.plot.chosen.emit(3)
    assert moving.jobs.last.args[1] == 3


def test_what_cannot_be_read_is_told_and_not_tried_again(moving):
    (job,) = moving.jobs.running("read_course")
    job.fail(ReadError("ends early", file="v.nii"))
    draw(moving)
    assert moving.window.curve.plot.note == "Here is no value over time."
    assert "ends early" in moving.window.notes.texts()[0]
    assert moving.jobs.running("read_course") == []


def test_a_gap_is_no_value(curved):
    volume = replace(curved.session.volume, missing_slices=(3, 4))
    curved.show(volume, uid="5.1")
    curve = draw(curved)
    assert np.isnan(curve.y[[3, 4]]).all()
    curved.window.curve.plot.chosen.emit(3)
    draw(curved)
    assert curved.window.curve.plot.words == "9 mm: –"
    assert not curved.window.curve.grab().isNull()


def test_arrows_in_the_plot_are_its_own(curved):
    plot = curved.window.curve.plot
    plot.setFocus()
    before = curved.frame().slice
    type_key(plot, Qt.Key.Key_Left)
    assert curved.frame().slice == before - 1
