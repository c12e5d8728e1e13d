"""Where the brain is: a small 3-D LinkNet on a 128-cubed copy of the head.

Architecture and weights: deepbet 1.0 (Fisch and others, 2024; MIT licence), its first
network, which finds the brain at low resolution. We use it alone: 0.3 s on two cores,
and a 128 x 128 anomaly model needs no finer outline.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SIDE = 128
"""The network sees the whole volume squeezed to SIDE voxels along each axis."""


def _norm(channels: int) -> nn.InstanceNorm3d:
    return nn.InstanceNorm3d(channels)


class _Block(nn.Module):
    """Two 3x3x3 convolutions round a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False),
            _norm(outputs),
            nn.ReLU(),
            nn.Conv3d(outputs, outputs, 3, 1, 1, bias=False),
            _norm(outputs),
        )
        self.downsample = (
            nn.Sequential(nn.Conv3d(inputs, outputs, 1, stride, bias=False), _norm(outputs))
            if stride != 1 or inputs != outputs
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.double_conv(x) + self.downsample(x))


class _Down(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.block1 = _Block(inputs, outputs, stride)
        self.block2 = _Block(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block2(self.block1(x))
        return out


class _Up(nn.Module):
    """A quarter of the channels, twice the size (or the same for `stride` 1), then `outputs`."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        narrow = inputs // 4
        self.conv1 = nn.Sequential(nn.Conv3d(inputs, narrow, 1, bias=False), _norm(narrow))
        self.tp_conv = nn.Sequential(
            nn.ConvTranspose3d(narrow, narrow, 3, stride, 1, stride - 1, bias=False), _norm(narrow)
        )
        self.conv2 = nn.Sequential(nn.Conv3d(narrow, outputs, 1, bias=False), _norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.tp_conv(x))
        return torch.relu(self.conv2(x))


class BrainMask(nn.Module):
    """(B, 1, 128, 128, 128) intensities in 0..1 to the probability of brain, same shape.

    Axes are right to left, back to front, feet to head or their mirror: RAS, as it was trained.
    """

    def __init__(self) -> None:
        super().__init__()
        self.init = nn.Sequential(nn.Conv3d(1, 16, 7, 2, 3, bias=False), _norm(16))
        self.down0 = _Down(16, 16, 1)
        self.down1 = _Down(16, 32, 2)
        self.down2 = _Down(32, 64, 2)
        self.down3 = _Down(64, 128, 2)
        self.up0 = _Up(128, 64, 2)
        self.up1 = _Up(64, 32, 2)
        self.up2 = _Up(32, 16, 2)
        self.up3 = _Up(16, 16, 1)
        self.tp_conv1 = nn.Sequential(nn.ConvTranspose3d(16, 8, 3, 2, 1, 1), _norm(8))
        self.conv = nn.Sequential(nn.Conv3d(8, 8, 3, 1, 1), _norm(8))
        self.tp_conv2 = nn.ConvTranspose3d(8, 2, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Probability of brain, (B, 1, 128, 128, 128) in and out."""
        x = torch.relu(self.init(x))  # (B, 16, 64, 64, 64)
        stem = nn.functional.max_pool3d(x, 3, 2, 1)  # (B, 16, 32, 32, 32)
        top = self.down0(stem)
        one = self.down1(top)
        two = self.down2(one)
        x = self.up0(self.down3(two)) + two
        x = self.up1(x) + one
        x = self.up2(x) + top
        x = torch.relu(self.tp_conv1(self.up3(x) + stem))  # (B, 8, 64, 64, 64)
        x = torch.relu(self.conv(x))
        return torch.softmax(self.tp_conv2(x), 1)[:, 1:]
