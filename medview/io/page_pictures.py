"""Pages of a PDF as pictures, for looking at them before they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pypdfium2 import PdfPage


def page_pictures(pdf: bytes, width: int) -> tuple[NDArray[np.uint8], ...]:
    """Draw every page `width` pixels wide; RGB, (height, width, 3)."""
    # Imported here: only the child that lays out pages needs it.
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return tuple(_picture(page, width) for page in document)
    finally:
        document.close()


def _picture(page: PdfPage, width: int) -> NDArray[np.uint8]:
    bitmap = page.render(scale=width / page.get_width(), rev_byteorder=True)
    try:
        # A part of a pixel is rounded up to a whole one.
        return np.ascontiguousarray(bitmap.to_numpy()[:, :width, :3])
    finally:
        bitmap.close()
        page.close()
