"""The window under the wheel and the crosshair: what is done, and what the rows say of it."""

from types import SimpleNamespace

import pytest
from ui.fakes import make_bench

from medview.cli.benches import scroll_film, scroll_window, scroll_window_run
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine

CALM = {"wall_ms": [8.0] * 99 + [15.0], "cpu_ms": [6.0] * 100}
FILMS = ("film, window", "film, zoom")
KEYS = ("one pane", "three planes", "crosshair", "crosshair, bare", *FILMS)


def met(**changed):
    seen = dict.fromkeys((*KEYS, "film, first"), CALM) | changed
    return [row.met for row in scroll_window.rows(seen)]


def test_a_window_that_is_quick_enough_meets_every_aim():
    assert set(met()) == {True, None}


@pytest.mark.parametrize("key", KEYS)
def test_each_slow_gesture_is_a_miss(key):
    slow = {"wall_ms": [40.0] * 100, "cpu_ms": [6.0] * 100}
    assert met(**{key: slow}).count(False) == (2 if key in ("one pane", *FILMS) else 1)


def test_every_step_is_painted_and_shows_another_slice(qtbot, qapp, tmp_path):
    """In a window of the tests, so that nothing has to be started."""
    made = make_bench(tmp_path)
    qtbot.addWidget(made.window)
    made.window.show()
    program = SimpleNamespace(app=made.app, qt=qapp)
    volume = scroll_window_run.open_stack(program, (12, 20, 24))
    assert len(made.frame().tints) == 2
    assert len(made.frame().strip) == 12
    watch, slices = scroll_window_run.Watch(program), []

    def act(n):
        made.app.viewing.go_to("main", n % 12)
        slices.append(made.session.views["main"].point_lps)

    found = watch.times(act, 3)
    assert {len(each) for each in found.values()} == {3}
    assert len(set(slices)) == len(slices) == 7
    drag = scroll_window_run.crosshair_drag(program, volume)
    assert len(watch.times(drag, 2)["wall_ms"]) == 2


def test_a_film_is_turned_zoomed_and_moved(qtbot, qapp, tmp_path):
    made = make_bench(tmp_path)
    qtbot.addWidget(made.window)
    made.window.show()
    program = SimpleNamespace(app=made.app, qt=qapp)
    watch, views = scroll_window_run.Watch(program), []
    film = scroll_film.noise_film(2200, 2000)
    assert len(watch.once(lambda: scroll_window_run.on_screen(program, film))["wall_ms"]) == 1
    assert made.frame().part is not None
    for gesture in (scroll_window_run.window_turn, scroll_window_run.zoom_and_pan):
        step = gesture(program)
        watch.times(lambda n, step=step: (step(n), views.append(made.session.views["main"])), 3)
    assert len(set(views)) == 14
    assert {view.window.level for view in views} == {2000.0}
    assert views[-1].zoom > 10


@pytest.mark.slow
def test_a_real_window_is_measured():
    rows = scroll_window.window_rows(
        Context(Options(), ProgressLine(None, on_terminal=False)), True
    )
    assert all(row.value > 0 for row in rows)
