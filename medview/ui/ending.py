"""Requests to end the program while its window is open: Ctrl-C and the system's polite signals."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

from medview.stopping import NAMES, heed

# Python notices signals only when it gets a turn.
_TURN_MS = 400


@contextmanager
def leaving_when_asked(leave: Callable[[], object]) -> Iterator[list[int]]:
    """Let requests to end leave the event loop; exceptions would be lost in it.

    Gives the signals that came. `leave` is called at each turn of the loop from the first on, as
    a signal may come before the loop runs, which a loop does not notice; ``exit`` of Qt serves,
    ``quit`` would close the window first, which asks back while a model runs. Signals that
    whoever started us ignores stay ignored.

    Raises
    ------
    Stopped
        Where a request came before, and its exception was lost while the window was built.
    """
    asked: list[int] = []

    def leave_if_asked() -> None:
        if asked:
            leave()

    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, lambda came, _: asked.append(came))
    turn = QTimer()
    turn.timeout.connect(leave_if_asked)
    turn.start(_TURN_MS)
    try:
        heed()
        yield asked
    finally:
        turn.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
