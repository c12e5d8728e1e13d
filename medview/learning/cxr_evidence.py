"""Where the outcome of a chest film comes from: two maps, and whether they hang on the head.

A map that stays the same under a head with shuffled weights shows the film, not the answer (Adebayo
and others 2018, "Sanity checks for saliency maps"). Kinds that fail are not given out.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from captum.attr import IntegratedGradients, Occlusion
from scipy.stats import spearmanr
from torch import Tensor

from medview.domain.progress import Progress, Silent
from medview.learning.film import Film, prepare_film
from medview.learning.film_squares import Picture, shares_of
from medview.learning.images import read_image
from medview.learning.metrics import MetricRow, mean_interval
from medview.learning.subset import TrainCase
from medview.models.backbones import Backbone
from medview.models.mdmt import Mdmt, pool_zones

GRADIENTS, OCCLUSION = "evidence", "occlusion"
TITLES = {
    GRADIENTS: "evidence for a severe course",
    OCCLUSION: "evidence by occlusion",
}
"""Kinds of maps and how they are called."""
LIKENESS = "shuffled_head_likeness"
"""Name of the figure: rank correlation of a film's map with that of shuffled heads, mean."""
HIGHEST_LIKENESS = 0.3
"""A kind of map with a higher one is not shown."""
FILMS = 6
"""Films that this is measured on."""
STEPS = 32
"""Points between the mean film and this one at which the gradient is taken."""
WINDOW = 4
"""An occluded window is the square's side by so much; it moves by half of itself."""
AT_ONCE = 7
"""Windows in one pass of the encoder."""


def outcome_logit(model: Mdmt, maps: Tensor, shares: Tensor) -> Tensor:
    """Logit of SEVERE against MILD, (B,), of the encoder's maps (B, F, h, w)."""
    every = shares.expand(len(maps), -1, -1, -1)
    logits = model(pool_zones(maps, every))["prognosis"]
    return torch.as_tensor(logits[:, 1] - logits[:, 0])


def gradient_map(model: Mdmt, maps: Tensor, shares: Tensor) -> Picture:
    """Integrated gradients (Sundararajan and others 2017) from the mean map of training films.

    (cells, cells), signed; the sum is the logit less that of the mean map.
    """
    start = model.get_buffer("mean")[None, :, None, None].expand_as(maps)
    ask = IntegratedGradients(partial(_swapped, outcome_logit, model, shares))
    found = ask.attribute(maps, baselines=start, n_steps=STEPS)
    return np.asarray(found.sum(1)[0].detach().cpu().numpy(), dtype=np.float32)


def _swapped(ask: object, model: Mdmt, shares: Tensor, maps: Tensor) -> Tensor:
    return outcome_logit(model, maps, shares)


Encode = Callable[[Tensor], Tensor]
"""Grey pictures (B, H, W) in 0..1 to the encoder's maps (B, F, h, w)."""


def occlusion_map(
    job: Progress, model: Mdmt, encode: Encode, square: Tensor, shares: Tensor
) -> Picture:
    """How far the logit falls where the square (1, S, S) is covered, (cells, cells)."""
    return occluded(job, lambda grey: outcome_logit(model, encode(grey), shares), square)


def occluded(job: Progress, ask: Callable[[Tensor], Tensor], square: Tensor) -> Picture:
    """How far `ask` of grey pictures (B, S, S) falls when a window is painted in the mean grey.

    (cells, cells), signed; each cell is the mean over the windows that cover it. `square` is
    (1, S, S).
    """
    side = square.shape[-1] // WINDOW
    cells = 2 * WINDOW
    passes = -(-((cells - 1) ** 2) // AT_ONCE)
    done = 0

    def told(pictures: Tensor) -> Tensor:
        nonlocal done
        job.check()
        job.report(done, passes, "occlusion")
        done += len(pictures) > 1
        return ask(pictures[:, 0])

    with torch.inference_mode():
        found = Occlusion(told).attribute(
            square[:, None],
            sliding_window_shapes=(1, side, side),
            strides=(1, side // 2, side // 2),
            baselines=float(square.mean()),
            perturbations_per_eval=AT_ONCE,
        )
    blocks = found[0, 0].reshape(cells, side // 2, cells, side // 2).mean((1, 3))
    return np.asarray(blocks.cpu().numpy(), dtype=np.float32)


def evidence_maps(
    job: Progress,
    model: Mdmt,
    encode: Encode,
    square: Tensor,
    shares: Tensor,
    kinds: Sequence[str] = tuple(TITLES),
) -> dict[str, Picture]:
    """Maps of the wanted kinds of one film, signed: above 0 speaks for a severe course.

    `square` (1, S, S), `shares` (1, 6, h, w) of the zones in it.
    """
    found = {}
    if GRADIENTS in kinds:
        found[GRADIENTS] = gradient_map(model, encode(square), shares)
    if OCCLUSION in kinds:
        found[OCCLUSION] = occlusion_map(job, model, encode, square, shares)
    return found


def encoder_of(model: Mdmt, backbone: Backbone) -> Encode:
    """The encoder of a whole network."""

    def encode(grey: Tensor) -> Tensor:
        with torch.no_grad():
            maps: Tensor = model.tail(backbone.normalised(grey))
        return maps

    return encode


def remembering(encode: Encode) -> Encode:
    """The same, with each answer kept: heads that share an encoder ask the same pictures."""
    known: dict[bytes, Tensor] = {}

    def ask(grey: Tensor) -> Tensor:
        key = hashlib.sha256(grey.cpu().numpy().tobytes()).digest()
        if key not in known:
            known[key] = encode(grey)
        return known[key]

    return ask


def with_shuffled_head(model: Mdmt, seed: int) -> Mdmt:
    """A copy whose head of the outcome has its weights in random order; it shares the rest."""
    shared = {id(part): part for part in model.children() if part is not model.heads}
    other = copy.deepcopy(model, shared)
    rng = torch.Generator().manual_seed(seed)
    for value in other.heads["prognosis"].parameters():
        order = torch.randperm(value.numel(), generator=rng)
        value.data = value.data.flatten()[order].view_as(value)
    return other


def likeness_under_shuffled_heads(
    job: Progress,
    model: Mdmt,
    backbone: Backbone,
    films: Sequence[Film],
    size: int,
    shuffles: int = 4,
) -> dict[str, list[float]]:
    """Rank correlation of each film's map with that of shuffled heads, mean over these, by kind.

    Over the cells that hold lung.
    """
    others = [with_shuffled_head(model, seed) for seed in range(shuffles)]
    found: dict[str, list[float]] = {kind: [] for kind in TITLES}
    for n, film in enumerate(films):
        job.report(n, len(films), f"shuffled heads: film {n + 1} / {len(films)}")
        encode = remembering(encoder_of(model, backbone))
        square, shares = inputs_of(film, size)
        ours, *theirs = (
            evidence_maps(Silent(), one, encode, square, shares) for one in (model, *others)
        )
        job.check()
        for kind, own in ours.items():
            inside = _with_lung(film, size, len(own))
            each = [likeness(own[inside], one[kind][inside]) for one in theirs]
            found[kind].append(float(np.mean(each)))
    return found


def likeness(one: Picture, other: Picture) -> float:
    """Rank correlation; 1 where neither map says anything, 0 where one of them does not."""
    silent = int(np.ptp(one) == 0) + int(np.ptp(other) == 0)
    return float(silent == 2) if silent else float(spearmanr(one.ravel(), other.ravel()).statistic)


def evidence_rows(
    job: Progress, model: Mdmt, backbone: Backbone, cases: Sequence[TrainCase], size: int
) -> list[MetricRow]:
    """How like the maps of some films are to those of shuffled heads; each of another patient."""
    if "prognosis" not in model.heads:
        return []
    chosen = list({case.patient: case for case in reversed(cases)}.values())[-1 : -FILMS - 1 : -1]
    films = [prepare_film(read_image(case.image)) for case in chosen]
    found = likeness_under_shuffled_heads(job, model, backbone, films, size)
    patients = [case.patient for case in chosen]
    subset = ",".join(dict.fromkeys(case.subset for case in chosen))
    rows = []
    for kind, values in found.items():
        mean = mean_interval(np.array(values), patients)
        rows.append(
            MetricRow(
                "model", "case", LIKENESS, subset, mean.value, len(values), len(values),
                mean.low, mean.high, group=f"map:{kind}", task="evidence",
            )
        )  # fmt: skip
    return rows


def likeness_in(rows: Sequence[MetricRow]) -> dict[str, float]:
    """The figures of ``evidence_rows`` by kind, as a card keeps them."""
    return {
        row.group.partition(":")[2]: round(row.value, 3)
        for row in rows
        if row.name == LIKENESS and row.value is not None
    }


def inputs_of(film: Film, size: int) -> tuple[Tensor, Tensor]:
    """The square (1, size, size) of a film and the shares of its zones in each cell."""
    shares = shares_of(film.zones(size), size // 32)
    return torch.from_numpy(film.crop(size))[None], torch.from_numpy(shares)[None]


def _with_lung(
    film: Film, size: int, cells: int
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Cells of which at least a tenth is lung."""
    return np.asarray(shares_of(film.zones(size), cells).sum(0) >= 0.1, dtype=np.bool_)


def kinds_to_show(settings: Mapping[str, object]) -> tuple[str, ...]:
    """Kinds of maps that passed on the card's own films; without a measurement all."""
    measured = settings.get("map_likeness")
    known = measured if isinstance(measured, dict) else {}
    return tuple(kind for kind in TITLES if abs(known.get(kind, 0.0)) < HIGHEST_LIKENESS)
