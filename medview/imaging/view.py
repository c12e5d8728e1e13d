"""What a pane is asked to show (`View`, `Layer`) and what it then shows (`Frame`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Plane
from medview.domain.measurement import Kind
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.report import ColourBar
from medview.domain.volume import Window
from medview.imaging.marks import DrawnMark
from medview.imaging.oblique import STRAIGHT, Tilt
from medview.imaging.tint import Tint

SlabMode = Literal["mip", "minip", "mean"]
Annotations = Literal["all", "minimal", "none"]

# Blocks that lie apart by so little of one are drawn as the same.
_SAME_BLOCK = 0.01


@dataclass(frozen=True, slots=True)
class View:
    """What the reader asks one pane to show; a change is ``replace(view, ...)``.

    Parameters
    ----------
    plane : Plane
        Axial, coronal and sagittal are radiological (patient right on screen left, nose left);
        ACQUIRED shows stored rows and columns as they are.
    point_lps : tuple[float, float, float]
        The crosshair in LPS mm; the slice drawn is the one nearest to it.
    window : Window | None
        None: the file's own VOI (value table or first window), else the automatic one.
    inverted : bool
        The reader's invert, on top of the volume's own.
    flip_h, flip_v, rotate
        Flips first, then rotation clockwise by 0, 90, 180 or 270 degrees; labels follow.
    slab_mm, slab_mode
        Thickness of a slab around the slice; 0 shows the single slice.
    zoom, pan_mm
        1 fits the pane; pan is in mm along screen right and down.
    tilt : Tilt
        How the three planes are turned about the point; ACQUIRED is not.
    look : str
        UID of the presentation state that the volume is shown by; empty: as stored (R31).
    """

    plane: Plane = Plane.AXIAL
    point_lps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    window: Window | None = None
    inverted: bool = False
    flip_h: bool = False
    flip_v: bool = False
    rotate: int = 0
    slab_mm: float = 0.0
    slab_mode: SlabMode = "mip"
    zoom: float = 1.0
    pan_mm: tuple[float, float] = (0.0, 0.0)
    crosshair: bool = True
    annotations: Annotations = "all"
    look: str = ""
    tilt: Tilt = STRAIGHT


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """An overlay as asked for: the map, its style and the map that fades it (or None)."""

    map: ScalarMap
    style: LayerStyle
    fade: ScalarMap | None = None


@dataclass(frozen=True, slots=True)
class Corners:
    """Texts of the four corners, one entry a line."""

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """Letters at the four edges of the screen, at most two each; empty when unknown (R20)."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


@dataclass(frozen=True, slots=True)
class DrawnShape:
    """A reader's drawing on the pixels of a frame.

    `line` is what is joined, `handles` are its own points, `lines` what it says.
    """

    id: int
    kind: Kind
    line: tuple[tuple[float, float], ...]
    handles: tuple[tuple[float, float], ...]
    lines: tuple[str, ...] = ()
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """Where the slice of another pane cuts this one, from end to end in pixels of the frame.

    `plane` is how the other one cuts; `is_edge` marks the first and last slice of a slab.
    """

    plane: Plane
    ends: tuple[tuple[float, float], tuple[float, float]]
    is_edge: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """The pixels of a large slice that a frame holds, one for every block of `step` x `step`.

    Blocks are pixels of the screen, or of the slice where `step` is 1; then all are whole
    numbers. The first block begins at `left` and `top`, in pixels of the slice as it is drawn:
    before 0 where only the rest of it lies on the slice. `whole` is the slice, (rows, columns).
    """

    left: float
    top: float
    columns: int
    rows: int
    step: float
    whole: tuple[int, int]

    def covers(self, other: Part) -> bool:
        """Whether the very blocks of another part of the same slice are in it."""
        if (self.step, self.whole) != (other.step, other.whole):
            return False
        away = ((other.left - self.left) / self.step, (other.top - self.top) / self.step)
        x, y = (round(blocks) for blocks in away)
        return (
            max(abs(away[0] - x), abs(away[1] - y)) < _SAME_BLOCK
            and x >= 0
            and y >= 0
            and x + other.columns <= self.columns
            and y + other.rows <= self.rows
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What a pane shows, at the resolution of the data, or of the screen if that is less.

    Places are counted in pixels of the slice, whatever `part` of it is there.

    Parameters
    ----------
    image : NDArray[np.uint8]
        (h, w) grey or (h, w, 3) colour: rows down the screen, columns to the right, after
        window, inversion, flips and rotation.
    paints : tuple[Tint, ...]
        The overlays in drawing order, same grid as `image`; `tints` gives them as RGBA.
    pixel_to_lps : NDArray[np.float64]
        (4, 4) from (x, y, 0, 1), pixel centres of the slice, to LPS mm.
    pixel_mm : tuple[float, float]
        Size of a pixel of the slice to the right and down, mm.
    labels : Labels
        Orientation letters from the drawing matrix.
    cursor : tuple[float, float]
        The crosshair (x, y) in pixels of the slice.
    slice, slices : int
        Index along the array axis being cut (0-based) and how many there are.
    position : str
        Where the slice is, such as "H 12.0 mm"; empty when unknown.
    window : Window | None
        The window used; None for colour or a value table.
    values : dict[str, float | None]
        Value of "image" and of every map at the crosshair.
    colour_bars : tuple[ColourBar, ...]
        Of the visible overlays, the topmost first.
    corners : Corners
        Texts; callers put identity into ``corners.top_left`` themselves.
    missing : bool
        True where the slice was not in the file (drawn hatched, R9).
    crosshair : bool
        Whether the cursor is drawn.
    lines : tuple[tuple[float, float], tuple[float, float]]
        Directions of the crosshair's two lines: parts of a mm to the right and down.
    lean : float
        By how many degrees an oblique plane leans; 0 for a straight one.
    absent : NDArray[np.bool_] | None
        (h, w) True where the file had no slice; None when all of it is there. A reformat
        across missing slices has some, a missing slice itself is all True.
    annotations : Annotations
        How much text is drawn; "none" leaves the letters out as well.
    marks : tuple[DrawnMark, ...]
        Boxes with a word, such as the zones of the lungs.
    shapes : tuple[DrawnShape, ...]
        The reader's drawings that lie on this slice; filled by the caller.
    reference : tuple[ReferenceLine, ...]
        Where the slices of the other panes run; filled by the caller.
    crop : tuple[tuple[float, float], ...]
        The crop box of the 3-D view round about, in pixels of the slice; filled by the caller.
    strip : tuple[float, ...]
        One figure a slice (index order) for the score strip at the lower edge; filled by the
        caller, who knows the result.
    part : Part | None
        What `image` and `paints` are of the slice; None for all of it, pixel by pixel.
    """

    image: NDArray[np.uint8]
    paints: tuple[Tint, ...]
    pixel_to_lps: NDArray[np.float64]
    pixel_mm: tuple[float, float]
    labels: Labels
    cursor: tuple[float, float]
    slice: int
    slices: int
    position: str
    window: Window | None
    values: dict[str, float | None]
    colour_bars: tuple[ColourBar, ...] = ()
    corners: Corners = Corners()
    missing: bool = False
    crosshair: bool = True
    lines: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, 1.0))
    lean: float = 0.0
    absent: NDArray[np.bool_] | None = None
    annotations: Annotations = "all"
    marks: tuple[DrawnMark, ...] = ()
    shapes: tuple[DrawnShape, ...] = ()
    reference: tuple[ReferenceLine, ...] = ()
    crop: tuple[tuple[float, float], ...] = ()
    strip: tuple[float, ...] = ()
    part: Part | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the slice."""
        if self.part is not None:
            return self.part.whole
        rows, columns = self.image.shape[:2]
        return rows, columns

    @property
    def tints(self) -> tuple[NDArray[np.uint8], ...]:
        """The overlays as (h, w, 4) RGBA, not premultiplied, made when they are asked for."""
        return tuple(each.rgba for each in self.paints)

    @property
    def colour_bar(self) -> ColourBar | None:
        """The legend of the topmost overlay; None without one, and of labels, which have many."""
        first = self.colour_bars[0] if self.colour_bars else None
        return None if first is None or first.is_label else first
