"""Two versions of a model on the same slice, beside each other under one divider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from medview.domain.overlay import ScalarMap

Shown = Literal["both", "old", "new"]


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What one version says: its name ("1.0", "epoch 3"), the hash of its weights, its maps.

    `figure` is what it says of the slice (or of the case) in one number, None where it says none;
    `parameters` are the settings it was made with.
    """

    name: str
    sha256: str
    maps: tuple[ScalarMap, ...] = ()
    figure: float | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    def map(self, name: str) -> ScalarMap | None:
        """The map of that name, or None."""
        return next((each for each in self.maps if each.name == name), None)


@dataclass(frozen=True, slots=True, eq=False)
class Swipe:
    """Old to the left of the divider, new to the right, on slice `slice` along array axis `axis`.

    `share` is where the divider stands, 0 at the left edge of the image and 1 at the right one;
    `shown` "old" or "new" shows only that one (blinking).
    """

    old: Side
    new: Side
    slice: int
    axis: int
    share: float = 0.5
    shown: Shown = "both"

    @property
    def names(self) -> tuple[str, ...]:
        """Maps that both have."""
        return tuple(each.name for each in self.old.maps if self.new.map(each.name) is not None)
