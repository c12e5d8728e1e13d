"""Where the lungs are in a chest film: a small 2-D U-Net on a copy of 64 x 64 pixels."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 64
"""The network sees the whole film squeezed to SIDE pixels along each axis."""
WIDTHS = (12, 24, 36, 48)


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3 x 3 convolutions."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)


class LungNet(nn.Module):
    """(B, 1, 64, 64) grey values in 0..1, air dark, to the logit of lung, same shape."""

    def __init__(self) -> None:
        super().__init__()
        pairs = list(pairwise(WIDTHS))
        self.first = _block(1, WIDTHS[0])
        self.down = nn.ModuleList(_block(a, b) for a, b in pairs)
        self.up = nn.ModuleList(_block(a + b, a) for a, b in reversed(pairs))
        self.last = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logit of lung, (B, 1, 64, 64) in and out."""
        kept = [self.first(x)]
        for block in self.down:
            kept.append(block(F.max_pool2d(kept[-1], 2)))
        x = kept.pop()
        for block in self.up:
            wide = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = block(torch.cat([wide, kept.pop()], 1))
        out: Tensor = self.last(x)
        return out
