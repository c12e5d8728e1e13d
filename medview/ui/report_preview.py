"""The report as it would be printed, page below page, drawn again while it is written."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QImage, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from medview.domain.errors import MedviewError
from medview.services.report_order import Preview
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, clear, label, name, styled
from medview.ui.words import tr

# So long after the last change the pages are drawn: between words, not between letters.
_PAUSE_MS = 350
_MARGIN_PX = 16
_SHARE = 0.5
_LEAST_PX = 320
# How much wider than the room a page can be, and in which steps it grows.
_MOST_ZOOM, _STEP = 4.0, 1.25
_CTRL = Qt.KeyboardModifier.ControlModifier
# Fields of the session that a report is made of; the words tell of themselves.
_FIELDS = (
    "volume",
    "volume_id",
    "predictions",
    "unfinished",
    "opinions",
    "key_images",
    "drawings",
    "tables",
    "private",
)


class ReportPreview(QWidget):
    """Pages of the report of the study on screen; hidden until asked for, and idle while hidden.

    ``drawn`` counts the previews that were shown, ``zoom`` is 1 where a page takes all the room.
    """

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "report_preview", tr("Report preview"))
        self._app = app
        self.drawn = 0
        self.zoom = 1.0
        self.pages: tuple[QLabel, ...] = ()
        self._stale = True
        self._made: Preview | None = None
        self._head = label("", "quiet")
        self._badge = label("", "tag")
        self._column = QVBoxLayout()
        self._column.setContentsMargins(*(4 * (_MARGIN_PX,)))
        self._column.setSpacing(_MARGIN_PX)
        self._column.addStretch(1)
        self._scroll = QScrollArea()
        name(self._scroll, "preview_pages", tr("Pages of the report"))
        self._scroll.setWidgetResizable(True)
        self._scroll.setProperty("look", "pane")
        self._scroll.viewport().installEventFilter(self)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._inner = QWidget()
        self._inner.setLayout(self._column)
        self._scroll.setWidget(self._inner)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._above())
        rows.addWidget(self._scroll, 1)
        self.setMinimumWidth(_LEAST_PX)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.draw)
        app.reading.changed.connect(self._on_change)
        app.preferences.changed.connect(self._on_change)
        for field in _FIELDS:
            getattr(app.session.events, field).connect(self._on_change)
        self.hide()

    def _above(self) -> Row:
        """The line over the pages: what they are, how large, and the way out."""
        close = button("×", "preview_close", look="link", tip=tr("Close the preview"))
        close.clicked.connect(self.hide)
        zooms = (
            ("−", "preview_smaller", tr("Smaller pages (Ctrl+wheel)"), lambda: self._by(1 / _STEP)),
            ("+", "preview_larger", tr("Larger pages (Ctrl+wheel)"), lambda: self._by(_STEP)),
            (tr("Fit"), "preview_fit", tr("As wide as there is room"), lambda: self._by(0.0)),
        )
        steps = [self._zoom_button(*each) for each in zooms]
        head = Row(label(tr("Preview"), "strong"), self._badge, 1, self._head, *steps, close)
        head.setContentsMargins(12, 6, 8, 6)
        return head

    def open(self) -> None:
        """Show it with half of the room of the images, and draw."""
        if self.isHidden():
            self.show()
            self._take_room()
        if self._stale:
            self.draw()

    def draw(self) -> None:
        """Have the pages drawn as wide as there is room."""
        if self.isHidden():
            return
        self._pause.stop()
        self._stale = False
        if self._app.reading.preview(self._width_px, self._show, self._fail):
            self._head.setText(tr("drawing …"))
        else:
            clear(self._column)
            self.pages = ()
            self._badge.hide()
            self._head.setText(tr("Open a study to see its report"))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's hook
        """With Ctrl the wheel makes pages larger or smaller instead of going through them."""
        if isinstance(event, QWheelEvent) and event.modifiers() & _CTRL:
            turned = event.angleDelta().y()
            if turned:
                self._by(_STEP if turned > 0 else 1 / _STEP)
            return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Pages of another width are drawn again, not stretched for long."""
        super().resizeEvent(event)
        if self._made is not None and event.oldSize().width() != event.size().width():
            self._fit()
            self._on_change()

    @property
    def _width_px(self) -> int:
        """Width of a page in pixels of the screen."""
        room = self._scroll.viewport().width() - 2 * _MARGIN_PX
        return max(200, round(room * self.zoom * self.devicePixelRatioF()))

    def _by(self, factor: float) -> None:
        """Make the pages so much larger; 0 fits them to the room. What is at the top stays."""
        zoom = min(_MOST_ZOOM, max(1.0, self.zoom * factor))
        if zoom == self.zoom:
            return
        bar = self._scroll.verticalScrollBar()
        at = bar.value() / max(1, self._inner.height())
        self.zoom = zoom
        self._fit()
        self._inner.adjustSize()
        bar.setValue(round(at * self._inner.height()))
        self._on_change()

    def _zoom_button(self, text: str, key: str, tip: str, act: Callable[[], None]) -> QPushButton:
        made = button(text, key, look="link", tip=tip)
        made.clicked.connect(lambda: act())
        return made

    def _on_change(self, *_: object) -> None:
        self._stale = True
        if not self.isHidden():
            self._pause.start()

    def _show(self, made: Preview) -> None:
        """Put the pages in place; where the reader has scrolled to stays."""
        self._made = made
        at = self._scroll.verticalScrollBar().value()
        if len(self.pages) != len(made.pages):
            clear(self._column)
            self.pages = tuple(self._page(number) for number in range(len(made.pages)))
        self._fit()
        self._scroll.verticalScrollBar().setValue(at)
        styled(self._badge, "tag-good" if made.status in ("FINAL", "AMENDED") else "tag-attention")
        self._badge.setText(made.status)
        self._badge.show()
        count = len(made.pages)
        self._head.setText(tr("{n} pages", n=count) if count != 1 else tr("1 page"))
        self.drawn += 1

    def _page(self, number: int) -> QLabel:
        made = QLabel()
        name(made, f"preview_page_{number + 1}", tr("Page {n} of the report", n=number + 1))
        self._column.insertWidget(number, made, 0, Qt.AlignmentFlag.AlignHCenter)
        return made

    def _fit(self) -> None:
        """Give every page its picture, as wide as there is room."""
        if self._made is None:
            return
        ratio = self.devicePixelRatioF()
        for place, pixels in zip(self.pages, self._made.pages, strict=True):
            high, wide, _ = pixels.shape
            image = QImage(pixels.data, wide, high, 3 * wide, QImage.Format.Format_RGB888)
            picture = QPixmap.fromImage(image)
            if wide != self._width_px:
                smooth = Qt.TransformationMode.SmoothTransformation
                picture = picture.scaledToWidth(self._width_px, smooth)
            picture.setDevicePixelRatio(ratio)
            place.setPixmap(picture)

    def _fail(self, error: MedviewError) -> None:
        """Keep the pages that are there and say that they are old."""
        self._stale = True
        self._head.setText(tr("not drawn: {why}", why=error.what))
        self._head.setToolTip(str(error))

    def _take_room(self) -> None:
        splitter = self.parentWidget()
        if isinstance(splitter, QSplitter):
            sizes = splitter.sizes()
            place, total = splitter.indexOf(self), sum(splitter.sizes())
            mine = round(total * _SHARE)
            rest = max(1, total - sizes[place])
            shared = [round(size * (total - mine) / rest) for size in sizes]
            shared[place] = mine
            splitter.setSizes(shared)
