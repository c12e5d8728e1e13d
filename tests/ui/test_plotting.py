"""The painter of small plots."""

from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from medview.ui.plotting import TEXT_PX, plot_painter, small_text


def test_text_is_small_whatever_the_font_of_the_widget():
    image = QImage(40, 40, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    font = small_text(painter)
    assert font.pixelSize() == painter.font().pixelSize() == TEXT_PX
    painter.end()


def test_a_plot_is_painted_with_smooth_lines_and_small_text(qtbot):
    class Plot(QWidget):
        def paintEvent(self, event):  # noqa: N802  # Qt's hook
            painter = plot_painter(self)
            smooth = painter.testRenderHint(QPainter.RenderHint.Antialiasing)
            self.seen = smooth, painter.font().pixelSize()
            painter.end()

    plot = Plot()
    qtbot.addWidget(plot)
    plot.grab()
    assert plot.seen == (True, TEXT_PX)
