"""Requests to end a command, from the first import on."""

import contextlib
import signal
import subprocess
import sys

import pytest

from medview.stopping import Stopped, heed, heeded, interruptible

# A text that is compiled on the way, as a dataclass is, hears the signal.
_IN_EXEC = """
import os, signal, sys
from medview.stopping import interruptible
try:
    with interruptible():
        exec("os.kill(os.getpid(), signal.SIGTERM)")
except KeyboardInterrupt:
    sys.exit(130)
"""

# What is tidied up after the answer, by a thread and at the very end, is not disturbed, either.
_TIDYING = """
import atexit, sys, threading, time
from medview.stopping import interruptible
def late():
    print("late", flush=True)
    time.sleep(0.5)
atexit.register(late)
def tidy():
    time.sleep(0.5)
    print("tidied", flush=True)
try:
    with interruptible(for_good=True):
        print("at work", flush=True)
        time.sleep(300)
except KeyboardInterrupt:
    threading.Thread(target=tidy).start()
    print("said", flush=True)
    sys.exit(130)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_request_to_end_is_an_exception_for_its_time_only(name):
    number = getattr(signal, name)
    # These tests may themselves run under nohup, which ignores one of them.
    here = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(Stopped), interruptible(), interruptible():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, here)


def test_a_request_whose_exception_was_lost_is_heard_at_the_next_look_and_not_for_ever():
    here = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with interruptible():
            heed()
            with contextlib.suppress(Stopped):
                signal.raise_signal(signal.SIGTERM)
            with pytest.raises(Stopped):
                heed()
        heed()
    finally:
        signal.signal(signal.SIGTERM, here)


def ask_as_qt_does():
    """Libshiboken makes an ImportError of whatever is raised while it is imported."""
    with contextlib.suppress(Stopped):
        signal.raise_signal(signal.SIGTERM)
    raise ImportError("libshiboken: could not import module")


def test_an_error_that_a_request_became_is_the_request_and_any_other_stays_itself():
    here = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(ImportError), interruptible(), heeded():
            raise ImportError("no request")
        with pytest.raises(Stopped), interruptible(), heeded():
            ask_as_qt_does()
    finally:
        signal.signal(signal.SIGTERM, here)


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_exit_code_survives_code_that_is_compiled_on_the_way():
    done = subprocess.run([sys.executable, "-c", _IN_EXEC], timeout=300)
    assert done.returncode == 130


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_who_asks_again_while_the_process_ends_changes_nothing(name):
    number = getattr(signal, name)
    line = [sys.executable, "-c", _TIDYING]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for word in (b"at work\n", b"said\n", b"tidied\n", b"late\n"):
            assert process.stdout.readline() == word
            process.send_signal(number)
        assert process.wait(timeout=300) == 130
        assert process.stderr.read() == b""


def test_a_request_that_never_came_leaves_all_as_it_was():
    here = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with interruptible(for_good=True):
            pass
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, here)
