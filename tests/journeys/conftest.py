"""The program as a reader starts it."""

import pytest

from medview.main import build
from medview.services.settings import Preferences


@pytest.fixture
def program(qtbot, tmp_path, monkeypatch):
    """All of it with its window on screen, settings of its own, and real children."""
    monkeypatch.setattr("medview.ui.closing.ask", lambda *_: True)
    made = build(Preferences(tmp_path / "settings.json"))
    qtbot.addWidget(made.app.window)
    with qtbot.waitExposed(made.app.window):
        made.app.window.show()
    yield made
    made.close()
