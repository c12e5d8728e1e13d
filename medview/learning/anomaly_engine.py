"""The anomaly model at work: each slice is encoded, and K draws of it are decoded.

Draws may be balanced (ours): the noise of the K draws of a slice is shifted to a mean of 0 and
scaled so that its spread is right, akin to antithetic draws. Their mean is then nearly that of
many draws, and what K draws would get wrong by chance is no part of the residual. Every other draw
may be of the mirror image (ours): the two sides of a head are alike, so that both say what it
should look like, and what they disagree on is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from medview.domain.prediction import Precision
from medview.domain.progress import Progress
from medview.models.anomaly_vae import LATENT, AnomalyVae
from medview.models.blocks import channels_last
from medview.models.fused import FusedVae

DRAWS_A_SLICE = 5


def noise_for(slices: int, samples: int, seed: int) -> torch.Tensor:
    """Standard normal draws (samples, slices, 256), the same whatever the batch size."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(slices, samples, LATENT, generator=generator).transpose(0, 1)


class Drawing(Protocol):
    """How draws are made: settings of a version and recipes tell it."""

    @property
    def mirrored(self) -> bool:
        """Whether every other draw is of the mirror image."""

    @property
    def balanced(self) -> bool:
        """Whether the noise of the draws of a slice has a mean of 0."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Where and how the network runs: `batch` slices are encoded at once.

    `mirrored`: the second draw of a slice, the fourth and so on are of its mirror image.
    `balanced`: the noise of the draws of a slice (of each side) has a mean of 0.
    """

    model: AnomalyVae
    device: str = "cpu"
    precision: Precision = "float32"
    batch: int = 4
    mirrored: bool = False
    balanced: bool = False

    @classmethod
    def fast(
        cls,
        model: AnomalyVae,
        device: str = "cpu",
        precision: Precision = "float32",
        *,
        drawing: Drawing | None = None,
    ) -> Engine:
        """The same answers with less work, in blocks as large as the device likes.

        On a CPU blocks that leave the cache are slower; a GPU wants large ones. Without
        `drawing` draws are plain.
        """
        made = cls(FusedVae(model), device, precision, 4 if device == "cpu" else 64)
        return made if drawing is None else made.drawing(drawing)

    def drawing(self, how: Drawing) -> Engine:
        """The same with draws as settings or a recipe have them."""
        return replace(self, mirrored=how.mirrored, balanced=how.balanced)

    @property
    def draws(self) -> int:
        """How many draws are decoded at once, whatever K is."""
        return DRAWS_A_SLICE * self.batch


def run_slices(
    engine: Engine,
    slices: NDArray[np.float32],
    noise: torch.Tensor,
    job: Progress,
    arrived: Callable[[slice, NDArray[np.float32], NDArray[np.float32]], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Encode each slice and decode its K draws together with those of its neighbours.

    Parameters
    ----------
    slices : NDArray[np.float32]
        (n, 128, 128) in 0..1, columns from right to left or from left to right.
    noise : torch.Tensor
        (K, n, 256) standard normal.
    arrived : Callable | None
        Told of each block: which slices, their pictures (K, b, 128, 128) and mean variance.

    Returns
    -------
    tuple
        Pictures (K, n, 128, 128) and the mean predicted variance (n, 128, 128).
    """
    count, samples = len(slices), noise.shape[0]
    pictures = np.empty((samples, *slices.shape), np.float32)
    aleatoric = np.empty(slices.shape, np.float32)
    for first in range(0, count, engine.batch):
        job.check()
        here = slice(first, first + engine.batch)
        drawn, variance = _run_block(engine, slices[here], noise[:, here])
        pictures[:, here], aleatoric[here] = drawn, variance
        if arrived is not None:
            arrived(here, drawn, variance)
        done = min(count, first + engine.batch)
        job.report(done, count, f"slice {done} / {count}")
    return pictures, aleatoric


@torch.inference_mode()
def _run_block(
    engine: Engine, slices: NDArray[np.float32], noise: torch.Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    samples, batch = noise.shape[:2]
    x = torch.from_numpy(np.ascontiguousarray(slices))[:, None].to(engine.device)
    kind = engine.device.split(":")[0]
    low = engine.precision == "bfloat16"
    with torch.autocast(kind, torch.bfloat16, enabled=low):
        z = _codes(engine, x, noise.to(engine.device))
        parts = torch.split(z.reshape(samples * batch, -1), engine.draws)
        pictures, s = zip(*(engine.model.decode(part) for part in parts), strict=True)
    shape = (samples, batch, *slices.shape[1:])
    drawn, variances = (
        _turned_back(engine, torch.cat(part).float().reshape(shape)) for part in (pictures, s)
    )
    return drawn.cpu().numpy(), variances.exp().mean(0).cpu().numpy()


def _codes(engine: Engine, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Draws of the latent code (K, B, 256) of slices (B, 1, 128, 128)."""
    samples = len(noise)
    seen = (x, x.flip(-1))[: min(samples, 1 + engine.mirrored)]
    means, log_variances = zip(
        *(engine.model.encode(channels_last(one)) for one in seen), strict=True
    )
    if engine.balanced:
        noise = balanced(noise, len(seen))
    of_which = torch.arange(samples, device=x.device) % len(seen)
    spread = torch.exp(0.5 * torch.stack(log_variances).float())[of_which]
    return torch.stack(means).float()[of_which] + spread * noise


def balanced(noise: torch.Tensor, sides: int) -> torch.Tensor:
    """Noise (K, ..., 256) with a mean of 0 over the draws of each of so many sides.

    Draw k is of side k modulo `sides`. Scaled so that the variance over K draws is 1 on average:
    that of K plain draws falls short by 1 / K. A side with one draw keeps its noise.
    """
    made = noise.clone()
    for side in range(sides):
        of_side = noise[side::sides]
        count = len(of_side)
        if count > 1:
            made[side::sides] = (of_side - of_side.mean(0)) * (count / (count - 1)) ** 0.5
    return made


def _turned_back(engine: Engine, drawn: torch.Tensor) -> torch.Tensor:
    """Draws (K, B, 128, 128) with those of the mirror image mirrored back."""
    if not engine.mirrored:
        return drawn
    return torch.stack([one.flip(-1) if k % 2 else one for k, one in enumerate(drawn)])
