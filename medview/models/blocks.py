"""Parts that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
        mixed = F.scaled_dot_product_attention(query, key, value)  # (B, heads, positions, d_k)
        mixed = mixed.transpose(2, 3).reshape(x.shape)
        attended: Tensor = x + self.gain * self.out(mixed)
        return attended
