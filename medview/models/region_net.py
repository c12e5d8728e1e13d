"""Regions of the brain: a small 3-D U-Net on a 2 mm copy of the head.

Blocks of 2 x 2 x 2 voxels are folded into channels, so that all convolutions work on a 4 mm
grid (an eighth of the cost), and the head unfolds its answer again (sub-pixel convolution, Shi
and others, CVPR 2016). The head sees the voxels of a block beside what the levels found: the
eight answers of a block are more numbers than the first level has channels. Three more channels
tell each voxel where it lies in the box, and the logits start from an atlas: how often each
class is found at that place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FOLD = 2
"""Side of the block of voxels that becomes channels."""


@dataclass(frozen=True, slots=True)
class RegionOptions:
    """Channels of each level and of the head, classes (with background), and atlas cells."""

    widths: tuple[int, ...] = (32, 64, 128)
    hidden: int = 128
    classes: int = 28
    atlas: tuple[int, int, int] = (40, 52, 40)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm3d(outputs, momentum=0.03),
        nn.LeakyReLU(0.01, inplace=True),
        nn.Conv3d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm3d(outputs, momentum=0.03),
        nn.LeakyReLU(0.01, inplace=True),
    )


class RegionNet(nn.Module):
    """(B, 1, D, H, W) intensities to class logits; sides are multiples of 2 per level.

    The axes grow to head, posterior and left, always: which side is left follows from where
    a voxel lies, not from what it shows.
    """

    atlas: Tensor

    def __init__(self, options: RegionOptions = RegionOptions()) -> None:
        super().__init__()
        widths = options.widths
        self.classes = options.classes
        first = 4 * FOLD**3
        self.down = nn.ModuleList([_block(i, o) for i, o in pairwise((first, *widths))])
        self.wider = nn.ModuleList([nn.ConvTranspose3d(b, a, 2, 2) for a, b in pairwise(widths)])
        self.up = nn.ModuleList([_block(2 * a, a) for a in widths[:-1]])
        self.mixed = nn.Linear(widths[0] + first, options.hidden)
        self.head = nn.Linear(options.hidden, options.classes * FOLD**3)
        self.register_buffer("atlas", torch.zeros(1, options.classes, *options.atlas))

    def start_from(self, atlas: Tensor) -> None:
        """Take the logarithm of class shares (classes, d, h, w) for what is known beforehand."""
        self.atlas.copy_(atlas[None])
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def cells(
        self, x: Tensor, places: Tensor | None = None, chosen: Tensor | None = None
    ) -> Tensor:
        """Logits of each voxel of each block, (B, D/2, H/2, W/2, 8, classes).

        `places` (B, 3, D, H, W) says where the voxels of a part of the box lie in it. With
        `chosen` (B, D/2, H/2, W/2) only these blocks are answered, (n, 8, classes).
        """
        places = places_of(x) if places is None else places
        blocks = fold(torch.cat([x, places], 1))
        x, kept = blocks, []
        for level, part in enumerate(self.down):
            x = part(x if level == 0 else F.max_pool3d(x, 2))
            kept.append(x)
        for level in range(len(self.up) - 1, -1, -1):
            x = self.up[level](torch.cat([kept[level], self.wider[level](x)], 1))
        found = torch.cat([x, blocks], 1).permute(0, 2, 3, 4, 1)
        middle = F.avg_pool3d(places, FOLD).permute(0, 2, 3, 4, 1).flip(-1)
        if chosen is not None:
            found, middle = found[chosen], middle[chosen]
        wide: Tensor = self.head(F.leaky_relu(self.mixed(found), 0.01))
        cells = wide.reshape(*wide.shape[:-1], FOLD**3, self.classes)
        return cells + self._known(middle)[..., None, :]

    def _known(self, middle: Tensor) -> Tensor:
        """What the atlas says at places (..., 3) of x, y and z, -1 to 1: (..., classes)."""
        at = middle.reshape(1, -1, 1, 1, 3)
        found = F.grid_sample(self.atlas, at, align_corners=False, padding_mode="border")
        return found[0, :, :, 0, 0].T.reshape(*middle.shape[:-1], self.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits (B, classes, D, H, W)."""
        cells = self.cells(x)
        b, d, h, w, _, classes = cells.shape
        blocks = cells.reshape(b, d, h, w, FOLD, FOLD, FOLD, classes)
        spread = blocks.permute(0, 7, 1, 4, 2, 5, 3, 6)
        return spread.reshape(b, classes, d * FOLD, h * FOLD, w * FOLD)


def places_of(x: Tensor) -> Tensor:
    """Where each voxel lies in the box, -1 to 1 along each axis: (B, 3, D, H, W)."""
    sides = [torch.linspace(-1, 1, n, dtype=x.dtype, device=x.device) for n in x.shape[2:]]
    places = torch.stack(torch.meshgrid(*sides, indexing="ij"))
    return places[None].expand(x.shape[0], -1, -1, -1, -1)


def fold(x: Tensor) -> Tensor:
    """Blocks of 2 x 2 x 2 voxels become channels: (B, C, D, H, W) to (B, 8 C, D/2, H/2, W/2).

    The place in the block runs fastest, in the order of `cells`.
    """
    b, c, d, h, w = x.shape
    blocks = x.reshape(b, c, d // FOLD, FOLD, h // FOLD, FOLD, w // FOLD, FOLD)
    turned = blocks.permute(0, 1, 3, 5, 7, 2, 4, 6)
    folded = turned.reshape(b, c * FOLD**3, d // FOLD, h // FOLD, w // FOLD)
    return folded.contiguous(memory_format=torch.channels_last_3d)
