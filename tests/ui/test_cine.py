"""Cine: images and time points played, round and round or to the end."""

import pytest
from phantoms import geometry_of, phantom_on

from medview.domain.errors import ReadError


@pytest.fixture
def short(bench):
    """Five slices, at the third; the clock of the cine is too slow to tick."""
    bench.app.preferences.change(cine_rate=0.1)
    bench.show(phantom_on(geometry_of("LPS", (5, 30, 30), (4.0, 4.0, 4.0))))
    return bench


@pytest.fixture
def moving(bench):
    """Three time points, at the first."""
    bench.app.preferences.change(cine_rate=0.1)
    bench.show(times=3)
    return bench


def steps(bench, count):
    """Take the clock's place."""
    seen = []
    for _ in range(count):
        bench.window.cine.step()
        seen.append(bench.frame().slice)
    return seen


def time_steps(bench, count):
    seen = []
    for _ in range(count):
        bench.window.cine.step()
        if bench.jobs.last.work.endswith("load_and_identify") and not bench.jobs.last.is_over:
            bench.jobs.last.send(bench.session.volume)
            bench.jobs.last.finish("sha")
        seen.append(bench.session.time)
    return seen


def test_c_plays_by_the_clock_and_stops(head, qtbot):
    head.app.preferences.change(cine_rate=30.0)
    first = head.frame().slice
    head.press("C")
    assert head.window.table["cine.play"].isChecked()
    qtbot.waitUntil(lambda: head.frame().slice >= first + 2)
    head.press("C")
    stopped = head.frame().slice
    qtbot.wait(120)
    assert head.frame().slice == stopped
    assert not head.window.table["cine.play"].isChecked()


def test_it_goes_round(short):
    short.press("C")
    assert steps(short, 5) == [3, 4, 0, 1, 2]


def test_or_it_stops_at_the_end(short):
    short.window.table["cine.loops"].trigger()
    short.press("C")
    assert steps(short, 4) == [3, 4, 4, 4]
    assert short.window.cine.reel == ""


def test_the_active_pane_is_played(short):
    short.app.viewing.activate("upper")
    short.press("C")
    before = (short.frame("main").slice, short.frame("upper").slice)
    short.window.cine.step()
    assert (short.frame("main").slice, short.frame("upper").slice) == (before[0], before[1] + 1)


def test_the_rate_is_chosen_and_kept(head):
    head.window.table["cine.rate_24"].trigger()
    assert head.app.preferences.settings.cine_rate == 24.0
    assert head.window.cine._timer.interval() == 42
    on = [key for key, made in head.window.table.actions.items() if made.isChecked()]
    assert [key for key in on if key.startswith("cine.rate")] == ["cine.rate_24"]


def test_another_series_stops_it(head):
    head.press("C")
    head.show(uid="1.7")
    assert head.window.cine.reel == ""


def test_a_film_has_nothing_to_play(bench):
    bench.show(phantom_on(geometry_of("LPS", (1, 30, 30), (4.0, 4.0, 4.0)), modality="DX"))
    assert not bench.window.table["cine.play"].isEnabled()


def test_time_points_are_played_and_the_pane_stays(moving):
    moving.app.viewing.activate("upper")
    moving.app.viewing.maximise("upper")
    moving.press("Alt+C")
    assert time_steps(moving, 4) == [1, 2, 0, 1]
    assert (moving.session.active_pane, moving.session.maximised) == ("upper", "upper")


def test_it_waits_for_a_time_point_that_is_still_being_read(moving):
    moving.press("Alt+C")
    asked = len(moving.jobs.asked)
    for _ in range(4):
        moving.window.cine.step()
    assert len(moving.jobs.asked) == asked + 1
    assert moving.session.time == 0


def test_a_time_point_that_cannot_be_read_ends_it(moving):
    moving.press("Alt+C")
    moving.window.cine.step()
    moving.jobs.last.fail(ReadError("is damaged", file="x"))
    assert moving.window.cine.reel == ""


def test_time_points_of_a_single_volume_cannot_be_played(head):
    assert not head.window.table["cine.times"].isEnabled()


def test_escape_stops_it_and_leaves_the_pane_alone(short):
    short.app.viewing.zoom("main", 2.0)
    before = short.session.views
    short.press("C")
    short.press("Esc")
    assert short.window.cine.reel == ""
    assert short.session.views == before
