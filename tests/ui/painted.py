"""A place to draw on without a window, and whether anything was drawn there."""

from PySide6.QtCore import QRectF

AREA = QRectF(0, 0, 500, 600)


def lit(image, box):
    """Whether anything is drawn in a box."""
    x1, y1, x2, y2 = box
    return any(image.pixelColor(x, y).value() > 90 for x in range(x1, x2) for y in range(y1, y2))
