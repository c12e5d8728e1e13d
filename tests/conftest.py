"""Settings of the whole test run."""

import atexit
import gc
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

# Windows are drawn into memory where there is no display.
if sys.platform.startswith("linux") and not (
    os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# A run that was started in the background ignores Ctrl-C, and so would all that it starts;
# tests that interrupt a child need it to listen.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What the program keeps for its user goes to a place of this process's own.
_HOMES = Path(tempfile.mkdtemp(prefix=f"medview-tests-{os.getpid()}-"))
os.environ["MEDVIEW_HOME"] = str(_HOMES)
atexit.register(shutil.rmtree, _HOMES, ignore_errors=True)


def _remove_what_the_killed_left(places):
    """Folders like this process's own whose owner, named in them, lives no more."""
    for left in places.glob("medview-tests-*-*"):
        owner = left.name.split("-")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


_remove_what_the_killed_left(_HOMES.parent)

# Nobody waits for the disk: power does not fail here, and children still write as ever.
os.fsync = lambda file: None

# How long an example takes is no matter of right or wrong, and of the machine. The examples of a
# check are the same every time; `--hypothesis-profile seeking` looks for others.
settings.register_profile("seeking", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("seeking"), derandomize=True)
settings.load_profile("same")

# What never comes is noticed a minute later; five seconds pass on a busy machine as well.
for wait in (QtBot.waitUntil, QtBot.waitExposed, QtBot.waitSignal):
    wait.__kwdefaults__["timeout"] = 60_000


# Folders whose files take longest: begun first, so that no worker is left alone with one of them.
_LONG = ("journeys", "contracts", "cli", "ui", "services", "learning", "io")


def pytest_collection_modifyitems(items):
    """Long files first; within a folder and a file the order stays."""
    here = Path(__file__).parent
    ranks = {here / name: rank for rank, name in enumerate(_LONG)}

    def rank(item):
        return min((ranks[each] for each in item.path.parents if each in ranks), default=len(_LONG))

    items.sort(key=rank)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Nothing of a collection is rubbish: looking for it took a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish():
    """The tests themselves stay to the end: whoever looks for rubbish need not go through them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown():
    """What a test has closed goes with it: Qt would keep it until a loop of events runs again."""
    try:
        return (yield)
    finally:
        core = sys.modules.get("PySide6.QtCore")
        if core is not None and core.QCoreApplication.instance() is not None:
            core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """A test throws the same dice whichever tests ran before it, and so do its fixtures."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True, scope="module")
def _home():
    """What the tests of one file leave in the program's folder is not there for the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDVIEW_HOME", tempfile.mkdtemp(dir=_HOMES))
        yield


@pytest.fixture(scope="session")
def _children():
    """Children of this process's own that no command ends."""
    from lasting import lasting_jobs

    with lasting_jobs() as shared:
        yield shared


@pytest.fixture(scope="module")
def lasting_children(_children):
    """Commands of this module ask the same children, and so do those of other modules."""
    from lasting import asked_by_commands

    with asked_by_commands(_children):
        yield _children
