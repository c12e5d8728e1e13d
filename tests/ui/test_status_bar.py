from dataclasses import replace

import pytest
from phantoms import MARK_LPS
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton
from ui.fakes import hover

from medview.services.session_values import Task
from medview.ui.probe import probe, probe_lines


def task(number=1, **fields):
    return Task(number, "Anomaly", lambda: None, **fields)


def texts(bench):
    return " | ".join(
        each.text() for each in bench.window.status.findChildren(QLabel) if each.isVisible()
    )


def test_when_nothing_runs_it_is_ready(bench):
    assert "Ready" in texts(bench)
    assert not bench.find(QProgressBar, "task_bar").isVisible()


def test_a_job_has_title_bar_and_time_left(bench):
    bench.session.tasks = (task(done=96, total=155, text="slice 96 / 155", seconds_left=8.2),)
    assert "Anomaly · slice 96 / 155" in texts(bench)
    assert "8 s left" in texts(bench)
    bar = bench.find(QProgressBar, "task_bar")
    assert (bar.value(), bar.maximum()) == (96, 155)


def test_a_job_that_says_nothing_is_said_to(bench):
    bench.session.tasks = (task(done=1, total=9, is_silent=True),)
    assert "no answer for a while" in texts(bench)


def test_a_job_that_was_stopped_is_said_to_be_cancelled_until_the_next(bench):
    running = task(done=3, total=9)
    bench.session.tasks = (running,)
    bench.session.tasks = (replace(running, is_cancelled=True),)
    bench.session.tasks = ()
    assert "Anomaly: cancelled" in texts(bench)
    bench.session.tasks = (task(2),)
    bench.session.tasks = ()
    assert "Ready" in texts(bench)


def test_cancel_stops_the_job_that_is_shown(bench):
    stopped = []
    running = Task(1, "Anomaly", lambda: stopped.append(1), done=1, total=9)
    waiting = Task(2, "Reading", lambda: stopped.append(2))
    bench.session.tasks = (waiting, running)
    assert "1 more" in texts(bench)
    bench.find(QPushButton, "task_cancel").click()
    assert stopped == [1]


def test_the_research_sentence_is_always_there(bench):
    for _ in range(2):
        label = bench.find(QLabel, "research_use")
        assert label.isVisible()
        assert label.text() == "Research use only, not for diagnostic use."
        bench.show()


def test_the_mouse_reads_place_and_every_layer(head):
    head.add_result("score", "total")
    head.app.viewing.set_point(MARK_LPS)
    pane = head.pane()
    head.settle()
    at = pane.pixel_of(*head.frame().cursor)
    hover(pane, (at.x(), at.y()))
    text = head.window.status.probe_text
    assert text.startswith("L 2")
    assert "1000" in text
    assert "score" in text
    assert "total" in text


@pytest.mark.parametrize("kind", ["mask", "labels"])
def test_of_masks_the_line_says_nothing_and_the_words_at_the_mouse_do(head, kind):
    head.add_result("score", "brain")
    made = head.session.results[0]
    masks = tuple(replace(m, kind=kind) if m.name == "brain" else m for m in made.maps)
    head.session.predictions = {head.session.volume_id: (replace(made, maps=masks),)}
    read = probe(head.session, MARK_LPS)
    assert any("brain" in line for line in probe_lines(read))
    head.window.status.show_probe(read)
    assert "score" in head.window.status.probe_text
    assert "brain" not in head.window.status.probe_text


def test_beside_the_pane_it_reads_the_crosshair(head):
    head.app.viewing.set_point(MARK_LPS)
    head.window.mouse.left(head.pane())
    assert head.window.status.probe_text.startswith("L 20.0  A 25.0  H 15.0 mm")


@pytest.mark.parametrize(("device", "text"), [("auto", "Device: automatic"), ("cuda", "cuda")])
def test_the_device_is_the_chosen_one(bench, device, text):
    bench.app.preferences.change(device=device)
    assert bench.find(QLabel, "device").text() == text


def test_after_a_run_the_device_is_the_one_it_ran_on(head):
    head.add_result("score")
    assert head.find(QLabel, "device").text().startswith("CPU")


def test_what_the_mouse_reads_lays_out_nothing_anew(head):
    """With every turn of the wheel the text is another; nothing around it has to move."""
    asked = []

    class Watch(QObject):
        def eventFilter(self, watched, event):  # noqa: N802  # Qt's hook
            if event.type() == QEvent.Type.LayoutRequest:
                asked.append(watched)
            return False

    head.settle()
    watch = Watch()
    for each in (head.window, head.window.status):
        each.installEventFilter(watch)
    before = head.window.status.probe_text
    head.app.viewing.scroll("main", 1)
    head.settle()
    assert head.window.status.probe_text != before
    assert asked == []
    line = head.window.status.findChild(QLabel, "probe")
    assert line.geometry() == line.parentWidget().rect()
