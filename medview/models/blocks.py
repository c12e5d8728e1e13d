"""Parts that several networks share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_NARROW, _USUAL = 8, 16
"""Head widths below which torch's kernel loses time on a CPU; from `_USUAL` on it is the best."""
_SCORES_AT_ONCE = 1 << 19
"""Two megabytes of scores: what stays in the cache of one core."""


def channels_last(x: Tensor) -> Tensor:
    """The same values, channels innermost: faster convolutions on CPUs."""
    return x.contiguous(memory_format=torch.channels_last)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(Q K^T / sqrt(d_k)) V over (B, heads, positions, d_k); keys may be fewer.

    Narrow heads go other ways on a CPU, in float32, the same within 1e-5: without a gradient at
    width 8 (1,024 keys) 1.4 times, at width 4 (64 keys) 1.7 times as fast as torch's own kernel;
    with one, unless the products are of half precision, at least twice.
    """
    width = query.shape[-1]
    if width >= _USUAL or query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value)
    if torch.is_grad_enabled():
        usual = query.dtype != torch.float32
        way = F.scaled_dot_product_attention if usual else _attend_padded
        return way(query, key, value)
    with torch.autocast("cpu", enabled=False):
        whole = [part.float() for part in (query, key, value)]
        mixed = _attend_padded(*whole) if width >= _NARROW else _attend_narrow(*whole)
    return mixed.to(query.dtype)


def _attend_padded(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    width = query.shape[-1]
    query, key, value = (F.pad(part, (0, _USUAL - width)) for part in (query, key, value))
    return F.scaled_dot_product_attention(query, key, value, scale=width**-0.5)[..., :width]


def _attend_narrow(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The same by matrix products whose long side is the positions; e^x as a power of two.

    A row of ones below the values gives the sums that the softmax divides by.
    """
    batch, heads, positions, width = query.shape
    keys = key.shape[2]
    query = query * (math.log2(math.e) / math.sqrt(width))
    key = key.transpose(2, 3)
    ones = value.new_ones(batch, heads, 1, keys)
    value = torch.cat([value.transpose(2, 3), ones], 2)  # (B, heads, d_k + 1, keys)
    mixed = query.new_empty(batch, heads, width, positions)
    step = max(1, _SCORES_AT_ONCE // (heads * keys))
    for n in range(batch):
        for first in range(0, positions, step):
            here = slice(first, first + step)
            scores = query[n, :, here] @ key[n]  # (heads, step, keys)
            scores -= scores.amax(-1, keepdim=True)
            sums = value[n] @ scores.exp2_().transpose(1, 2)
            torch.div(sums[:, :width], sums[:, width:], out=mixed[n, :, :, here])
    return mixed.transpose(2, 3)


class SpatialAttention(nn.Module):
    """Multi-head attention over the positions of a feature map, added to it with a learned gain.

    softmax(Q K^T / sqrt(d_k)) V with d_k = width / heads and 1 x 1 projections. The gain starts
    at zero, so a fresh block passes its input through. There is no positional term: the
    convolutions around it supply position.

    Parameters
    ----------
    width : int
        Channels of the map; a multiple of `heads`.
    heads : int
        Number of heads.
    pool : int
        Keys and values are averaged over pool x pool positions first. 1 is the published form;
        larger values keep maps of many positions affordable.
    """

    def __init__(self, width: int, heads: int = 8, pool: int = 1) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads = heads
        self.pool = pool
        self.query = nn.Conv2d(width, width, 1)
        self.key = nn.Conv2d(width, width, 1)
        self.value = nn.Conv2d(width, width, 1)
        self.out = nn.Conv2d(width, width, 1)
        self.gain = nn.Parameter(torch.zeros(()))
        self.on = True

    def _split(self, x: Tensor) -> Tensor:
        batch, width, height, breadth = x.shape
        x = x.reshape(batch, self.heads, width // self.heads, height * breadth)
        return x.transpose(2, 3)  # (B, heads, positions, d_k)

    def _projections(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        source = F.avg_pool2d(x, self.pool) if self.pool > 1 else x
        query = self._split(self.query(x))
        return query, self._split(self.key(source)), self._split(self.value(source))

    def weights(self, x: Tensor) -> Tensor:
        """Attention of each position on each key, (B, heads, positions, keys); rows sum to one."""
        query, key, _ = self._projections(x)
        return torch.softmax(query @ key.transpose(2, 3) / query.shape[-1] ** 0.5, dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Attend; (B, width, H, W) in and out. Switched off it passes its input through."""
        if not self.on:
            return x
        query, key, value = self._projections(x)
        mixed = attend(query, key, value)  # (B, heads, positions, d_k)
        mixed = mixed.transpose(2, 3).reshape(x.shape)
        attended: Tensor = x + self.gain * self.out(mixed)
        return attended
