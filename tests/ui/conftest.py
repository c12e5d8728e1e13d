import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from ui.fakes import make_bench


@pytest.fixture
def bench(qtbot, tmp_path):
    """The window with real services and jobs that the test answers."""
    made = make_bench(tmp_path)
    qtbot.addWidget(made.window)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.session.tasks = ()


@pytest.fixture
def head(bench):
    """A head with a bright cube on screen."""
    bench.show()
    return bench
