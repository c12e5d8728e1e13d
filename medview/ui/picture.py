"""The pixels of a frame as Qt paints them: image and overlays merged, once for every frame.

A pane paints one opaque image. Three that are smoothed one above the other cost five times as
much of every turn of the wheel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QTransform

from medview.imaging.frame import Frame

# Smoothing looks at two pixels a side; of an image that is finer on screen it would miss some.
_FINEST = 0.5


class Picture:
    """Image and tints of the frame shown; merged again only when one of them is another array."""

    def __init__(self) -> None:
        self._made_of: tuple[NDArray[np.uint8], ...] = ()
        #: The merged image, then each time half as fine.
        self._images: list[QImage] = []

    def show(self, frame: Frame | None) -> None:
        """Take the pixels of a frame; None takes them away."""
        pixels = () if frame is None else (frame.image, *frame.tints)
        if _same(pixels, self._made_of):
            return
        self._made_of = pixels
        self._images = [] if frame is None else [merged(frame)]

    def paint(self, painter: QPainter, to_pane: QTransform) -> None:
        """Paint it by the transform from corners of image pixels to pixels of the pane."""
        if not self._images:
            return
        fine = painter.device().devicePixelRatioF() * max(abs(to_pane.m11()), abs(to_pane.m22()))
        whole = self._images[0]
        painter.save()
        painter.setTransform(to_pane)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, whole.width(), whole.height()), self._image_for(fine))
        painter.restore()

    def _image_for(self, fine: float) -> QImage:
        """The image whose pixels are at most twice as fine as those of the screen."""
        level = 0
        while fine < _FINEST and min(self._images[level].width(), self._images[level].height()) > 1:
            fine, level = 2 * fine, level + 1
            if level == len(self._images):
                self._images.append(_halved(self._images[-1]))
        return self._images[level]


def merged(frame: Frame) -> QImage:
    """Image and tints of a frame, as opaque RGB at the resolution of the data."""
    base = _wrapped(frame.image).convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(base)
    for tint in frame.tints:
        painter.drawImage(0, 0, _wrapped(tint))
    painter.end()
    return base


_FORMATS = {
    1: QImage.Format.Format_Grayscale8,
    3: QImage.Format.Format_RGB888,
    4: QImage.Format.Format_RGBA8888,
}


def _wrapped(pixels: NDArray[np.uint8]) -> QImage:
    """(h, w), (h, w, 3) or (h, w, 4) as an image on the same memory: drop it before the array."""
    whole = np.ascontiguousarray(pixels)
    rows, columns = whole.shape[:2]
    channels = 1 if whole.ndim == 2 else whole.shape[2]
    image = QImage(whole.data, columns, rows, whole.strides[0], _FORMATS[channels])
    return image if whole is pixels else image.copy()


def _halved(image: QImage) -> QImage:
    size = QSize((image.width() + 1) // 2, (image.height() + 1) // 2)
    ratio, how = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(size, ratio, how)


def _same(one: tuple[NDArray[np.uint8], ...], other: tuple[NDArray[np.uint8], ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
