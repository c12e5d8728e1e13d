"""The pixels of a frame as Qt paints them: image and overlays merged, once for every frame.

A pane paints one opaque image. Three that are smoothed one above the other cost five times as
much of every turn of the wheel.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QTransform

from medview.imaging.frame import Frame
from medview.imaging.tint import Tint
from medview.imaging.view import Part

# Smoothing looks at two pixels a side; of an image that is finer on screen it would miss some.
FINEST = 0.5
# Pixels of the image that are so nearly those of the screen are painted as they are.
_SAME_SIZE = 1e-6
# Pixels that are merged in one go: what lies between stays in the processor's cache.
_AT_ONCE = 1 << 18


class Picture:
    """Image and tints of the frame shown; merged again only when one of them is another array."""

    def __init__(self) -> None:
        self._made_of: tuple[object, ...] = ()
        #: The merged image, then each time half as fine.
        self._images: list[QImage] = []
        self._part: Part | None = None

    def show(self, frame: Frame | None) -> None:
        """Take the pixels of a frame; None takes them away."""
        self._part = None if frame is None else frame.part
        pixels = () if frame is None else (frame.image, *frame.paints)
        if _same(pixels, self._made_of):
            return
        self._made_of = pixels
        # The first image is written over: memory that is new each time costs more than pixels.
        self._images = [] if frame is None else [merged(frame, *self._images[:1])]

    def paint(self, painter: QPainter, to_pane: QTransform) -> None:
        """Paint it by the transform from corners of slice pixels to pixels of the pane."""
        if not self._images or self._paints_as_it_is(painter, to_pane):
            return
        fine = painter.device().devicePixelRatioF() * max(abs(to_pane.m11()), abs(to_pane.m22()))
        lies, shows = self._places()
        image = self._image_for(fine * (1 if self._part is None else self._part.step))
        coarse_x, coarse_y = (
            image.width() / self._images[0].width(),
            image.height() / self._images[0].height(),
        )
        painter.save()
        painter.setTransform(to_pane)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(lies, image, QTransform.fromScale(coarse_x, coarse_y).mapRect(shows))
        painter.restore()

    def _paints_as_it_is(self, painter: QPainter, to_pane: QTransform) -> bool:
        """Paint pixels that are those of the screen, without smoothing; say if they are."""
        part = self._part
        if part is None or painter.device().devicePixelRatioF() != 1:
            return False
        sizes = (to_pane.m11() * part.step, to_pane.m22() * part.step)
        if max(abs(size - 1) for size in sizes) > _SAME_SIZE:
            return False
        corner = to_pane.map(QPointF(part.left, part.top))
        rows, columns = part.whole
        painter.save()
        # Pixels at an edge have the mean of what the slice has of them.
        painter.setTransform(QTransform())
        painter.setClipRect(
            to_pane.mapRect(QRectF(0, 0, columns, rows)), Qt.ClipOperation.IntersectClip
        )
        painter.drawImage(QPoint(round(corner.x()), round(corner.y())), self._images[0])
        painter.restore()
        return True

    def _places(self) -> tuple[QRectF, QRectF]:
        """Where it lies in pixels of the slice, and which part of its own pixels that is."""
        image, part = self._images[0], self._part
        own = QRectF(0, 0, image.width(), image.height())
        if part is None:
            return own, own
        blocks = QTransform.fromTranslate(part.left, part.top).scale(part.step, part.step)
        rows, columns = part.whole
        # Of blocks that reach beyond the edge only what the slice has.
        lies = blocks.mapRect(own).intersected(QRectF(0, 0, columns, rows))
        return lies, blocks.inverted()[0].mapRect(lies)

    def _image_for(self, fine: float) -> QImage:
        """The image whose pixels are at most twice as fine as those of the screen."""
        level = 0
        while fine < FINEST and min(self._images[level].width(), self._images[level].height()) > 1:
            fine, level = 2 * fine, level + 1
            if level == len(self._images):
                self._images.append(_halved(self._images[-1]))
        return self._images[level]


def merged(frame: Frame, onto: QImage | None = None) -> QImage:
    """Image and tints of a frame, as opaque RGB at the resolution of the data.

    `onto` is written over and given back if it has the right size.
    """
    rows, columns = frame.image.shape[:2]
    size = QSize(columns, rows)
    base = onto if onto and onto.size() == size else QImage(size, QImage.Format.Format_RGB32)
    packed = np.frombuffer(base.bits(), np.uint32).reshape(rows, columns)
    covered = [(tint, tint.covered_rows) for tint in frame.paints]
    step = max(1, _AT_ONCE // columns)
    with QPainter(base) as painter:
        for top in range(0, rows, step):
            _fill(packed[top : top + step], frame.image[top : top + step])
            for tint, drawn in covered:
                band = slice(max(top, drawn.start), min(top + step, drawn.stop))
                if band.start < band.stop:
                    painter.drawImage(0, band.start, _over(tint, band))
    return base


def _over(tint: Tint, rows: slice) -> QImage:
    """Some rows of a tint, premultiplied: what is quickest to lay over another image."""
    places = tint.places[rows]
    high, wide = places.shape
    if tint.alpha is None:
        image = QImage(places.data, wide, high, wide, QImage.Format.Format_Indexed8)
        image.setColorTable(_table(tint.colours.tobytes()))
        over = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        if tint.shown is not None:
            packed = np.frombuffer(over.bits(), np.uint32).reshape(high, wide)
            packed *= tint.shown[rows]
        return over
    both = np.left_shift(tint.alpha[rows], 8, dtype=np.uint16)
    both |= places
    image = QImage(wide, high, QImage.Format.Format_ARGB32_Premultiplied)
    packed = np.frombuffer(image.bits(), np.uint32).reshape(high, wide)
    # No place is outside the table; this only lets numpy write without a copy of its own.
    np.take(_by_alpha(tint.colours.tobytes()), both, out=packed, mode="wrap")
    return image


def _argb(rgba: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Colours (..., 4) as 0xAARRGGBB."""
    red, green, blue, alpha = (rgba[..., n].astype(np.uint32) for n in range(4))
    return np.asarray(alpha << 24 | red << 16 | green << 8 | blue)


@lru_cache(maxsize=16)
def _table(colours: bytes) -> list[int]:
    """Colours (256, 4) as Qt has them in a table, kept."""
    made: list[int] = _argb(np.frombuffer(colours, np.uint8).reshape(-1, 4)).tolist()
    return made


@lru_cache(maxsize=16)
def _by_alpha(colours: bytes) -> NDArray[np.uint32]:
    """Premultiplied colours by alpha and place, (65536,), rounded to the nearest."""
    share = np.arange(256, dtype=np.uint32)[:, None, None]
    table = np.frombuffer(colours, np.uint8).reshape(1, 256, 4)
    scaled = (table * share + 127) // 255
    scaled[..., 3] = share[..., 0]
    return _argb(scaled).reshape(-1)


def _fill(packed: NDArray[np.uint32], pixels: NDArray[np.uint8]) -> None:
    """Write (h, w) grey or (h, w, 3) colour as 0xffRRGGBB.

    Qt's own conversion waits for threads of its own, which come late on a busy machine.
    """
    if pixels.ndim == 2:
        np.copyto(packed, pixels)
        packed *= np.uint32(0x010101)
    else:
        red, green, blue = (pixels[..., n].astype(np.uint32) for n in range(3))
        np.bitwise_or(red << 16, green << 8, out=packed)
        packed |= blue
    packed |= np.uint32(0xFF000000)


def _halved(image: QImage) -> QImage:
    size = QSize((image.width() + 1) // 2, (image.height() + 1) // 2)
    ratio, how = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(size, ratio, how)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
