"""A decoder that crashes, hangs or swells loses its own slice, and the others are decoded."""

from __future__ import annotations

import mmap
import os
import signal
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from running import children, is_running, soon

from medview.domain.errors import ReadError
from medview.io import crew
from medview.io.crew import Order, decoded_apart


class Panic(BaseException):
    """What decoders written in Rust raise: no Exception."""


def shared(count: int) -> np.ndarray:
    """Numbers in memory that forked processes share."""
    return np.frombuffer(mmap.mmap(-1, 8 * count), np.int64)


def run(count: int, trouble: dict[int, object], **how: object) -> tuple[dict[int, object], list]:
    """Decode slices that note their number; `trouble` is what happens at some of them."""
    seen = shared(count)

    def decode(k: int) -> None:
        if k in trouble:
            trouble[k]()
        seen[k] = k + 1

    results = [r for r in decoded_apart(Order(range(count), 0), decode, **how) if r is not None]
    return dict(results), seen.tolist()


def refuse() -> None:
    raise ReadError("is damaged", file="x.dcm")


def panic() -> None:
    raise Panic


def test_every_slice_is_decoded_into_the_same_memory():
    results, seen = run(50, {})
    assert results == dict.fromkeys(range(50))
    assert seen == list(range(1, 51))


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (os.abort, "signal 6"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "signal 11"),
        (panic, "exit code 1"),
        (lambda: os._exit(7), "exit code 7"),
        (lambda: np.ones(4 * 2**30 // 8).sum(), "exit code 1"),
    ],
    ids=["abort", "segfault", "panic", "exit", "ten gigabytes"],
)
def test_a_worker_that_dies_loses_its_slice_only(trouble, words, capfd):
    results, seen = run(20, {4: trouble, 11: trouble}, room=2**30)
    assert {k for k, error in results.items() if error is not None} == {4, 11}
    assert words in results[4]
    assert [n for n, value in enumerate(seen) if value == 0] == [4, 11]
    capfd.readouterr()  # what the dying said


def test_a_worker_that_is_stuck_is_replaced(monkeypatch):
    really = crew._Worker.is_stalled.fget

    def is_stalled(worker):
        # Others may be as late where the machine is busy.
        return 3 in list(worker.at_hand)[:1] and really(worker)

    monkeypatch.setattr(crew, "STALLED_S", 0.5)
    monkeypatch.setattr(crew._Worker, "is_stalled", property(is_stalled))
    results, seen = run(10, {3: lambda: time.sleep(60)})
    assert "took longer" in results[3]
    assert sum(value > 0 for value in seen) == 9


def test_a_slice_that_is_refused_says_why():
    results, _ = run(6, {2: refuse})
    assert isinstance(results[2], ReadError)
    assert results[2].what == "is damaged"
    assert results[3] is None


def test_all_workers_may_die_all_the_time(capfd):
    results, seen = run(6, dict.fromkeys(range(6), os.abort))
    assert all("signal 6" in error for error in results.values())
    assert seen == [0] * 6
    capfd.readouterr()


def test_no_process_is_left_when_the_caller_stops_in_the_middle():
    before = children()
    results = decoded_apart(Order(range(100), 0), lambda k: time.sleep(0.05))
    next(r for r in results if r is not None)
    assert len(children() - before) > 0
    results.close()
    assert children() <= before


def test_the_wanted_slice_comes_first_then_its_neighbours():
    order = Order(range(10), 6)
    assert [order.take() for _ in range(5)] == [6, 5, 7, 4, 8]
    order.around(0)
    assert [order.take() for _ in range(5)] == [0, 1, 2, 3, 9]
    assert len(order) == 0


def test_workers_end_with_their_supervisor(tmp_path: Path):
    note = tmp_path / "pids"
    child = os.fork()
    if child == 0:
        for _ in decoded_apart(Order(range(4), 0), lambda k: time.sleep(600)):
            pids = [str(p.pid) for p in psutil.Process().children()]
            note.write_text(" ".join(pids))
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    pids = [int(pid) for pid in note.read_text().split()]
    assert pids
    assert soon(lambda: not any(is_running(pid) for pid in pids))
