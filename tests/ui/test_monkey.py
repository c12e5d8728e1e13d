"""What no reader would do, 2,000 times, and a hundred studies opened and closed."""

import gc
import os
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PySide6.QtWidgets import QApplication, QWidget
from services.stubs import catalogue_of
from services.test_arranging import CATALOGUE

from medview.cli.benches.monkey_hand import MonkeyHand

EVENTS = 1200
# One second on a desktop; a shared runner with two cores is given three times as much. The longest
# is the change of the theme, which dresses every widget anew.
STALL_S = 3.0
GROWTH_MB = 50.0


def memory_mb():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def answer(bench):
    """Read whatever was asked for, as the child for files would."""
    bench.jobs.read()
    bench.jobs.asked = [job for job in bench.jobs.asked if not job.is_over][-50:]


@pytest.fixture
def desk(unwatched, monkeypatch):
    # A filter in Python of all events makes each of them slower: nothing here needs it.
    bench = unwatched
    for each in ("getText", "getInt"):
        monkeypatch.setattr(f"PySide6.QtWidgets.QInputDialog.{each}", lambda *a, **k: ("", False))
    bench.window.resize(1000, 700)
    bench.window.open_paths((Path("/data"),))
    bench.jobs.running("scan")[-1].finish(replace(CATALOGUE))
    answer(bench)
    return bench


def test_random_events_raise_nothing_stall_nothing_and_keep_no_memory(desk, monkeypatch):
    raised = []
    monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: raised.append(error))
    hand = MonkeyHand(desk.app, 20261121, QApplication.instance())
    marks = {}

    def told(number):
        answer(desk)
        if number in (EVENTS // 5, EVENTS - 1):
            marks[number] = memory_mb()

    seen = hand.do(EVENTS, told=told)
    assert seen.errors == []
    assert raised == []
    # Time of this thread: what else the machine does is no stall of ours.
    assert max(seen.own_s) < STALL_S
    assert marks[EVENTS - 1] - marks[EVENTS // 5] < GROWTH_MB
    assert min(seen.kinds.values()) > 5
    owners = {each.series.patient_key for each in desk.session.shown.values()}
    assert len(owners) <= 1


def test_a_hundred_studies_opened_and_closed_leave_nothing_behind(desk):
    folders = [replace(CATALOGUE), catalogue_of(*CATALOGUE.patients[1].studies[0].series)]

    def count():
        QApplication.processEvents()
        fds = len(os.listdir("/proc/self/fd"))
        widgets = len(desk.window.findChildren(QWidget))
        return memory_mb(), threading.active_count(), fds, widgets

    for number in range(101):
        desk.window.open_paths((Path(f"/data/{number % 7}"),))
        desk.jobs.running("scan")[-1].finish(replace(folders[number % 2]))
        for _ in range(2):
            answer(desk)
        desk.settle()
        if number == 10:
            before = count()
    after = count()
    assert after[0] - before[0] < GROWTH_MB
    # Fewer is no growth: a thread of a window before this one may end meanwhile.
    grown = [now - then for now, then in zip(after[1:], before[1:], strict=True)]
    assert max(grown) <= 0, grown
