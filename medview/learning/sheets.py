"""The maps of a volume while they are made: model slices in, maps on the volume's own grid out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from medview.domain.overlay import UNCERTAINTIES
from medview.domain.prediction import MapSlices
from medview.learning.anomaly_maps import SliceMaps, combine
from medview.learning.brain import Prepared

NAMES = ("score", "residual", *UNCERTAINTIES)


class Sheets:
    """Maps in canonical order (head, posterior, left), filled block by block.

    Residual and variances go to the volume's grid; total and score are worked out there, so that
    they fit each other voxel by voxel. Outside the brain, and in slices never added, all is 0.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._grid = prepared.grid
        self._brain = prepared.grid.from_volume(prepared.mask)
        self._filled = {name: np.zeros(self._grid.shape, np.float32) for name in NAMES}

    def add(self, heights: NDArray[np.intp], found: SliceMaps) -> None:
        """Put the maps of model slices (n, 128, 128) where they belong."""
        residual, epistemic, aleatoric = (
            self._grid.from_model(values) * self._brain[heights]
            for values in (found.residual, found.epistemic, found.aleatoric)
        )
        total = epistemic + aleatoric
        score = combine(residual, epistemic, total, "ratio")
        for name, values in zip(NAMES, (score, residual, epistemic, aleatoric, total), strict=True):
            self._filled[name][heights] = values

    def slices(self, name: str, heights: NDArray[np.intp]) -> Iterator[MapSlices]:
        """Single slices of a map as they are sent ahead of the whole."""
        for height in heights:
            index, picture = self._grid.volume_slice(int(height), self._filled[name][height])
            yield MapSlices(name, index, picture[None], self._grid.order[0])

    def volume(self, name: str) -> NDArray[np.float32]:
        """A map on the volume's own grid, (k, j, i)."""
        return np.asarray(self._grid.to_volume(self._filled[name]), dtype=np.float32)
