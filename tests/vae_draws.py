"""An anomaly network, and what its draws say the plain way, which quicker ones must match."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medview.models.anomaly_vae import AnomalyVae, VaeOptions
from medview.models.blocks import SpatialAttention


def lively(options: VaeOptions | None = None) -> AnomalyVae:
    """A network in evaluation mode whose attention and norms do something."""
    torch.manual_seed(0)
    model = AnomalyVae(options).eval()
    for part in model.modules():
        if isinstance(part, SpatialAttention):
            nn.init.constant_(part.gain, 0.5)
        if isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return model


@dataclass(frozen=True, slots=True)
class Draws:
    """What K draws say of each pixel, each (B, 1, 128, 128) (paper equations 10-13)."""

    mean: Tensor
    epistemic: Tensor
    aleatoric: Tensor


def draw(model: AnomalyVae, x: Tensor, noise: Tensor) -> Draws:
    """Encode once, decode K draws in one batch.

    Parameters
    ----------
    x : Tensor
        (B, 1, 128, 128).
    noise : Tensor
        (K, B, 256), standard normal, from the caller so that a seed fixes the answer.

    Returns
    -------
    Draws
        Mean over draws, variance over draws (epistemic, divided by K as the paper has it) and
        mean predicted variance (aleatoric).
    """
    samples, batch, _ = noise.shape
    mean, log_variance = model.encode(x)
    z = mean + torch.exp(0.5 * log_variance) * noise  # (K, B, 256)
    pictures, s = model.decode(z.reshape(samples * batch, -1))
    pictures = pictures.reshape(samples, *x.shape)
    s = s.reshape(samples, *x.shape)
    return Draws(pictures.mean(0), pictures.var(0, correction=0), s.exp().mean(0))
