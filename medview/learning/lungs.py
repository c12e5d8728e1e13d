"""Lungs in a chest film: their mask, their zones, and the square about them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from scipy import ndimage
from torch.nn import functional as F

from medview.domain.card import ModelCard
from medview.domain.errors import WeightsError
from medview.domain.resources import resource
from medview.io.cards import WEIGHTS
from medview.learning.film_squares import Picture
from medview.learning.weights import card_of, fill, load_state
from medview.models.lung_net import SIDE as LUNG_SIDE
from medview.models.lung_net import LungNet

Mask = NDArray[np.bool_]

BORDER = 0.05
"""Room left around the lungs, as a share of their box."""
SPECK = 0.02
"""Connected regions smaller than this share of the film are no lung."""
FEWEST_LUNG = 0.04
"""Below this share of the film no lungs were found, and the picture is refused."""


@lru_cache(maxsize=1)
def lung_network() -> LungNet:
    """The built-in lung network, ready to use.

    Raises
    ------
    WeightsError
        If its weights are missing or damaged.
    """
    network = LungNet().eval()
    try:
        weights = load_file(resource("weights", "lung-net", WEIGHTS))
        network.load_state_dict({name: _whole(value) for name, value in weights.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            "the weights of the lung network are missing or damaged",
            file="lung-net/weights.safetensors",
            do="Install the program again.",
            code="MV-WGT-008",
        ) from error
    return network


def load_for_check(weights: Path) -> tuple[LungNet, ModelCard]:
    """The network and its card, for the check of a weights file.

    Raises
    ------
    WeightsError
        Weights missing, damaged or foreign.
    """
    card = card_of(weights, "lung-net", "the lung network")
    network = LungNet()
    fill(network, load_state(weights, card), weights.name)
    return network.eval(), card


def _whole(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def lung_mask(grey: Picture, network: LungNet | None = None) -> Mask:
    """Lungs on the film's own grid: regions of at least 2 % of the film, the two largest."""
    net = network or lung_network()
    with torch.inference_mode():
        logit = net(resized(grey, LUNG_SIDE)[None, None])
        wide = F.interpolate(logit, grey.shape, mode="bilinear", align_corners=False)
    return two_largest(wide[0, 0].numpy() > 0)


def resized(grey: Picture, side: int) -> torch.Tensor:
    """The picture squeezed to (side, side), averaged where it shrinks."""
    x = torch.from_numpy(np.ascontiguousarray(grey))[None, None]
    small = F.interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return small[0, 0]


def two_largest(mask: Mask) -> Mask:
    """The two largest regions of at least 2 % of the film, holes filled."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(labels.ravel())[1:]
    kept = [n + 1 for n in np.argsort(-sizes, kind="stable")[:2] if sizes[n] >= SPECK * mask.size]
    return np.asarray(ndimage.binary_fill_holes(np.isin(labels, kept)), dtype=np.bool_)


def label_zones(mask: Mask) -> NDArray[np.int8]:
    """Number the zones of two lungs: 1 to 3 down the left of the picture, 4 to 6 down the right.

    Each lung is cut into thirds of its own height (the published zones are cut at the aortic
    arch and the lower pulmonary vein, which thirds approach). All 0 when two lungs side by side
    cannot be told apart.
    """
    zones = np.zeros(mask.shape, np.int8)
    pair = _side_by_side(mask)
    if pair is None:
        return zones
    for first, lung in zip((1, 4), pair, strict=True):
        rows = np.flatnonzero(lung.any(axis=1))
        height = np.arange(mask.shape[0]) - rows[0]
        third = np.clip(3 * height // (rows[-1] - rows[0] + 1), 0, 2)
        zones[lung] = np.broadcast_to((first + third)[:, None], mask.shape)[lung]
    return zones


def _side_by_side(mask: Mask) -> tuple[Mask, Mask] | None:
    """The lung on the left of the picture and the one on the right, or None."""
    labels, count = ndimage.label(mask)
    if count == 1:  # grown together: parted where the fewest rows are lung
        columns = np.flatnonzero(mask.any(axis=0))
        width = columns[-1] - columns[0] + 1
        middle = slice(columns[0] + width * 3 // 10, columns[0] + width * 7 // 10 + 1)
        cut = middle.start + int(np.argmin(mask.sum(axis=0)[middle]))
        left = np.arange(mask.shape[1]) < cut
        pair = (mask & left, mask & ~left)
    elif count == 2:
        pair = (labels == 1, labels == 2)
        if _middle_column(pair[0]) > _middle_column(pair[1]):
            pair = pair[::-1]
    else:
        return None
    sizes = sorted(int(lung.sum()) for lung in pair)
    tops = [np.flatnonzero(lung.any(axis=1))[[0, -1]] for lung in pair if lung.any()]
    if len(tops) < 2 or sizes[0] < 0.2 * sizes[1]:
        return None
    overlap = min(t[1] for t in tops) - max(t[0] for t in tops)
    return pair if overlap > 0.4 * max(t[1] - t[0] for t in tops) else None


def _middle_column(mask: Mask) -> float:
    return float(np.nonzero(mask)[1].mean())


def lung_box(mask: Mask) -> tuple[float, float, float]:
    """Top, left and side of the square about a mask with its border, kept inside the film."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    side = float(max(height, width) * (1 + 2 * BORDER))
    corner = []
    for first, extent, whole in (
        (rows[0], height, mask.shape[0]),
        (columns[0], width, mask.shape[1]),
    ):
        start = first + extent / 2 - side / 2
        room = whole - side
        corner.append(float(np.clip(start, 0, room)) if room >= 0 else float(room / 2))
    return corner[0], corner[1], side
