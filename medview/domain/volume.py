"""Pixels with their place: what a reader returns and a pane shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from medview.domain.geometry import Geometry

if TYPE_CHECKING:
    from medview.domain.presentation import Look

WindowFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True, slots=True)
class Note:
    """A warning that travels with what it is about: a code of ``cli.md`` and a sentence."""

    code: str
    text: str

    @property
    def told_code(self) -> str:
        """The code that commands print: that of ``cli.md`` where the own one is finer."""
        return _TOLD_AS.get(self.code, self.code)


_TOLD_AS = {"PARTLY_LOSSY": "LOSSY"}


@dataclass(frozen=True, slots=True)
class Window:
    """Grey window in the volume's quantity (PS3.3 C.11.2.1.2; rule R26)."""

    width: float
    level: float
    function: WindowFunction = "LINEAR"
    label: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ValueTable:
    """A VOI look-up table (0028,3010): input value `first` maps to ``values[0]``.

    `values` are scaled to 0..1, shape (n,), float32; each is for the next input by `step`.
    """

    first: float
    values: NDArray[np.float32]
    step: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Image values on a grid, after rescale, before any window.

    Parameters
    ----------
    array : NDArray
        (k, j, i) int16 where that is exact, else float32; or (k, j, i, 3) uint8 for colour.
        Made read-only.
    geometry : Geometry
        Grid in LPS mm, ``geometry.shape == array.shape[:3]``.
    quantity : str
        What a value means: "HU", "a.u.", "Bq/ml", ...
    modality : str
        DICOM modality as far as it can be trusted, else empty.
    windows : tuple[Window, ...]
        Windows the file itself proposes, first the default.
    value_table : ValueTable | None
        VOI LUT of the file, used instead of a window until the reader changes it.
    inverted : bool
        MONOCHROME1 or an INVERSE presentation: grey is turned after the window, once (R27).
    padding : tuple[float, float] | None
        Values from..to (after rescale) that are no image (R28).
    missing_slices : tuple[int, ...]
        Indices k that were not in the file; the array is blank there.
    graphics : NDArray[np.bool_] | None
        (k, j, i), True where the file lays lines or text of its own over the image (R30).
    slices_to_come : tuple[int, ...]
        Indices k that are still being read; empty in a whole volume.
    lossy : bool
        True when (0028,2110) or the syntax says so.
    warnings : tuple[Note, ...]
        What the reader found doubtful.
    view : str
        View position of a film as its header says it (0018,5101): "PA", "AP", "LL", ...;
        without one "LATERAL" where the words of its series say so.
    looks : tuple[Look, ...]
        Presentation states about slices of this volume (R31), in the order they were made.
    """

    array: NDArray[np.generic]
    geometry: Geometry
    quantity: str = "a.u."
    modality: str = ""
    windows: tuple[Window, ...] = ()
    value_table: ValueTable | None = None
    inverted: bool = False
    padding: tuple[float, float] | None = None
    missing_slices: tuple[int, ...] = ()
    lossy: bool = False
    warnings: tuple[Note, ...] = field(default=())
    slices_to_come: tuple[int, ...] = ()
    graphics: NDArray[np.bool_] | None = None
    view: str = ""
    looks: tuple[Look, ...] = ()

    def __post_init__(self) -> None:
        if self.array.shape[:3] != self.geometry.shape:
            raise ValueError(
                f"array {self.array.shape} and geometry {self.geometry.shape} differ in shape"
            )
        self.array.setflags(write=False)
        if self.graphics is not None:
            if self.graphics.shape != self.geometry.shape:
                raise ValueError(f"graphics {self.graphics.shape} and grid differ in shape")
            self.graphics.setflags(write=False)

    @property
    def is_colour(self) -> bool:
        """True for (k, j, i, 3) arrays; no window applies to them."""
        return self.array.ndim == 4

    @property
    def is_mere_picture(self) -> bool:
        """One slice of unknown kind, size and side, as a JPEG or PNG is."""
        geometry = self.geometry
        unknown = geometry.spacing_kind is None and not geometry.orientation_known
        return unknown and self.modality == "" and 1 in geometry.shape

    @property
    def is_film(self) -> bool:
        """True for a single plane, where no other plane can be cut."""
        return self.geometry.shape[0] == 1
