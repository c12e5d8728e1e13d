"""What ``medview bench infer`` runs in the child for models: a volume of slices, asked two ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from medview.cli.benches.infer import SAMPLES, Asked, LowTiming, Timing
from medview.domain.prediction import Precision
from medview.domain.progress import Progress, Silent
from medview.learning.anomaly_engine import Engine, balanced, noise_for, run_slices
from medview.learning.anomaly_scores import Drawn
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.devices import choose_device, multiplies_bfloat16, peak_memory_mb
from medview.learning.weights import load_anomaly
from medview.models.anomaly_vae import SIDE, AnomalyVae

Way = Callable[[], Drawn]
"""One way to ask the weights."""


def compare(job: Progress, asked: Asked) -> Timing:
    """Ask the shipped weights in blocks, one by one, and in blocks in half precision.

    The last is left out where the device has no such products.
    """
    if asked.threads:
        torch.set_num_threads(asked.threads)
    device = choose_device(asked.device)
    began = time.perf_counter()
    model, _, settings = load_anomaly(None, device)
    load_s = time.perf_counter() - began
    slices, brain = brains(asked.slices, asked.seed)
    noise = noise_for(len(slices), SAMPLES, asked.seed)
    shipped = Engine.fast(model, device, drawing=settings)
    run_slices(shipped, slices[:8], noise[:, :8], Silent())  # warm

    def batched(precision: Precision) -> Way:
        engine = replace(shipped, precision=precision)
        return lambda: Drawn(slices, brain, *run_slices(engine, slices, noise, Silent()))

    ways: list[Way] = [
        batched("float32"),
        lambda: Drawn(slices, brain, *plain_loop(model, shipped, slices, noise)),
    ]
    if multiplies_bfloat16(device):
        ways.append(batched("bfloat16"))
    ours = ways[0]()
    peak_mb = peak_memory_mb()  # before anything but the blocks has run
    loop, *lows = [way() for way in ways[1:]]
    batched_s, loop_s, *low_s = best_seconds(job, ways, asked.rounds)
    # The model recognises no made-up brain; what is compared is what it would say all the same.
    settings = replace(settings, floor=None)
    low = _low_timing(ours, lows[0], low_s[0], settings) if lows else None
    apart = furthest(ours, loop, settings)
    return Timing(load_s, batched_s, loop_s, apart, low, peak_mb, device)


def best_seconds(job: Progress, ways: Sequence[Way], rounds: int) -> list[float]:
    """The shortest time of each way; the ways take turns, so that a busy minute is for all."""
    seconds = [float("inf")] * len(ways)
    for turn in range(rounds):
        job.check()
        job.report(turn, rounds, f"round {turn + 1} / {rounds}")
        for n, way in enumerate(ways):
            began = time.perf_counter()
            way()
            seconds[n] = min(seconds[n], time.perf_counter() - began)
    return seconds


def _low_timing(ours: Drawn, low: Drawn, seconds: float, settings: AnomalySettings) -> LowTiming:
    change = abs(ours.volume_score(settings) - low.volume_score(settings))
    return LowTiming(seconds, furthest(ours, low, settings), change)


def furthest(one: Drawn, other: Drawn, settings: AnomalySettings) -> float:
    """Largest difference of any map of two answers, as a share of that map's largest value."""
    shares = []
    for first, second in zip(_maps(one, settings), _maps(other, settings), strict=True):
        top = float(np.abs(first).max()) or 1.0
        shares.append(float(np.abs(first - second).max()) / top)
    return max(shares)


def _maps(drawn: Drawn, settings: AnomalySettings) -> tuple[NDArray[np.float32], ...]:
    found = drawn.slice_maps(settings)
    return found.residual, found.epistemic, found.aleatoric, found.score(settings.rule)


@torch.inference_mode()
def plain_loop(
    model: AnomalyVae, engine: Engine, slices: NDArray[np.float32], noise: torch.Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """K whole passes of each slice, one after the other, as the paper describes it.

    On the device of `engine`, and with draws as that makes them.
    """
    if engine.balanced:
        noise = balanced(noise, min(len(noise), 1 + engine.mirrored))
    pictures = np.empty((noise.shape[0], *slices.shape), np.float32)
    aleatoric = np.zeros(slices.shape, np.float32)
    for n, one in enumerate(slices):
        x = torch.from_numpy(one)[None, None].to(engine.device)
        for k in range(noise.shape[0]):
            turned = (-1,) if engine.mirrored and k % 2 else ()
            picture, s, _, _ = model(x.flip(turned), noise[k, n : n + 1].to(engine.device))
            pictures[k, n] = picture.flip(turned)[0, 0].cpu().numpy()
            aleatoric[n] += s.exp().flip(turned)[0, 0].cpu().numpy() / noise.shape[0]
    return pictures, aleatoric


def brains(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Slices (n, 128, 128) of a made-up brain: an oval that widens and narrows, with texture."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    width = np.sin(np.linspace(0.35, np.pi - 0.35, count))[:, None, None]
    brain = (rows / 55) ** 2 + (columns / 45) ** 2 < width**2
    texture = 0.4 + 0.15 * np.sin(rows / 6) * np.cos(columns / 7)
    slices = texture + rng.normal(0, 0.03, brain.shape)
    return np.where(brain, np.clip(slices, 0, 1), 0).astype(np.float32), np.asarray(brain)
