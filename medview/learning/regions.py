"""A T1 volume to brain regions: a map on its own grid and volumes in ml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medview.domain.card import ModelCard
from medview.domain.errors import WeightsError
from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning.region_age import AgeModel
from medview.learning.region_grid import BRIGHTEST, STEP_MM, Boxed, boxed, look_up
from medview.learning.region_groups import CLASSES, mirrored
from medview.learning.weights import (
    card_of,
    fill,
    load_state,
    shipped,
    usable_settings,
)
from medview.models.region_net import RegionNet, RegionOptions

MODEL = "region-net"
_SLICES_AT_ONCE = 8
_STEPS = (0, 1)
"""By how many voxels along each axis a head is moved before the network is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """What was found in a head.

    `map` holds region numbers on the volume's own grid (k, j, i); `seen` what the network was
    given there, 0-1; `ml` the volumes of all regions (regions,), summed over the network's
    probabilities, so that half a voxel counts as half.
    """

    map: NDArray[np.uint8]
    seen: NDArray[np.float32]
    ml: NDArray[np.float64]
    box: Boxed

    @property
    def icv_ml(self) -> float:
        """Brain and fluid together: all regions."""
        return float(self.ml.sum())


@torch.inference_mode()
def class_shares(network: RegionNet, box: Boxed) -> Tensor:
    """Probability of each class in the box, (classes, 80, 104, 80).

    The mean over the head and its mirror image, with left and right changed back, each as it is
    and moved by a voxel: the network answers for blocks of 2 x 2 x 2 voxels and finds a voxel of
    one place in its block less well than of another, and neither side of the brain is treated
    other than the other.
    """
    shown = torch.from_numpy(box.shown)[None, None]
    # In place: each is 75 MB.
    return reduce(Tensor.add_, _looks(network, shown)).div_(2 * len(_STEPS))


def _looks(network: RegionNet, x: Tensor) -> Iterator[Tensor]:
    """Probabilities (classes, 80, 104, 80) of each look at a head, all as the head lies."""
    for step in _STEPS:
        yield _moved(network, x, step)
        yield _moved(network, x.flip(4), step).flip(3)[list(mirrored())]


def _moved(network: RegionNet, x: Tensor, step: int) -> Tensor:
    """Probabilities of a head that the network is shown `step` voxels to head, back and left.

    What leaves the box on one side comes in on the other: nothing is shown there.
    """
    axes = (-3, -2, -1)
    shown = torch.roll(x, (step,) * 3, axes) if step else x
    found = torch.softmax(network(shown)[0], 0)
    return torch.roll(found, (-step,) * 3, axes) if step else found


def find_regions(volume: Volume, network: RegionNet, box: Boxed | None = None) -> Regions:
    """Find the regions of a T1 volume, any orientation and spacing.

    Raises
    ------
    ModelInputError
        The volume cannot be used, or no brain is found in it.
    """
    box = boxed(volume) if box is None else box
    shares = class_shares(network, box)
    ml = shares[1:].double().sum(dim=(1, 2, 3)).numpy() * STEP_MM**3 / 1000
    seen = look_up(torch.from_numpy(box.shown)[None], box.geometry, volume.geometry)[0].numpy()
    found = _on_grid(shares, box.geometry, volume.geometry)
    seen = np.asarray(seen / BRIGHTEST, dtype=np.float32)
    return Regions(found, seen, np.asarray(ml, dtype=np.float64), box)


def _on_grid(shares: Tensor, source: Geometry, target: Geometry) -> NDArray[np.uint8]:
    """The likeliest class at each voxel of another grid, a few slices at a time."""
    found = np.zeros(target.shape, dtype=np.uint8)
    for first in range(0, target.shape[0], _SLICES_AT_ONCE):
        few = min(_SLICES_AT_ONCE, target.shape[0] - first)
        affine = target.affine.copy()
        affine[:3, 3] = target.to_mm((first, 0, 0))
        slab = Geometry((few, *target.shape[1:]), affine)
        found[first : first + few] = look_up(shares, source, slab).argmax(0).numpy()
    return found


@dataclass(frozen=True, slots=True, eq=False)
class RegionModel:
    """The network with its card and the age model that was fitted on the same regions."""

    network: RegionNet
    card: ModelCard
    age: AgeModel | None


def load_for_check(weights: Path) -> tuple[RegionNet, ModelCard]:
    """The network and its card, for the check of a weights file."""
    model = load_region_model(weights)
    return model.network, model.card


def load_region_model(weights: Path | None = None) -> RegionModel:
    """The network in evaluation mode; the shipped one, or a file with its card beside it.

    Raises
    ------
    WeightsError
        Weights missing, damaged or foreign.
    """
    path = weights or shipped(MODEL)
    card = card_of(path, MODEL, "the region network")
    given = card.settings.get("network", {})
    with usable_settings(path):
        options = RegionOptions(tuple(given["widths"]), given["hidden"], given["classes"])  # type: ignore[index]  # a table of the card
        age = AgeModel.from_card(card.settings.get("age"))
    if options.classes != CLASSES:
        raise WeightsError(
            f"the weights know {options.classes} classes, the program {CLASSES}",
            file=path.name,
            do="Use weights made for this version.",
            code="MV-WGT-005",
        )
    network = RegionNet(options)
    fill(network, load_state(path, card), path.name)
    return RegionModel(network.eval().to(memory_format=torch.channels_last_3d), card, age)  # type: ignore[call-overload]  # torch does not annotate it
