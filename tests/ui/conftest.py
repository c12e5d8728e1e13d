import pytest
from ui.fakes import make_bench


@pytest.fixture
def bench(qtbot, tmp_path, monkeypatch):
    """The window with real services and jobs that the test answers."""
    # A question at the end of a test would wait for ever.
    for module in ("window", "commands"):
        monkeypatch.setattr(f"medview.ui.{module}.ask", lambda *_: True)
    made = make_bench(tmp_path)
    qtbot.addWidget(made.window)
    with qtbot.waitExposed(made.window):
        made.window.show()
    return made


@pytest.fixture
def head(bench):
    """A head with a bright cube on screen."""
    bench.show()
    return bench
