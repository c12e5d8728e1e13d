"""ResNet-34 as an image encoder, with the names of parameters that torchvision and timm use.

He et al., Deep Residual Learning, 2015. Weights of either library fit without renaming; neither
library is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEATURES = 512
"""Length of the pooled feature vector."""
_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.downsample = (
            None
            if stride == 1 and inside == outside
            else nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / stride, W / stride)."""
        kept = x if self.downsample is None else self.downsample(x)
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + kept)


class ResNet34(nn.Module):
    """Pictures (B, 3, H, W) to features (B, 512); 21,284,672 parameters.

    The 1000-class layer of ImageNet (``fc``) is left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inside = 64
        for number, (width, blocks) in enumerate(_STAGES, start=1):
            first = 1 if number == 1 else 2
            parts = [BasicBlock(inside, width, first)]
            parts += [BasicBlock(width, width, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*parts))
            inside = width

    def forward(self, x: Tensor) -> Tensor:
        """Features, averaged over the picture."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for number in range(1, len(_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean((2, 3))
