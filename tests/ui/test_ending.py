"""Requests to end while a window is open: they leave the loop, before it runs, too."""

import contextlib
import signal

import pytest
from PySide6.QtCore import QEventLoop, QTimer

from medview.stopping import NAMES, Stopped, interruptible
from medview.ui.ending import leaving_when_asked


@pytest.fixture
def plain():
    """Signals as a shell leaves them; these tests may themselves run under nohup."""
    numbers = [getattr(signal, name) for name in NAMES]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("early", [False, True])
def test_a_request_leaves_the_loop_also_where_it_came_before_it(qapp, plain, name, early):
    number, loop = getattr(signal, name), QEventLoop()
    with leaving_when_asked(loop.exit) as asked:
        if early:
            signal.raise_signal(number)
        else:
            QTimer.singleShot(0, lambda: signal.raise_signal(number))
        loop.exec()
    assert asked == [number]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_request_that_was_lost_on_the_way_to_the_window_ends_it_at_once(qapp, plain):
    with interruptible():
        with contextlib.suppress(Stopped):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(Stopped), leaving_when_asked(qapp.exit):
            pytest.fail("the window was opened")


def test_what_whoever_started_us_ignores_stays_ignored(qapp, plain):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with leaving_when_asked(qapp.exit) as asked:
        signal.raise_signal(signal.SIGHUP)
    assert asked == []
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
