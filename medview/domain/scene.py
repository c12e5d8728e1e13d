"""A volume seen from outside: from where, how large, and what of it can be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from medview.domain.crop import CropBox, Vector

_STEEPEST = 89.0
_ZOOMS = (0.3, 8.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of a volume, as it is asked for.

    Parameters
    ----------
    preset : str
        A key of ``imaging.presets_3d.PRESETS``.
    azimuth, elevation : float
        From where one looks, degrees: 0, 0 is from the front, the head up; azimuth goes round to
        the patient's left, elevation up to the head.
    zoom, pan
        1 shows all of it; pan is in heights of the picture, right and down.
    size : tuple[int, int]
        Width and height in pixels.
    is_fine : bool
        False draws a coarse picture, quickly.
    shows_overlay : bool
        Whether the map of a model is drawn with it.
    crop : CropBox | None
        What lies outside is cut away, and the box is drawn; None: no box.
    window : tuple[float, float]
        Values that are black and white where brightness stands for the value (MIP).
    """

    preset: str
    azimuth: float = 0.0
    elevation: float = 0.0
    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    size: tuple[int, int] = (600, 600)
    is_fine: bool = False
    shows_overlay: bool = True
    window: tuple[float, float] = (0.0, 1.0)
    crop: CropBox | None = None

    def turned(self, right: float, up: float) -> Scene:
        """Seen after turning it by degrees; over the poles there is no way."""
        steep = min(max(self.elevation + up, -_STEEPEST), _STEEPEST)
        return replace(self, azimuth=(self.azimuth + right) % 360.0, elevation=steep)

    def zoomed(self, factor: float) -> Scene:
        """Drawn larger by a factor, within limits."""
        return replace(self, zoom=min(max(self.zoom * factor, _ZOOMS[0]), _ZOOMS[1]))

    def moved(self, right: float, down: float) -> Scene:
        """Pushed along by parts of the height of the picture."""
        return replace(self, pan=(self.pan[0] + right, self.pan[1] + down))

    @property
    def looks_along(self) -> Vector:
        """Unit vector from the eye into the scene, LPS."""
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        return -math.sin(a) * math.cos(e), math.cos(a) * math.cos(e), -math.sin(e)

    @property
    def up(self) -> Vector:
        """Unit vector up the picture, LPS."""
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        return -math.sin(a) * math.sin(e), math.cos(a) * math.sin(e), math.cos(e)

    @property
    def right(self) -> Vector:
        """Unit vector to the right of the picture, LPS."""
        a = math.radians(self.azimuth)
        return math.cos(a), math.sin(a), 0.0
