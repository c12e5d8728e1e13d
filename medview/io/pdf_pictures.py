"""Pictures of a report on their way into a PDF: packed once, every pixel kept.

WeasyPrint would read each picture from text, unpack it and pack it again with more effort, and
would let viewers smooth it, which PDF/A forbids. It looks pictures up by their address in the
cache that it is given, so they are put there ready to be written.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.report import Report

if TYPE_CHECKING:
    import pydyf

# As quick as it gets: the pictures are a third larger than with the greatest effort.
_EFFORT = 1
# The predictor "up" of PNG, row by row: what is left is mostly zeros.
_UP = 2


def address_of(rgb: NDArray[np.uint8]) -> str:
    """The address under which pages name a picture; equal pictures have one."""
    digest = hashlib.sha256(np.ascontiguousarray(rgb).data)
    return f"picture:{rgb.shape[1]}x{rgb.shape[0]}-{digest.hexdigest()[:32]}"


def pictures_in(report: Report) -> dict[str, PackedPicture]:
    """All pictures of a report by their addresses: the cache to lay its pages out with."""
    every = (
        picture.rgb
        for section in report.sections
        for row in section.figures
        for picture in row.pictures
    )
    named = ((address_of(rgb), rgb) for rgb in every)
    return {address: PackedPicture(address, rgb) for address, rgb in named}


@dataclass(frozen=True, slots=True, eq=False)
class PackedPicture:
    """One picture (h, w, 3) as the layout library asks for it; `id` names it in the file."""

    address: str
    rgb: NDArray[np.uint8]

    @property
    def id(self) -> str:
        """What tells it from other pictures of the file."""
        return self.address.partition("-")[2]

    def get_intrinsic_size(self, resolution: float, _: float) -> tuple[float, float, float]:
        """Width and height in the units of the page, and their ratio."""
        high, wide = self.rgb.shape[:2]
        return wide / resolution, high / resolution, wide / high

    def draw(self, stream: Any, wide: float, high: float, _: object) -> None:
        """Draw it into the page, which names it and is drawn upside down."""
        name = stream.add_image(self, False, 1)
        stream.transform(wide, 0, 0, -high, 0, high)
        stream.draw_x_object(name)

    def get_x_object(self, _interpolate: bool, _ratio: float) -> pydyf.Stream:
        """The picture as it lies in the file; grey ones take one channel instead of three."""
        import pydyf

        high, wide = self.rgb.shape[:2]
        pixels = grey_alone(self.rgb)
        colours = pixels.shape[2] if pixels.ndim == 3 else 1
        extra = {
            "Type": "/XObject",
            "Subtype": "/Image",
            "Width": wide,
            "Height": high,
            "ColorSpace": "/DeviceRGB" if colours == 3 else "/DeviceGray",
            "BitsPerComponent": 8,
            "Interpolate": "false",
            "Filter": "/FlateDecode",
            "DecodeParms": pydyf.Dictionary(
                {"Predictor": 10 + _UP, "Columns": wide, "Colors": colours}
            ),
        }
        return pydyf.Stream([zlib.compress(_predicted(pixels), _EFFORT)], extra)


def grey_alone(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The one channel of a grey picture, else the picture itself."""
    is_grey = (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all()
    return rgb[..., 0] if is_grey else rgb


def _predicted(pixels: NDArray[np.uint8]) -> bytes:
    """Each row less the one above it, with the number of that predictor before it."""
    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1)
    made = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    made[:, 0] = _UP
    made[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=made[1:, 1:])
    return made.tobytes()
