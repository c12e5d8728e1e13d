"""One pane: draws a Frame, knows which millimetre is under the mouse, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QRegion,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from medview.imaging.body import Box
from medview.imaging.frame import Corners, Frame
from medview.imaging.part import Room, placed, px_per_mm
from medview.imaging.swipe import divider_column
from medview.ui import bars, furniture
from medview.ui.corners import draw_corners, lines_below_letter
from medview.ui.dress import Dress, Placing
from medview.ui.loupe import TIMES, draw_loupe
from medview.ui.marks import draw_marks
from medview.ui.pane_text import LINE, MARGIN, folded, write
from medview.ui.picture import Picture
from medview.ui.pointer import Listener, Pointer
from medview.ui.shapes import draw_shapes
from medview.ui.spoken import pane_words
from medview.ui.theme import PANE_ACTIVE, PANE_BACK, PANE_QUIET
from medview.ui.words import tr

_Place = tuple[float, float, float]
_NARROW_PX = 400
#: The kind of data that a series dragged from the list is.
SERIES_DRAG = "application/x-medview-series"
# So near counts as on the divider.
_GRIP_PX = 14
_HANDLE_GRIP_PX = 7


class SlicePane(QAbstractScrollArea):
    """Draws a frame with its furniture; sets only what differs from the frame before."""

    def __init__(self, key: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = key
        self.listener: Listener = Listener()
        #: Called when other pixels of a large film may be needed.
        self.on_room: Callable[[], None] = lambda: None
        self._frame: Frame | None = None
        self._placing, self._dress = Placing(), Dress()
        self._transform = QTransform()
        self._box: QRectF | None = None
        self._reading: tuple[str, ...] = ()
        self._reading_at = QPointF()
        self._loupe: QPointF | None = None
        self._picture = Picture()
        self.setObjectName(f"pane_{key}")
        self.setAccessibleName(title)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        # Every pixel is painted here: nothing beneath needs to be, and no ground before it.
        self.viewport().setAutoFillBackground(False)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAcceptDrops(True)

    @property
    def frame_shown(self) -> Frame | None:
        """The frame on screen, None when the pane is empty."""
        return self._frame

    @property
    def dress(self) -> Dress:
        """What stands around the image now."""
        return self._dress

    @property
    def area(self) -> QRectF:
        """The pane in its own pixels."""
        return QRectF(self.viewport().rect())

    @property
    def room(self) -> Room:
        """The pixels that an image has; under the magnifying glass they are to be finer."""
        glass = 1.0 if self._loupe is None else TIMES
        fine = self.viewport().devicePixelRatioF() * glass
        return Room(self.area.width(), self.area.height(), fine)

    def draw(self, frame: Frame | None, placing: Placing, dress: Dress) -> None:
        """Show `frame` at its place; None empties the pane, ``dress.note`` says what to do."""
        before = self._frame
        if frame is before and placing == self._placing and dress == self._dress:
            return
        self._picture.show(frame)
        moved = frame is not None and (before is None or _shape_of(before) != _shape_of(frame))
        self._frame, self._dress = frame, dress
        self.setAccessibleDescription(pane_words(frame, dress))
        if moved or placing != self._placing:
            self._placing = placing
            self._place()
        self.viewport().update()

    def _place(self) -> None:
        if self._frame is not None:
            self._transform = self._transform_of(self._frame, self._placing)

    def _transform_of(self, frame: Frame, placing: Placing) -> QTransform:
        """From corners of image pixels to pixels of the pane."""
        box = _box_of(frame, placing)
        x, y, wide, high = placed(self.room, box, frame.pixel_mm, placing.zoom, placing.pan_mm)
        return QTransform.fromTranslate(x, y).scale(wide, high)

    def px_per_mm(self, zoom: float | None = None) -> float:
        """Pixels of the pane to one millimetre, as shown now or at a zoom; 1 when empty."""
        frame, placing = self._frame, self._placing
        if frame is None:
            return 1.0
        fits = px_per_mm(self.room, _box_of(frame, placing), frame.pixel_mm)
        return fits * (placing.zoom if zoom is None else zoom)

    def _image_area(self, frame: Frame) -> QRectF:
        """Where the image lies, in pixels of the pane."""
        rows, columns = frame.size
        return self._transform.mapRect(QRectF(0, 0, columns, rows))

    def to_pixel(self, x: float, y: float) -> tuple[float, float]:
        """Pixel (column, row) of the image under a pixel of the pane; centres are whole."""
        at = self._transform.inverted()[0].map(QPointF(x, y))
        return at.x() - 0.5, at.y() - 0.5

    def to_lps(self, x: float, y: float) -> _Place | None:
        """LPS mm under a pixel of the pane, also beyond the image; None when empty."""
        if self._frame is None:
            return None
        column, row = self.to_pixel(x, y)
        point = self._frame.pixel_to_lps @ np.array([column, row, 0.0, 1.0])
        return float(point[0]), float(point[1]), float(point[2])

    def pixel_of(self, column: float, row: float) -> QPointF:
        """Where in the pane the centre of pixel (column, row) of the image lies."""
        return self._transform.map(QPointF(column + 0.5, row + 0.5))

    def pointer(self, position: QPointF) -> Pointer:
        """All that a tool needs to know of a place in the pane."""
        x, y = position.x(), position.y()
        size = (self.viewport().width(), self.viewport().height())
        return Pointer(self.key, x, y, self.to_lps(x, y), 1.0 / self.px_per_mm(), size)

    def handle_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Which point of which drawing the mouse can take hold of here: its id and its place."""
        shapes = self._frame.shapes if self._frame is not None else ()
        every = [
            (math.hypot(at.x() - x, at.y() - y), shape.id, place)
            for shape in shapes
            if shape.kind != "text"  # it has none to be seen
            for place, at in enumerate(self.pixel_of(*each) for each in shape.handles)
        ]
        away, number, place = min(every, default=(math.inf, 0, 0))
        return (number, place) if away <= _HANDLE_GRIP_PX else None

    def set_reading(self, lines: tuple[str, ...], x: float, y: float) -> None:
        """Write lines beside a place; none takes them away."""
        self._reading, self._reading_at = lines, QPointF(x + 14, y + 12)
        self.viewport().update()

    @property
    def reading(self) -> tuple[str, ...]:
        """The lines beside the mouse."""
        return self._reading

    def set_box(self, box: QRectF | None) -> None:
        """Show the rectangle a tool is drawing, None takes it away."""
        self._box = box
        self.viewport().update()

    def set_loupe(self, at: QPointF | None) -> None:
        """Hold the magnifying glass over a place, None takes it away."""
        if at == self._loupe:
            return
        is_other = (at is None) != (self._loupe is None)
        self._loupe = at
        self.viewport().update()
        if is_other:
            self._ask_for_pixels()

    @property
    def loupe(self) -> QPointF | None:
        """Where the magnifying glass is, None without one."""
        return self._loupe

    def strip_slice_at(self, x: float, y: float, *, anywhere: bool = False) -> int | None:
        """The slice of the score strip under a place, None beside it (unless `anywhere`)."""
        frame = self._frame
        if not self._has_room or frame is None or not frame.strip:
            return None
        box = bars.strip_area(self.area, len(frame.strip))
        if anywhere:
            x, y = min(max(x, box.left()), box.right()), box.center().y()
        return bars.strip_slice(self.area, len(frame.strip), x, y)

    def divider_x(self) -> float | None:
        """Where the divider between two versions stands, kept inside the pane; None without one."""
        if self._frame is None or self._dress.divider is None:
            return None
        column = divider_column(self._frame, self._dress.divider)
        edge = MARGIN
        at = self.pixel_of(column - 0.5, 0).x()
        return float(min(max(at, self.area.left() + edge), self.area.right() - edge))

    def is_on_divider(self, x: float) -> bool:
        """Whether the mouse can take hold of the divider at this place."""
        at = self.divider_x()
        return at is not None and abs(x - at) <= _GRIP_PX

    def share_at(self, x: float) -> float:
        """A place in the pane as a share of the image's width, 0 at its left edge."""
        if self._frame is None:
            return 0.5
        return (self.to_pixel(x, 0.0)[0] + 0.5) / self._frame.size[1]

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Paint the image, then what stands over it."""
        with QPainter(self.viewport()) as painter:
            self._draw_image(painter)
            self._draw_over(painter)

    def _draw_image(self, painter: QPainter) -> None:
        """The image with its overlays, on black."""
        if self._frame is None:
            painter.fillRect(self.area, QColor(PANE_BACK))
            return
        # Of the black beneath only what the image leaves free, with a pixel for its edges.
        hidden = self._image_area(self._frame).toRect().adjusted(1, 1, -1, -1)
        painter.setClipRegion(QRegion(self.viewport().rect()) - QRegion(hidden))
        painter.fillRect(self.area, QColor(PANE_BACK))
        painter.setClipping(False)
        self._picture.paint(painter, self._transform)

    def _draw_over(self, painter: QPainter) -> None:
        """Letters, corners, bars and outline over the image."""
        area, frame = self.area, self._frame
        if frame is None:
            at = QPointF(area.center().x(), area.center().y() - LINE)
            lines = folded(self._dress.note, area.width() - 2 * LINE, px=13)
            for row, text in enumerate(lines):
                where = QPointF(at.x(), at.y() + row * LINE)
                write(painter, where, text, colour=PANE_QUIET, px=13, align="centre")
        else:
            self._draw_furniture(painter, area, frame)
            if self._loupe is not None:
                draw_loupe(painter, area, self._loupe, self._picture, self._transform)
            self._draw_tool(painter)
        if self._dress.tag:
            furniture.draw_tag(painter, area, self._dress.tag)
        if self._dress.is_active:
            painter.setPen(QPen(QColor(PANE_ACTIVE), 1))
            painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))

    def _draw_furniture(self, painter: QPainter, area: QRectF, frame: Frame) -> None:
        dress = self._dress
        if frame.missing:
            furniture.draw_missing(painter, self._image_area(frame))
        if frame.crosshair:
            at = self.pixel_of(*frame.cursor)
            furniture.draw_crosshair(painter, area, at, lines=frame.lines)
        furniture.draw_reference(painter, area, frame, self.pixel_of)
        furniture.draw_crop(painter, frame, self.pixel_of)
        draw_marks(painter, frame.marks, self.pixel_of)
        draw_shapes(painter, area, frame.shapes, self.pixel_of)
        corners = self._corners(frame)
        is_narrow = dress.is_large and not self._has_room
        lines = lines_below_letter(corners, area.width()) if is_narrow else 0
        furniture.draw_letters(painter, area, frame.labels, lift=lines * LINE)
        draw_corners(painter, area, corners, lifted=is_narrow)
        if dress.is_large:
            bars.draw_colour_bars(painter, area, frame.colour_bars)
        if self._has_room and dress.has_scale:
            furniture.draw_scale(painter, area, self.px_per_mm(), dress.scale_note, corners)
        if self._has_room:
            bars.draw_strip(painter, area, frame.strip, frame.slice)
        if any(dress.sides):
            furniture.draw_divider(painter, area, self.divider_x(), dress.sides)

    @property
    def _has_room(self) -> bool:
        """Wide enough for strip and scale between the corner texts."""
        return self._dress.is_large and self.area.width() >= _NARROW_PX

    def _corners(self, frame: Frame) -> Corners:
        """The texts, with how large a pixel of the image is drawn."""
        corners = self._dress.corners or frame.corners
        if self._dress.tag:
            # The tag has the first line.
            corners = replace(corners, top_left=("", *corners.top_left))
        if not self._dress.is_large or frame.annotations != "all":
            return corners
        times = self.px_per_mm() * frame.pixel_mm[0]
        line = tr("zoom {n}×", n=f"{times:.1f}")
        return replace(corners, bottom_left=(*corners.bottom_left, line))

    def _draw_tool(self, painter: QPainter) -> None:
        if self._box is not None:
            painter.setPen(QPen(QColor(PANE_ACTIVE), 1, Qt.PenStyle.DashLine))
            painter.drawRect(self._box)
        for row, text in enumerate(self._reading):
            where = self._reading_at + QPointF(0, row * LINE)
            write(painter, where, text)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Keep the image where it belongs."""
        super().resizeEvent(event)
        self._place()
        self._ask_for_pixels()

    def _ask_for_pixels(self) -> None:
        if self._frame is not None and self._frame.part is not None:
            self.on_room()

    def picture(self) -> QPixmap:
        """The pane with drawings, scale and corner texts, without outline and magnifying glass."""
        dress, loupe = self._dress, self._loupe
        self._dress, self._loupe = replace(dress, is_active=False), None
        taken: QPixmap = self.grab()
        self._dress, self._loupe = dress, loupe
        return taken

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Pass on."""
        self.listener.pressed(self, event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Pass on."""
        self.listener.moved(self, event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Pass on."""
        self.listener.released(self, event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Pass on."""
        self.listener.double_clicked(self, event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  # Qt's hook
        """Pass on."""
        self.listener.wheeled(self, event)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802  # Qt's hook
        """Pass on."""
        self.listener.left(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  # Qt's hook
        """Take a series of the list; files are the window's."""
        if event.mimeData().hasFormat(SERIES_DRAG):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802  # Qt's hook
        """The same."""
        if event.mimeData().hasFormat(SERIES_DRAG):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  # Qt's hook
        """Pass on which series it is."""
        if not event.mimeData().hasFormat(SERIES_DRAG):
            event.ignore()
            return
        event.acceptProposedAction()
        key = bytes(event.mimeData().data(SERIES_DRAG).data()).decode("utf-8")
        self.listener.dropped(self, key)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802  # Qt's hook
        """The menu comes on release without a drag, from the listener."""
        event.accept()


def _box_of(frame: Frame, placing: Placing) -> Box:
    rows, columns = frame.size
    return placing.box or (0.0, 0.0, float(columns), float(rows))


def _shape_of(frame: Frame) -> tuple[object, ...]:
    return (frame.size, frame.pixel_mm)
