"""The 3-D view: a picture that a child process draws, turned and zoomed by mouse and keys."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QComboBox, QSplitter, QVBoxLayout, QWidget

from medview.domain.crop import FACES, CropBox
from medview.imaging.frame import RESEARCH_ONLY, Corners, Labels, letters
from medview.imaging.sight import Sight, sight_of
from medview.services.volume_view import Picture
from medview.ui import furniture
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.corners import draw_corners
from medview.ui.identity import corner_lines
from medview.ui.theme import PANE_BACK, PANE_QUIET
from medview.ui.words import tr

# So wide that the words of its bar are whole.
_LEAST_PX = 300
_DEGREES_PER_PX = 0.5
_ZOOM_PX = 180.0
_NOTCH = 120
_ZOOM_NOTCH = 1.15
_KEY_DEGREES = 10.0
# Without a move for so long the fine picture is drawn.
_STILL_MS = 200
_SHARE = 0.42
# A face of the crop box is taken hold of so near to its handle.
_GRIP_PX = 11.0
_TURNS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class VolumePane(QWidget):
    """A bar with presets, and the picture below it; hidden until it is asked for."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "volume_pane", tr("3-D view"))
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._app = app
        self.picture = VolumePicture(app)
        self.presets = QComboBox()
        name(self.presets, "volume_preset", tr("What is seen in 3-D"))
        self.presets.setToolTip(tr("Bone, soft tissue, or the brightest values"))
        self.presets.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.presets.setProperty("look", "narrow")
        self.presets.activated.connect(self._on_preset)
        tip = tr("Cut it by a box, or show all of it")
        self.crop = button(tr("Crop"), "volume_crop", look="narrow", tip=tip)
        self.crop.setCheckable(True)
        self.crop.clicked.connect(app.viewing.crop.toggle)
        tip = tr("From the front again, all of it")
        front = button(tr("Front"), "volume_reset", look="narrow", tip=tip)
        front.clicked.connect(app.volume_view.reset)
        close = button("✕", "volume_close", look="link", tip=tr("Close the 3-D view"))
        close.clicked.connect(self.hide)
        bar = Row(label(tr("3-D"), "strong"), self.presets, 1, self.crop, front, close, gap=6)
        bar.setContentsMargins(8, 6, 8, 6)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(bar)
        rows.addWidget(self.picture, 1)
        self.setMinimumWidth(_LEAST_PX)
        app.volume_view.staged.connect(self.refresh)
        for field in ("crop_on", "crops"):
            getattr(app.session.events, field).connect(self._on_crop)
        self.hide()

    def refresh(self) -> None:
        """Offer what the volume on screen can be seen with."""
        view = self._app.volume_view
        self.presets.clear()
        for each in view.presets:
            self.presets.addItem(tr(each.title), each.key)
        self.presets.setCurrentIndex(self.presets.findData(view.scene.preset))

    def _on_crop(self) -> None:
        self.crop.setChecked(self._app.session.crop_on)
        self._app.window.table.refresh_soon()

    def _on_preset(self, place: int) -> None:
        self._app.volume_view.use(self.presets.itemData(place))
        self.picture.still()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's hook
        """Begin to draw."""
        super().showEvent(event)
        if not event.spontaneous():
            self._take_room()
            self._app.volume_view.open()
            self.picture.setFocus()

    def _take_room(self) -> None:
        """A good part of the room of the panes, which are the first in the row."""
        row = self.parentWidget()
        if isinstance(row, QSplitter):
            sizes = row.sizes()
            place = row.indexOf(self)
            share = round(_SHARE * (sizes[0] + sizes[place]))
            sizes[0], sizes[place] = sizes[0] + sizes[place] - share, share
            row.setSizes(sizes)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw no more."""
        super().hideEvent(event)
        if not event.spontaneous():
            self._app.volume_view.close()
            self.picture.clear()
            self._app.window.table.refresh()


class _Grip(NamedTuple):
    """A face of the crop box that is drawn along: from where on, and the box as it was then.

    All its moves are one step back.
    """

    face: int
    at: QPointF
    box: CropBox


class VolumePicture(QWidget):
    """The picture with orientation letters and identity; a sentence where there is none."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "volume_picture", tr("3-D picture"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("")
        self._app, self._view = app, app.volume_view
        self._image: QImage | None = None
        self.shown: Picture | None = None
        self.note = ""
        self._at: QPointF | None = None
        self._grip: _Grip | None = None
        self.setMouseTracking(True)
        self._still = QTimer(self)
        self._still.setSingleShot(True)
        self._still.setInterval(_STILL_MS)
        self._still.timeout.connect(self._view.settle)
        self._view.drawn.connect(self._on_drawn)
        self._view.refused.connect(self._on_refused)
        self._view.staged.connect(self._on_staged)
        app.session.events.private.connect(self._on_private)

    def still(self) -> None:
        """Draw finely, once nothing has moved for a moment."""
        self._still.start()

    def clear(self) -> None:
        """Let go of the picture."""
        self._still.stop()
        self._image, self.shown, self.note = None, None, ""
        self.update()

    def _on_staged(self) -> None:
        self._image, self.shown = None, None
        self.note = tr("Preparing the 3-D view …")
        self._resize()
        self.update()

    def _on_private(self) -> None:
        self.update()

    def _on_refused(self, text: str) -> None:
        self._image, self.shown, self.note = None, None, tr(text)
        self.update()

    def _on_drawn(self, picture: Picture) -> None:
        pixels = picture.pixels
        rows, columns = pixels.shape[:2]
        kind = QImage.Format.Format_RGB888
        self._image = QImage(pixels.tobytes(), columns, rows, 3 * columns, kind).copy()
        self.shown, self.note = picture, ""
        if not picture.scene.is_fine and self._at is None and not self._still.isActive():
            self._still.start()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the picture with what it says."""
        painter = QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor(PANE_BACK))
        if self._image is None or self.shown is None:
            self._draw_note(painter, area)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, self._image)
        scene = self.shown.scene
        right, up = scene.right, scene.up
        back = tuple(-v for v in right), tuple(-v for v in up)
        sides = Labels(letters(back[0]), letters(right), letters(up), letters(back[1]))
        furniture.draw_letters(painter, area, sides)
        draw_corners(painter, area, self._corners())

    def _draw_note(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QColor(PANE_QUIET))
        box = area.adjusted(24, 24, -24, -24)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(box, int(flags), self.note)

    def _corners(self) -> Corners:
        session = self._app.session
        if session.series is None:
            return Corners()
        who = corner_lines(session.catalogue, session.series, private=session.private)
        return Corners(top_left=who, bottom_right=(tr(RESEARCH_ONLY),))

    # -- mouse and keys --------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Take hold of it, or of a face of the crop box."""
        self._at = event.position()
        is_left = event.button() == Qt.MouseButton.LeftButton
        self._grip = self._grip_at(self._at) if is_left else None
        self._still.stop()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Left turns, right zooms, middle (or Shift with left) pushes."""
        if self._at is None:
            is_on_face = self._grip_at(event.position()) is not None
            shape = Qt.CursorShape.SizeAllCursor if is_on_face else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            return
        moved = event.position() - self._at
        self._at = event.position()
        if self._grip is not None:
            self._draw_face(self._grip, self._at)
            return
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.buttons() & Qt.MouseButton.MiddleButton or shift:
            self._view.move(moved.x() / max(self.height(), 1), moved.y() / max(self.height(), 1))
        elif event.buttons() & Qt.MouseButton.RightButton:
            self._view.zoom(math.exp(-moved.y() / _ZOOM_PX))
        else:
            self._view.turn(-moved.x() * _DEGREES_PER_PX, moved.y() * _DEGREES_PER_PX)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Hold still."""
        self._at = self._grip = None
        self._still.start()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """From the front again; on a face of the crop box all of that again."""
        if self._grip_at(event.position()) is None:
            self._view.reset()
        else:
            self._app.viewing.crop.reset()
        self._still.start()

    def _sight(self) -> Sight | None:
        """How the patient lies in the pixels of this widget; None without a picture."""
        volume = self._view.volume
        if self.shown is None or volume is None:
            return None
        return sight_of(volume.geometry, replace(self._view.scene, size=self._size))

    @property
    def _size(self) -> tuple[int, int]:
        return max(self.width(), 1), max(self.height(), 1)

    def _grip_at(self, at: QPointF) -> _Grip | None:
        """The face of the crop box whose handle is under the mouse."""
        sight, box = self._sight(), self._app.viewing.crop.box
        face = None
        if sight is not None and box is not None:
            face = sight.face_at(box, at.x(), at.y(), _GRIP_PX)
        return None if face is None or box is None else _Grip(face, at, box)

    def _draw_face(self, grip: _Grip, at: QPointF) -> None:
        """Draw a face along: where it was, and as far as the mouse has gone since."""
        sight, box = self._sight(), self._app.viewing.crop.box
        if sight is None or box is None:
            return
        axis, _ = FACES[grip.face]
        away = at - grip.at
        mm = sight.along_axis(axis, away.x(), away.y())
        mm += grip.box.centre(grip.face)[axis] - box.centre(grip.face)[axis]
        self._app.viewing.crop.move(grip.face, mm, grip)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  # Qt's hook
        """Nearer or farther."""
        self._view.zoom(_ZOOM_NOTCH ** (event.angleDelta().y() / _NOTCH))
        self._still.start()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's hook
        """Arrows turn, plus and minus zoom."""
        key = Qt.Key(event.key())
        if key in _TURNS:
            right, up = _TURNS[key]
            self._view.turn(right * _KEY_DEGREES, up * _KEY_DEGREES)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
            self._view.zoom(_ZOOM_NOTCH if key == Qt.Key.Key_Plus else 1 / _ZOOM_NOTCH)
        else:
            super().keyPressEvent(event)
            return
        self._still.start()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw in the new size."""
        super().resizeEvent(event)
        self._resize()

    def _resize(self) -> None:
        scale = self.devicePixelRatioF()
        self._view.resize(round(self.width() * scale), round(self.height() * scale))
        if self._view.is_open:
            self._still.start()
