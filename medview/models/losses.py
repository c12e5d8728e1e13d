"""Loss terms that several models share."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_nll(x: Tensor, mean: Tensor, log_variance: Tensor, weight: Tensor) -> Tensor:
    """Gaussian negative log-likelihood per weighted pixel, without the constant.

    1/2 [exp(-s) (x - mean)^2 + s], s the predicted log variance; all (B, 1, H, W), summed
    over pixels with `weight` and divided by the sum of the weights. Scalar.
    """
    term = 0.5 * (torch.exp(-log_variance) * (x - mean) ** 2 + log_variance)
    return (term * weight).sum() / weight.sum().clamp_min(1.0)


def kl_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) per sample and dimension, (B, D), nats."""
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp())
