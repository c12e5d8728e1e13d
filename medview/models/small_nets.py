"""Small image encoders without torchvision: EfficientNet-Lite0, MobileNetV2, ShuffleNetV2, ResNet.

Each is a list of ``stages`` that turns pictures (B, 3, H, W) into a map (B, F, H/32, W/32), so
that any number of first stages can be frozen and what they give be kept.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medview.models.resnet import BasicBlock


class SamePadConv(nn.Conv2d):
    """A convolution that pads as TensorFlow does: the odd pixel below and to the right."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        pads: list[int] = []
        for size, kernel, stride in (
            (x.shape[3], self.kernel_size[1], self.stride[1]),
            (x.shape[2], self.kernel_size[0], self.stride[0]),
        ):
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [missing // 2, missing - missing // 2]
        padded = F.pad(x, pads)
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, 1, self.groups)


def _lite_conv(inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1,
               act: bool = True) -> nn.Sequential:  # fmt: skip
    parts: list[nn.Module] = [
        SamePadConv(inside, outside, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(outside, eps=1e-3, momentum=0.01),
    ]
    return nn.Sequential(*parts, nn.ReLU6()) if act else nn.Sequential(*parts)


class InvertedBlock(nn.Module):
    """Expand, depthwise convolution, project; added to the input where shapes allow (MBConv)."""

    def __init__(self, parts: nn.Sequential, shortcut: bool) -> None:
        super().__init__()
        self.conv = parts
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / stride, W / stride)."""
        y: Tensor = self.conv(x)
        return x + y if self.shortcut else y


def _lite_block(inside: int, outside: int, kernel: int, stride: int, ratio: int) -> InvertedBlock:
    wide = inside * ratio
    parts = [_lite_conv(inside, wide, 1)] if ratio != 1 else []
    parts += [
        _lite_conv(wide, wide, kernel, stride, wide),
        _lite_conv(wide, outside, 1, act=False),
    ]
    return InvertedBlock(nn.Sequential(*parts), stride == 1 and inside == outside)


# kernel, stride, expansion, channels, repeats of EfficientNet-Lite0
_LITE0 = (
    (3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1),
)  # fmt: skip


def efficientnet_lite0() -> nn.Sequential:
    """EfficientNet-Lite0 without its last layer: 3,371,008 parameters, 18 stages, 1,280 features.

    Tan and Le 2019, and the Lite variant of 2020: no squeeze-and-excitation, ReLU6.
    """
    stages: list[nn.Module] = [_lite_conv(3, 32, 3, 2)]
    inside = 32
    for kernel, stride, ratio, outside, repeats in _LITE0:
        for number in range(repeats):
            step = stride if number == 0 else 1
            stages.append(_lite_block(inside, outside, kernel, step, ratio))
            inside = outside
    return nn.Sequential(*stages, _lite_conv(inside, 1280, 1))


def _conv(inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1,
          act: type[nn.Module] | None = nn.ReLU) -> list[nn.Module]:  # fmt: skip
    parts: list[nn.Module] = [
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
    ]
    return [*parts, act()] if act else parts


# expansion, channels, repeats, stride of MobileNetV2 (Sandler and others 2018)
_MOBILE = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


def mobilenet_v2() -> nn.Sequential:
    """MobileNetV2 without its last layer: 2,223,872 parameters, 1,280 features."""
    stages: list[nn.Module] = [nn.Sequential(*_conv(3, 32, 3, 2, act=nn.ReLU6))]
    inside = 32
    for ratio, outside, repeats, stride in _MOBILE:
        for number in range(repeats):
            step, wide = (stride if number == 0 else 1), inside * ratio
            parts = _conv(inside, wide, 1, act=nn.ReLU6) if ratio != 1 else []
            parts += _conv(wide, wide, 3, step, wide, nn.ReLU6)
            parts += _conv(wide, outside, 1, act=None)
            stages.append(InvertedBlock(nn.Sequential(*parts), step == 1 and inside == outside))
            inside = outside
    return nn.Sequential(*stages, nn.Sequential(*_conv(inside, 1280, 1, act=nn.ReLU6)))


class ShuffleUnit(nn.Module):
    """A unit of ShuffleNetV2 (Ma and others 2018): half of the channels passes unchanged."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        half = outside // 2
        given = inside if stride > 1 else half
        self.stride = stride
        first = _conv(given, given, 3, stride, given, None) + _conv(given, half, 1)
        self.branch1 = nn.Sequential(*first) if stride > 1 else nn.Sequential()
        self.branch2 = nn.Sequential(
            *_conv(given, half, 1), *_conv(half, half, 3, stride, half, None), *_conv(half, half, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / stride, W / stride)."""
        kept, changed = x.chunk(2, 1) if self.stride == 1 else (self.branch1(x), x)
        y = torch.cat([kept, self.branch2(changed)], 1)
        b, c, h, w = y.shape
        return y.view(b, 2, c // 2, h, w).transpose(1, 2).reshape(b, c, h, w)


def shufflenet_v2(width: int) -> nn.Sequential:
    """ShuffleNetV2 without its last layer, 1,024 features.

    `width` is that of its second stage: 48 is "x0.5" (341,792 parameters), 116 "x1.0" (1,253,604).
    """
    stages: list[nn.Module] = [nn.Sequential(*_conv(3, 24, 3, 2)), nn.MaxPool2d(3, 2, 1)]
    inside = 24
    for outside, repeats in ((width, 4), (2 * width, 8), (4 * width, 4)):
        for number in range(repeats):
            stages.append(ShuffleUnit(inside, outside, 1 if number else 2))
            inside = outside
    return nn.Sequential(*stages, nn.Sequential(*_conv(inside, 1024, 1)))


def resnet(repeats: tuple[int, ...]) -> nn.Sequential:
    """ResNet of two-layer blocks without its last layer, 512 features.

    (2, 2, 2, 2) is ResNet-18 (11,176,512 parameters), (3, 4, 6, 3) ResNet-34 (21,284,672).
    """
    stages: list[nn.Module] = [nn.Sequential(*_conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))]
    inside = 64
    for number, count in enumerate(repeats):
        outside = 64 << number
        for block in range(count):
            stages.append(BasicBlock(inside, outside, 2 if block == 0 and number else 1))
            inside = outside
    return nn.Sequential(*stages)
