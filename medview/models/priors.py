"""Priors of the codes of an M-AVAE: what generic codes are like, and unique ones are drawn to.

All have mean 0 and variance 1 in each dimension, so that they differ in shape alone. The paper
takes the normal one and leaves open what others do.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medview.models.losses import kl_standard_normal

Prior = Literal["normal", "laplace", "student", "mixture", "sphere"]
PRIORS: tuple[Prior, ...] = get_args(Prior)

LAPLACE_SCALE = math.sqrt(0.5)
FREEDOM = 5.0
"""Degrees of freedom of Student's t: heavy tails, yet a variance."""
T_SCALE = math.sqrt((FREEDOM - 2) / FREEDOM)
BUMP_AT, BUMP_SD = 0.8, 0.6
"""The mixture has two normal bumps in each dimension, at + and - 0.8: 0.8^2 + 0.6^2 = 1."""
_STEP = 0.5
_LOG_T = np.arange(-28.0, 5.0, _STEP)
"""Places of the integral of `_mean_log`, in logarithms of t."""
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(16)


def draws(prior: Prior, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Independent draws of codes, `shape` (..., dimensions)."""
    if prior == "laplace":
        return rng.laplace(0.0, LAPLACE_SCALE, shape).astype(np.float32)
    if prior == "student":
        return (T_SCALE * rng.standard_t(FREEDOM, shape)).astype(np.float32)
    found = rng.standard_normal(shape, dtype=np.float32)
    if prior == "mixture":
        side = rng.choice(np.array([-BUMP_AT, BUMP_AT], np.float32), shape)
        return np.asarray(side + np.float32(BUMP_SD) * found, dtype=np.float32)
    if prior == "sphere":
        length = np.linalg.norm(found, axis=-1, keepdims=True)
        return np.asarray(found * (np.sqrt(shape[-1]) / length), dtype=np.float32)
    return found


def divergence(prior: Prior, mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || prior) per sample and dimension, (B, D), nats.

    In closed form for the normal and for Laplace's, for Student's by an integral that holds for
    codes of any width, for the mixture by Gauss-Hermite quadrature. From the
    surface of a sphere a normal code has no divergence: there unique codes keep the normal prior,
    and the sphere is what generic codes are compared with.
    """
    if prior in ("normal", "sphere"):
        return kl_standard_normal(mean, log_variance)
    sd = torch.exp(0.5 * log_variance)
    negative_entropy = -0.5 * (1 + math.log(2 * math.pi) + log_variance)
    if prior == "laplace":
        size = sd * math.sqrt(2 / math.pi) * torch.exp(-0.5 * (mean / sd) ** 2)
        size = size + mean * torch.erf(mean / (sd * math.sqrt(2)))  # E|z|
        return negative_entropy + math.log(2 * LAPLACE_SCALE) + size / LAPLACE_SCALE
    if prior == "student":
        at_zero = log_density(prior, torch.zeros_like(mean))
        return negative_entropy - at_zero + (FREEDOM + 1) / 2 * _mean_log(mean, sd**2)
    nodes = mean.new_tensor(_NODES * math.sqrt(2))
    weights = mean.new_tensor(_WEIGHTS / math.sqrt(math.pi))
    z = mean[..., None] + sd[..., None] * nodes
    return negative_entropy - (log_density(prior, z) * weights).sum(-1)


def _mean_log(mean: Tensor, variance: Tensor) -> Tensor:
    """E log(1 + z^2 / (T_SCALE^2 FREEDOM)) of normal z, of the shape of `mean`.

    log(1 + x) is the integral over t of (1 - exp(-t x)) exp(-t) / t, and the mean of exp(-t x) has
    a closed form. Each term grows with the size of `mean`: codes are always drawn to the middle,
    where nodes over the code itself, far apart in wide codes, may push them away from it.
    """
    t = mean.new_tensor(np.exp(_LOG_T))
    size = T_SCALE**2 * FREEDOM
    wide = 2 * t * variance[..., None] / size
    exponent = t * mean[..., None] ** 2 / (size * (1 + wide)) + 0.5 * torch.log1p(wide)
    return -(torch.expm1(-exponent) * torch.exp(-t)).sum(-1) * _STEP


def log_density(prior: Prior, z: Tensor) -> Tensor:
    """Logarithm of the density of one dimension of Student's or of the mixture at `z`."""
    if prior == "student":
        edge = math.lgamma((FREEDOM + 1) / 2) - math.lgamma(FREEDOM / 2)
        edge -= 0.5 * math.log(FREEDOM * math.pi) + math.log(T_SCALE)
        return edge - (FREEDOM + 1) / 2 * torch.log1p((z / T_SCALE) ** 2 / FREEDOM)
    right = -0.5 * ((z - BUMP_AT) / BUMP_SD) ** 2
    apart = -2 * BUMP_AT * z / BUMP_SD**2  # of the left bump from the right one
    return right + F.softplus(apart) - math.log(2 * BUMP_SD * math.sqrt(2 * math.pi))
