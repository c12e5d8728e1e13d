"""What ``medview bench train`` runs in the child for training: steps, and a naive script's."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn
from torch.nn import functional as F

from medview.cli.benches.studies import HEAD_MM, head
from medview.cli.benches.train import Asked, Timing
from medview.domain.progress import Progress
from medview.learning.anomaly_recipe import Recipe
from medview.learning.anomaly_trainer import Trainer
from medview.learning.augment import Brain, batch_of
from medview.learning.devices import choose_device
from medview.models.anomaly_vae import LATENT, SIDE, AnomalyVae


def compare(job: Progress, asked: Asked) -> Timing:
    """Train some steps both ways in turn: the whole network, all attention blocks at work."""
    if asked.threads:
        torch.set_num_threads(asked.threads)
    device = choose_device(asked.device)
    heads = [head(seed) for seed in range(3)]
    brains = tuple(
        Brain.of(str(n), values, mask, (HEAD_MM,) * 3) for n, (values, mask) in enumerate(heads)
    )
    recipe = replace(Recipe(), attention_from=0.0, plain=0.0)
    trainer = Trainer(recipe, brains, (), asked.seed, device)
    naive = _Naive(heads, device)
    size = recipe.attention_batch
    load_s, step_s, naive_s = [], [], []
    for turn in range(asked.steps + 1):
        job.check()
        job.report(turn, asked.steps + 1, f"step {turn + 1}")
        began = time.perf_counter()
        x, mask = batch_of(brains, size, recipe.augment, np.random.default_rng(turn))
        loaded = time.perf_counter()
        trainer.model.train()
        trainer._step(x.to(device), mask.to(device), 0)
        _finish(device)
        stepped = time.perf_counter()
        naive.step(size, np.random.default_rng(turn))
        _finish(device)
        load_s.append(loaded - began)
        step_s.append(stepped - loaded)
        naive_s.append(time.perf_counter() - stepped)
    # The first of each is for warming up; the best is the one least disturbed.
    load, step = min(load_s[1:]), min(step_s[1:])
    return Timing(size / (load + step), size / min(naive_s[1:]), load / (load + step), device)


def _finish(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


class _Naive:
    """What a plain script does: scipy turns and bends each slice, float32, one after the other."""

    def __init__(
        self, heads: list[tuple[NDArray[np.float32], NDArray[np.bool_]]], device: str
    ) -> None:
        self._heads, self._device = heads, device
        self._model = AnomalyVae().to(device)
        self._optimiser = torch.optim.Adam(self._model.parameters(), 1e-4)

    def _slice(self, rng: np.random.Generator) -> NDArray[np.float32]:
        values, _ = self._heads[rng.integers(len(self._heads))]
        one = values[rng.integers(10, len(values) - 10), :, :: rng.choice([1, -1])]
        one = ndimage.rotate(one, rng.normal(0, 6), reshape=False, order=1)
        bend = ndimage.zoom(rng.normal(0, 2, (2, 6, 6)), (1, one.shape[0] / 6, one.shape[1] / 6))
        places = np.indices(one.shape) + bend
        bent = ndimage.map_coordinates(one, places, order=1)
        square = np.zeros((SIDE, SIDE), np.float32)
        rows = min(SIDE, bent.shape[0])
        square[:rows, : bent.shape[1]] = bent[:rows]
        return square + rng.normal(0, 0.02, square.shape).astype(np.float32)

    def step(self, size: int, rng: np.random.Generator) -> None:
        """One step of Adam on a batch."""
        x = torch.from_numpy(np.stack([self._slice(rng) for _ in range(size)]))[:, None]
        x = x.clamp(0, 1).to(self._device)
        noise = torch.randn(size, LATENT, device=self._device)
        picture, s, mean, log_variance = self._model(x, noise)
        nll = (0.5 * (torch.exp(-s) * F.mse_loss(picture, x, reduction="none") + s)).mean()
        kl = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1).mean()
        loss = nll + kl / SIDE**2
        self._optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimiser.step()
