"""Time points: shown in the corner, gone through by slider and keys."""

import pytest
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSlider
from services.stubs import series_of

from medview.ui.identity import time_words


@pytest.fixture
def moving(bench):
    """Four time points two seconds apart, at the first."""
    bench.app.preferences.change(cine_rate=0.1)
    bench.show(times=4, time_step_s=2.0)
    return bench


def arrive(bench):
    bench.jobs.last.send(bench.session.volume)
    bench.jobs.last.finish("sha")
    bench.settle()


def test_a_single_volume_has_no_bar_and_no_time(head):
    assert not head.find(QFrame, "time_bar").isVisible()
    assert not [line for line in head.pane().dress.corners.top_right if "Time" in line]


def test_the_slider_leads_to_a_time_point_and_the_corner_says_it(moving):
    assert moving.find(QFrame, "time_bar").isVisible()
    assert "Time 1 / 4 · 0.0 s" in moving.pane().dress.corners.top_right
    moving.find(QSlider, "time_slider").setValue(2)
    assert moving.session.time == 0
    arrive(moving)
    assert moving.session.time == 2
    assert "Time 3 / 4 · 4.0 s" in moving.pane().dress.corners.top_right
    shown = [made.text() for made in moving.find(QFrame, "time_bar").findChildren(QLabel)]
    assert shown == ["Time 3 / 4 · 4.0 s"]


def test_right_goes_to_the_next_time_point_and_the_slider_follows(moving):
    moving.press("Right")
    arrive(moving)
    assert moving.session.time == 1
    assert moving.find(QSlider, "time_slider").value() == 1
    moving.press("Left")
    assert moving.session.time == 0
    assert moving.find(QSlider, "time_slider").value() == 0


def test_the_slider_stays_under_the_mouse_while_it_is_dragged(moving):
    slider = moving.find(QSlider, "time_slider")
    slider.setSliderDown(True)
    slider.setValue(1)
    arrive(moving)
    slider.setValue(3)
    moving.session.events.volume.emit(moving.session.volume, moving.session.volume)
    assert slider.value() == 3
    arrive(moving)
    slider.setSliderDown(False)
    assert (moving.session.time, slider.value()) == (3, 3)


def test_play_and_a_hand_on_the_slider(moving):
    play = moving.find(QPushButton, "time_play")
    assert play.text().strip() == "Play"
    play.click()
    assert moving.window.cine.reel == "times"
    assert play.text().strip() == "Stop"
    moving.find(QSlider, "time_slider").setValue(3)
    assert moving.window.cine.reel == ""
    assert not play.isChecked()


def test_window_zoom_and_slice_stay_with_the_time(moving):
    moving.app.viewing.zoom("main", 2.0)
    moving.press("Down")
    before = moving.session.views
    moving.press("Right")
    arrive(moving)
    assert moving.session.views == before


def test_volumes_that_are_no_times_are_only_counted():
    echoes = series_of("1.1", times=3, split_by="EchoTime", time_step_s=None)
    assert time_words(echoes, 1) == "Volume 2 / 3"
    assert time_words(series_of("1.1"), 0) == ""
