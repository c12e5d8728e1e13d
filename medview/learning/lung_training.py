"""Train the lung network: folds by patient, Dice on films it never saw, then one on all."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from medview.domain.card import Figure, ModelCard, TrainedOn
from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.io.atomic import whole_file
from medview.learning.anomaly_card import licence_of
from medview.learning.cases import find_subsets
from medview.learning.film import FEWEST_LUNG, as_grey, label_zones, lung_mask, resized
from medview.learning.images import read_image
from medview.learning.metrics import mean_interval
from medview.learning.subset import Subset, TrainCase
from medview.learning.weights import patient_hash, save
from medview.models.blocks import channels_last
from medview.models.lung_net import SIDE, LungNet

COMMAND = "medview train lung-net --data ../shared/data/cxr --out DIR"


@dataclass(frozen=True, slots=True)
class LungRecipe:
    """How the lung network is trained; lateral films are given with an empty mask.

    `laterals` is their share in each batch.
    """

    epochs: int = 24
    batch: int = 16
    rate: float = 3e-3
    laterals: float = 0.15
    folds: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class LungFilm:
    """A film and its lungs as the network sees them: (64, 64) each; no lungs when lateral."""

    case: TrainCase
    grey: NDArray[np.float32]
    small: Tensor
    mask: Tensor
    truth: NDArray[np.bool_]

    @property
    def is_lateral(self) -> bool:
        """True for a film without a lung mask."""
        return self.case.mask is None


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train on folds and on all; write weights, card, history.csv and splits.csv.

    Raises
    ------
    DataError
        No film with a lung mask.
    """
    began = time.perf_counter()
    if request.threads:
        torch.set_num_threads(request.threads)
    recipe = recipe_of(request.recipe)
    subsets = find_subsets(request.data, "lung-net")
    films = [read_film(case) for subset in subsets for case in subset.cases]
    if not any(not film.is_lateral for film in films):
        raise DataError(
            "no film with a lung mask was found", do="Give such a set.", code="MV-DAT-154"
        )
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    patients = sorted({film.case.patient for film in films})
    folds = {p: n % recipe.folds for n, p in enumerate(_shuffled(patients, request.seed))}
    lines, figures = _cross_validate(job, recipe, films, folds, request.seed)
    network = train(job, recipe, films, request.seed, "all films")
    card = make_card(subsets, figures, patients)
    kept = save(network, card, out)
    _write(out / "splits.csv", [
        {"case": f.case.case, "patient": f.case.patient, "site": "", "part": "train"} for f in films
    ])  # fmt: skip
    _write(out / "folds.csv", lines)
    return {
        "epochs": recipe.epochs,
        "best_epoch": recipe.epochs,
        "stopped": "epochs",
        "n": {"train": len(patients), "val": 0},
        "seconds": round(time.perf_counter() - began, 1),
        "weights_sha256": kept.weights_sha256,
        "health": [{"name": f.name, "value": f.value, "ok": True} for f in figures],
    }


def recipe_of(values: Any) -> LungRecipe:
    """A recipe from plain values; names it does not know are an error of the program's table."""
    return LungRecipe(**{f.name: values[f.name] for f in fields(LungRecipe) if f.name in values})


def _shuffled(names: Sequence[str], seed: int) -> list[str]:
    order = np.random.default_rng(seed).permutation(len(names))
    return [names[n] for n in order]


def read_film(case: TrainCase) -> LungFilm:
    """Read a film and its lung mask."""
    grey = as_grey(read_image(case.image))
    truth = np.zeros(grey.shape, np.bool_)
    if case.mask is not None:
        truth = np.asarray(read_image(case.mask).array[0]) > 0
    small = (resized(truth.astype(np.float32), SIDE) > 0.5).float()
    return LungFilm(case, grey, resized(grey, SIDE), small, truth)


def train(
    job: Progress, recipe: LungRecipe, films: Sequence[LungFilm], seed: int, name: str
) -> LungNet:
    """One network on these films; weights as they are stored (float16)."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = LungNet()
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own signature leaves it out
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=1e-4)
    lungs = [f for f in films if not f.is_lateral]
    laterals = [f for f in films if f.is_lateral]
    steps = -(-len(lungs) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.epochs * steps, pct_start=0.15
    )
    extra = round(recipe.laterals * recipe.batch) if laterals else 0
    for epoch in range(recipe.epochs):
        job.check()
        job.report(epoch, recipe.epochs, f"{name}: epoch {epoch + 1} / {recipe.epochs}")
        order = rng.permutation(len(lungs))
        for first in range(0, len(lungs), recipe.batch):
            chosen = [lungs[n] for n in order[first : first + recipe.batch]]
            chosen += (
                [laterals[n] for n in rng.integers(len(laterals), size=extra)] if extra else []
            )
            x, y = augmented(chosen, rng)
            loss = _loss(network(channels_last(x)), y)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation for it
            optimiser.step()
            schedule.step()
    state = network.state_dict()
    stored = {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
    network.load_state_dict(stored)
    network.eval()
    return network


def _loss(logit: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy and one minus the Dice of the films that have lungs."""
    p = torch.sigmoid(logit)
    both, sizes = (p * y).sum((1, 2, 3)), p.sum((1, 2, 3)) + y.sum((1, 2, 3))
    has = y.amax((1, 2, 3)) > 0
    dice = (2 * both[has] + 1) / (sizes[has] + 1)
    return F.binary_cross_entropy_with_logits(logit, y) + 1 - dice.mean()


def augmented(films: Sequence[LungFilm], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Films and masks (n, 1, 64, 64), shifted, turned, scaled, mirrored, brighter or darker."""
    n = len(films)
    x = torch.stack([film.small for film in films])[:, None]
    y = torch.stack([film.mask for film in films])[:, None]
    turn = rng.normal(0, 0.09, n)
    scale = np.exp(rng.normal(0, 0.1, (n, 2)))
    scale[:, 1] *= np.where(rng.random(n) < 0.5, -1, 1)
    matrix = np.zeros((n, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(turn) * scale[:, 1], -np.sin(turn)
    matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(turn), np.cos(turn) * scale[:, 0]
    matrix[:, :, 2] = rng.normal(0, 0.08, (n, 2))
    grid = F.affine_grid(torch.from_numpy(matrix), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    y = F.grid_sample(y, grid, mode="nearest", align_corners=False)
    gamma = torch.from_numpy(np.exp(rng.normal(0, 0.3, (n, 1, 1, 1)))).float()
    noise = torch.from_numpy(rng.normal(0, 0.02, x.shape)).float()
    return (x.clamp(0, 1) ** gamma + noise).clamp(0, 1), y


def _cross_validate(
    job: Progress,
    recipe: LungRecipe,
    films: Sequence[LungFilm],
    folds: dict[str, int],
    seed: int,
) -> tuple[list[dict[str, object]], tuple[Figure, ...]]:
    lines: list[dict[str, object]] = []
    for fold in range(recipe.folds):
        kept = [f for f in films if folds[f.case.patient] != fold]
        network = train(job, recipe, kept, seed, f"fold {fold + 1} of {recipe.folds}")
        held = [f for f in films if folds[f.case.patient] == fold]
        lines += [{"fold": fold, **measured(network, film)} for film in held]
    return lines, figures_of(lines)


def measured(network: nn.Module, film: LungFilm) -> dict[str, object]:
    """What the network finds in a film that it was not trained on."""
    assert isinstance(network, LungNet)
    mask = lung_mask(film.grey, network)
    both = 2 * float((mask & film.truth).sum())
    return {
        "case": film.case.case,
        "patient": film.case.patient,
        "lateral": int(film.is_lateral),
        "dice": None if film.is_lateral else both / max(float(mask.sum() + film.truth.sum()), 1),
        "refused": int(mask.mean() < FEWEST_LUNG),
        "two_lungs": int(label_zones(mask).any()),
    }


def figures_of(lines: Sequence[dict[str, Any]]) -> tuple[Figure, ...]:
    """Dice of frontal films, and how many of each kind are refused or split into two lungs."""
    frontal = [line for line in lines if not line["lateral"]]
    lateral = [line for line in lines if line["lateral"]]
    wanted = (
        ("dice", "dice", frontal, "frontal"),
        ("two_lungs_share", "two_lungs", frontal, "frontal"),
        ("refused_share", "refused", frontal, "frontal"),
        ("refused_share", "refused", lateral, "lateral"),
        ("two_lungs_share", "two_lungs", lateral, "lateral"),
    )
    figures = []
    for name, column, rows, group in wanted:
        values = np.array([row[column] for row in rows], dtype=np.float64)
        found = mean_interval(values, [row["patient"] for row in rows])
        people: dict[str, object] = {"n_patients": len({row["patient"] for row in rows})}
        figures.append(
            Figure(name, found.value, "covid-chestxray", found.low, found.high, len(rows),
                   level="case", group=group, command=COMMAND, extra=people)
        )  # fmt: skip
    return tuple(figures)


def make_card(
    subsets: Sequence[Subset], figures: tuple[Figure, ...], patients: Sequence[str]
) -> ModelCard:
    """The card of the lung network: a part of the chest model, without inputs of its own."""
    return ModelCard(
        id="lung-net",
        version="1.0",
        title="Lungs in a chest film",
        summary="A small U-Net that finds the lungs; the chest model looks inside them.",
        inputs=(),
        outputs=(),
        preparation=("2nd to 98th percentile to 0-1, air dark", "64 x 64, aspect not kept"),
        intended_use="A step of the chest model. Not for diagnosis, triage or treatment.",
        limits=(
            "The masks it learnt from were drawn by another network (lungVAE), not by a human: "
            "Dice is agreement with that network.",
            "Trained mostly on COVID-19 films; lungs white with disease are found in part.",
            "Figures come from folds by patient; these weights are a refit on all films.",
        ),
        licence=licence_of(subsets),
        source="Own weights; U-Net: Ronneberger and others 2015",
        trained_on=tuple(TrainedOn(s.name, s.n_patients, s.licence) for s in subsets),
        measured=figures,
        seen_patients=tuple(sorted(patient_hash(p) for p in patients)),
    )


def _write(path: Path, lines: Sequence[dict[str, object]]) -> None:
    with whole_file(path) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
