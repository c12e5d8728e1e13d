"""Where the anomaly model's attention lies: does it look at the rim of a lesion?

The attention asked is that of the encoder on 32 x 32 positions, the finest that sees the picture
itself. Its mass at a position is what the positions in the brain give it as a key, all heads.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from medview.models.anomaly_vae import AnomalyVae
from medview.models.blocks import SpatialAttention, channels_last

BAND_PX = 3
"""The rim of a lesion reaches so far inwards and outwards: 9 mm in all."""
_PLACE = 2
"""Of that attention among the parts of the encoder."""
_AT_ONCE = 2
"""Slices: each has some 8 million weights."""


def band(lesion: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The rim of the lesion of each slice, (n, 128, 128)."""
    cross = ndimage.generate_binary_structure(2, 1)[None]
    wide = ndimage.binary_dilation(lesion, cross, BAND_PX)
    return np.asarray(wide & ~ndimage.binary_erosion(lesion, cross, BAND_PX), dtype=np.bool_)


@torch.inference_mode()
def attention_mass(
    model: AnomalyVae, slices: NDArray[np.float32], brain: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Mass of each position of each slice (n, 32, 32), 1 in all.

    Raises
    ------
    ValueError
        A network without attention.
    """
    attention = model.encoder[_PLACE]
    if not isinstance(attention, SpatialAttention):
        raise ValueError("the network has no attention")
    device = model.to_mean.weight.device
    found = []
    for first in range(0, len(slices), _AT_ONCE):
        x = torch.from_numpy(slices[first : first + _AT_ONCE])[:, None].to(device)
        hidden = model.encoder[:_PLACE](channels_last(x))
        side = hidden.shape[-1]
        asking = _pooled(brain[first : first + _AT_ONCE], side).to(device)
        weights = attention.weights(hidden).mean(1)  # (b, positions, keys)
        mass = (asking[:, None] @ weights)[:, 0]
        found.append((mass / mass.sum(1, keepdim=True)).reshape(-1, side, side).cpu().numpy())
    return np.concatenate(found)


def lift(
    mass: NDArray[np.float32], part: NDArray[np.bool_], brain: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Share of the brain's mass in a part of it over that part's share of the brain, (n,).

    1 is attention that does not care for the part; NaN where there is none of it.
    """
    side = mass.shape[-1]
    given = torch.from_numpy(mass).double().flatten(1)
    here, whole = _pooled(part & brain, side).double(), _pooled(brain, side).double()
    share = (given * here).sum(1) / (given * whole).sum(1)
    return np.asarray((share / (here.sum(1) / whole.sum(1))).numpy(), dtype=np.float64)


def _pooled(mask: NDArray[np.bool_], side: int) -> Tensor:
    """How much of each position a mask (n, 128, 128) covers, (n, side * side)."""
    whole = torch.from_numpy(mask.astype(np.float32))[:, None]
    return F.avg_pool2d(whole, mask.shape[-1] // side).flatten(1)
