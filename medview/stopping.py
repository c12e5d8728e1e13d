"""Requests to end a command: Ctrl-C, and the polite signals of a system that shuts down."""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 130
# Who asks again after this long does not want to wait for the tidying up.
_PATIENCE_S = 5.0
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
# When requests to end came, since the command began.
_asked: list[float] = []


class Stopped(KeyboardInterrupt):
    """The user stopped the command.

    A class of its own: where a plain KeyboardInterrupt passes through code that is compiled on
    the way, as dataclasses are at their import, CPython notes it and kills the process by SIGINT
    at its end, whatever exit code was asked for (pythonrun.c, run_eval_code_obj).

    Whom it passes may put into `do` how to go on.
    """

    do = ""


@contextmanager
def interruptible(*, for_good: bool = False) -> Iterator[None]:
    """Let a request to end raise `Stopped`, so that children end and half-written files go.

    Further requests are kept back while that happens; with `for_good`, where the process ends
    afterwards, until it has ended. Signals that whoever started us ignores, as ``nohup`` does, or
    that have a handler stay as they are; so a second use inside is none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    plain = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler in plain}
    if before:
        _asked.clear()
    for number in before:
        signal.signal(number, _stop)
    if before and for_good:
        # Registered first, run last: once threads have ended, there is nothing to wait for.
        atexit.register(_deafen, tuple(before))
    try:
        yield
    finally:
        if not (for_good and _asked):
            for number, old in before.items():
                signal.signal(number, old)
            if before:
                _asked.clear()


def heed() -> None:
    """Raise `Stopped` where a request came and its exception was lost, as in a call from Qt."""
    if _asked:
        raise Stopped


@contextmanager
def heeded() -> Iterator[None]:
    """Raise `Stopped` in the place of an error that a request became, as in Qt's imports."""
    try:
        yield
    except Exception:  # whatever a request became; any other error goes on as it is
        heed()
        raise


def way_on(error: BaseException | None) -> str:
    """What a request to end was given to say how to go on, whatever took its place since."""
    while error is not None:
        if isinstance(error, Stopped) and error.do:
            return error.do
        error = error.__cause__ or error.__context__
    return ""


def _deafen(numbers: tuple[int, ...]) -> None:
    """Let no further request change how a process ends that is ending by request."""
    if _asked:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Raise at the first request and lose patience at a late one."""
    if not _asked:
        _asked.append(time.monotonic())
        raise Stopped
    if time.monotonic() - _asked[0] > _PATIENCE_S:
        os._exit(EXIT_CODE)
