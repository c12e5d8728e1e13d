"""What the anomaly model says of a volume: of its slices as they lie, or of a turned head upright.

The model is asked of some slices, and told of are the volume's own: for a head that is shown
upright these are others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.progress import Progress
from medview.learning.anomaly_engine import Engine, noise_for, run_slices
from medview.learning.anomaly_maps import SliceMaps
from medview.learning.anomaly_scores import Drawn
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.brain import Prepared
from medview.learning.sheets import Sheets
from medview.learning.upright_slices import Upright, WayBack

_Brain = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The slices that the model is asked of: those of the volume, or those of its head upright.

    `lying` are the volume's own slices, `heights` (n,) which of the shown ones the model is
    asked of, in order.
    """

    lying: Prepared
    heights: NDArray[np.intp]
    upright: Upright | None = None

    @classmethod
    def of(cls, lying: Prepared, upright: Upright | None = None, *, part: bool = False) -> Asked:
        """All that there is to ask; of a `part` of the volume only what that needs."""
        if upright is None:
            return cls(lying, lying.scored)
        heights = upright.asked_for(lying) if part else upright.prepared.scored
        return cls(lying, heights, upright)

    @property
    def shown(self) -> Prepared:
        """What the model sees."""
        return self.upright.prepared if self.upright else self.lying

    @property
    def brain(self) -> _Brain:
        """The brain in the slices that the model is asked of."""
        return self.shown.brain[self.heights]

    def told(self, maps: SliceMaps, brain: _Brain) -> tuple[SliceMaps, _Brain]:
        """Maps of all slices asked of, and the brain in them, on the volume's own."""
        if self.upright is None:
            return maps, brain
        back = WayBack(self.upright, self.lying, self.heights)
        rows = back.add(slice(0, len(brain)), _channels(maps, brain))
        return _maps_of(back.slices(rows), self.lying.brain[self.lying.scored])

    def told_each(self, figures: NDArray[np.float64]) -> NDArray[np.float64]:
        """A figure of each slice asked of (n,) as the mean over each of the volume's own."""
        if self.upright is None:
            return figures
        shape = (len(figures), *self.upright.prepared.slices.shape[1:])
        whole = np.ones(shape, np.float32)
        back = WayBack(self.upright, self.lying, self.heights)
        each = np.nan_to_num(figures).astype(np.float32)[:, None, None] * whole
        weight, value = back.slices(back.add(slice(0, len(figures)), np.stack([whole, each])))
        brain = self.lying.brain[self.lying.scored]
        total = (weight * brain).sum(axis=(1, 2), dtype=np.float64)
        return np.asarray((value * brain).sum(axis=(1, 2)) / np.maximum(total, 1e-6))


def draw_volume(
    job: Progress, engine: Engine, asked: Asked, settings: AnomalySettings, seed: int
) -> tuple[Drawn, Sheets]:
    """Run the slices that are asked of, and fill the volume's maps as they come.

    Noise is drawn for all slices from the lowest that holds anything, so that a seed means the
    same whatever is left out, and however many empty slices lie below. The volume's own slices
    of the score go to ``job.partial`` as soon as they are known, not yet smoothed over their
    neighbours; they are empty where the model does not recognise what it was shown.
    """
    shown, kept, sheets = asked.shown, asked.heights, Sheets(asked.lying)
    slices, brain = shown.slices[kept], shown.brain[kept]
    own = asked.lying.scored
    back = WayBack(asked.upright, asked.lying, kept) if asked.upright else None

    def fill(here: slice, pictures: NDArray[np.float32], aleatoric: NDArray[np.float32]) -> None:
        block = Drawn(slices[here], brain[here], pictures, aleatoric).judged(settings.floor)
        maps, heights = block.slice_maps(settings), kept[here]
        if back is not None:
            rows = back.add(here, _channels(maps, block.brain))
            if not rows.size:
                return
            heights = own[rows]
            maps, _ = _maps_of(back.slices(rows), asked.lying.brain[heights])
        sheets.add(heights, maps)
        for one in sheets.slices("score", heights):
            job.partial(one)

    first = shown.lowest
    noise = noise_for(len(shown.slices) - first, settings.samples, seed)[:, kept - first]
    return Drawn(slices, brain, *run_slices(engine, slices, noise, job, fill)), sheets


def _channels(maps: SliceMaps, brain: _Brain) -> NDArray[np.float32]:
    contrast = maps.residual if maps.contrast is None else maps.contrast
    parts = (maps.x_bar, maps.residual, maps.epistemic, maps.aleatoric, contrast, brain)
    return np.stack([np.asarray(part, dtype=np.float32) for part in parts])


def _maps_of(
    channels: NDArray[np.float32], lying: NDArray[np.bool_]
) -> tuple[SliceMaps, NDArray[np.bool_]]:
    """Maps of slices from their channels, within the brain of these slices and of those shown."""
    brain = lying & (channels[-1] > 0.5)
    x_bar, residual, epistemic, aleatoric, contrast = channels[:-1] * brain
    return SliceMaps(x_bar, residual, epistemic, aleatoric, contrast), np.asarray(brain)
