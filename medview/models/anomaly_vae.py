"""Bayesian variational autoencoder with attention: what a normal slice would look like, how sure.

Source: Roy, "Bayesian Autoencoder for Medical Anomaly Detection" (arXiv 2504.15562), sections
3.1-3.5. Layer widths, attention places, latent size and both heads are the paper's; kernel
sizes, normalisation and the pooling of keys and values in the largest attention are ours,
since the paper does not print them. "Bayesian" means draws of the latent code, not a
posterior over the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medview.models.blocks import SpatialAttention

SIDE = 128
LATENT = 256
WIDTHS = (32, 64, 128, 256)
LOG_VARIANCE_LIMIT = 20.0
"""The paper clamps log variances to [-20, 20]."""


@dataclass(frozen=True, slots=True)
class VaeOptions:
    """Choices the paper leaves open or ablates.

    `attention` off removes all four attention blocks. `aleatoric` off fixes the predicted
    variance. `variance_floor` is the lowest log variance, so that flat regions cannot take
    the likelihood to infinity. `key_pool` averages keys and values in the largest attention
    (4,096 positions). `deterministic` takes the spread out of the code: all draws are the same.
    """

    attention: bool = True
    aleatoric: bool = True
    heads: int = 8
    key_pool: int = 8
    variance_floor: float = -7.0
    deterministic: bool = False


def _down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)
    )


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)
    )


class AnomalyVae(nn.Module):
    """Slices (B, 1, 128, 128) in 0..1 to a latent Gaussian and back to a mean and log variance."""

    def __init__(self, options: VaeOptions | None = None) -> None:
        super().__init__()
        self.options = options or VaeOptions()
        one, two, three, four = WIDTHS
        self.encoder = nn.Sequential(
            _down(1, one),  # (B, 32, 64, 64)
            _down(one, two),  # (B, 64, 32, 32)
            self._attention(two),
            _down(two, three),  # (B, 128, 16, 16)
            _down(three, four),  # (B, 256, 8, 8)
            self._attention(four),
            nn.Flatten(),
        )
        flat = four * (SIDE // 16) ** 2
        self.to_mean = nn.Linear(flat, LATENT)
        self.to_log_variance = nn.Linear(flat, LATENT)
        self.from_latent = nn.Linear(LATENT, flat)
        self.decoder = nn.Sequential(
            nn.Unflatten(1, (four, SIDE // 16, SIDE // 16)),
            _up(four, three),  # (B, 128, 16, 16)
            self._attention(three),
            _up(three, two),  # (B, 64, 32, 32)
            _up(two, one),  # (B, 32, 64, 64)
            self._attention(one, pool=self.options.key_pool),
            _up(one, one),  # (B, 32, 128, 128)
        )
        self.mean_head = nn.Conv2d(one, 1, 3, 1, 1)
        self.log_variance_head = nn.Conv2d(one, 1, 3, 1, 1)

    def _attention(self, width: int, pool: int = 1) -> nn.Module:
        if not self.options.attention:
            return nn.Identity()
        return SpatialAttention(width, self.options.heads, pool)

    def costly_attention(self) -> tuple[SpatialAttention, ...]:
        """The blocks with many positions (1,024 and 4,096); none where attention is left out."""
        places = (self.encoder[2], self.decoder[5])
        return tuple(part for part in places if isinstance(part, SpatialAttention))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the latent code, each (B, 256)."""
        hidden = self.encoder(x)
        mean, limit = self.to_mean(hidden), LOG_VARIANCE_LIMIT
        if self.options.deterministic:
            return mean, torch.full_like(mean, -limit)  # a standard deviation of 5e-5
        return mean, self.to_log_variance(hidden).clamp(-limit, limit)

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean picture in 0..1 and log variance per pixel, each (B, 1, 128, 128)."""
        mean, raw = self._heads(self.decoder(self.from_latent(z)))
        mean = torch.sigmoid(mean)
        if not self.options.aleatoric:
            return mean, torch.full_like(mean, self.options.variance_floor)
        # A soft floor keeps the gradient alive where the background is perfectly predictable.
        floor = self.options.variance_floor
        return mean, (floor + nn.functional.softplus(raw - floor)).clamp(max=LOG_VARIANCE_LIMIT)

    def _heads(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance before their limits, each (B, 1, 128, 128)."""
        return self.mean_head(hidden), self.log_variance_head(hidden)

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One stochastic pass: z = mean + sd * noise; noise (B, 256) standard normal."""
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(0.5 * log_variance) * noise
        picture, picture_log_variance = self.decode(z)
        return picture, picture_log_variance, mean, log_variance
