import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from ui.fakes import make_bench
from ui.painted import AREA
from ui.stray_windows import Windows
from ui.wrappers import layout_items


@pytest.fixture
def unwatched(qtbot, tmp_path, monkeypatch):
    """The window with real services and jobs that the test answers."""
    # A question at the end of a test would wait for ever.
    for module in ("closing", "commands"):
        monkeypatch.setattr(f"medview.ui.{module}.ask", lambda *_: True)
    made = make_bench(tmp_path)
    qtbot.addWidget(made.window)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    assert layout_items() == []


@pytest.fixture
def bench(unwatched, qapp):
    """The same, with an eye on it.

    A part of it that is shown before it has its parent would flash up and take the keyboard.
    """
    watch = Windows()
    qapp.installEventFilter(watch)
    yield unwatched
    qapp.removeEventFilter(watch)
    assert watch.stray == []


@pytest.fixture
def head(bench):
    """A head with a bright cube on screen."""
    bench.show()
    return bench


@pytest.fixture
def canvas(qapp):
    """A black image, and a painter on it."""
    image = QImage(AREA.size().toSize(), QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    painter = QPainter(image)
    yield image, painter
    painter.end()
