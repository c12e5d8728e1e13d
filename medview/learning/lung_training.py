"""Train the lung network: folds by patient, Dice on films it never saw, then one on all."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from medview.domain.card import Figure, ModelCard, TrainedOn
from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.io.atomic import whole_file
from medview.io.case_names import shown_case, shown_patient
from medview.learning.begun_with import begin
from medview.learning.card_parts import licence_of
from medview.learning.cases import find_subsets
from medview.learning.checkpoint import CHECKPOINT
from medview.learning.course import Course, epochs_of
from medview.learning.film import as_grey
from medview.learning.images import read_image
from medview.learning.lung_trainer import LungFilm, LungRecipe, LungTrainer
from medview.learning.lungs import FEWEST_LUNG, label_zones, lung_mask, resized
from medview.learning.metrics import mean_interval
from medview.learning.patients import patient_hash
from medview.learning.splits_file import SPLITS, write_splits
from medview.learning.subset import Subset, TrainCase
from medview.learning.weights import save
from medview.models.lung_net import SIDE, LungNet

COMMAND = "medview train lung-net --data ../shared/data/cxr --out DIR"


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train on folds and on all; write weights, card, history.csv and splits.csv.

    Raises
    ------
    DataError
        No film with a lung mask.
    """
    course = Course.start(job, request)
    recipe = recipe_of(request.recipe)
    subsets = find_subsets(request.data, "lung-net")
    films = [read_film(case) for subset in subsets for case in subset.cases]
    if not any(not film.is_lateral for film in films):
        raise DataError(
            "no film with a lung mask was found", do="Give such a set.", code="MV-DAT-154"
        )
    out = course.made_folder()
    begin(request, subsets)
    patients = sorted({film.case.patient for film in films})
    folds = {p: n % max(recipe.folds, 1) for n, p in enumerate(_shuffled(patients, request.seed))}
    lines, figures = _cross_validate(job, recipe, films, folds, request, course.until)
    trainer = train(
        job, recipe, films, request.seed, "all films",
        folder=out, resume=request.resume, until=course.until,
    )  # fmt: skip
    card = make_card(subsets, figures, patients)
    kept = save(trainer.finished(), card, out)
    write_splits(out / SPLITS, ((f.case, "train") for f in films), private=request.private)
    if lines:
        _write(out / "folds.csv", [_shown(line, private=request.private) for line in lines])
    return course.answer(
        epochs=trainer.epoch,
        best_epoch=trainer.epoch,
        stopped=trainer.stopped,
        n={"train": len(patients), "val": 0},
        weights_sha256=kept.weights_sha256,
        health=[{"name": f.name, "value": f.value, "ok": True} for f in figures],
    )


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
    job: Progress,
    recipe: LungRecipe,
    films: Sequence[LungFilm],
    seed: int,
    name: str,
    *,
    folder: Path | None = None,
    resume: bool = False,
    until: float = float("inf"),
) -> LungTrainer:
    """One network on these films, to the end or until a moment of ``time.perf_counter``."""
    trainer = LungTrainer(recipe, films, seed, folder)
    if resume and folder is not None and (folder / CHECKPOINT).is_file():
        trainer.resume(folder)
    for _ in epochs_of(job, trainer, lambda: time.perf_counter() > until, name):
        pass  # nobody else looks at an epoch of these
    trainer.keep()
    return trainer


def _cross_validate(
    job: Progress,
    recipe: LungRecipe,
    films: Sequence[LungFilm],
    folds: dict[str, int],
    request: TrainRequest,
    until: float,
) -> tuple[list[dict[str, object]], tuple[Figure, ...]]:
    """Figures of films by networks that have not seen their patients, each in a folder."""
    lines: list[dict[str, object]] = []
    for fold in range(recipe.folds if recipe.folds > 1 else 0):
        kept = [f for f in films if folds[f.case.patient] != fold]
        trainer = train(
            job, recipe, kept, request.seed, f"fold {fold + 1} of {recipe.folds}",
            folder=Path(request.out) / f"fold-{fold + 1}", resume=request.resume, until=until,
        )  # fmt: skip
        network = trainer.finished()
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
    for name, column, rows, group in wanted if lines else ():
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
        limits=("Trained mostly on COVID-19 films; lungs white with disease are found in part.",),
        method=(
            "The masks it learnt from were drawn by another network (lungVAE), not by a human: "
            "Dice is agreement with that network.",
            "Figures come from folds by patient; these weights are a refit on all films.",
        ),
        licence=licence_of(subsets),
        source="Own weights; U-Net: Ronneberger and others 2015",
        trained_on=tuple(TrainedOn(s.name, s.n_patients, s.licence) for s in subsets),
        measured=figures,
        seen_patients=tuple(sorted(patient_hash(p) for p in patients)),
    )


def _shown(line: dict[str, object], *, private: bool) -> dict[str, object]:
    case, patient = str(line["case"]), str(line["patient"])
    names = {
        "case": shown_case(case, private=private),
        "patient": shown_patient(patient, private=private),
    }
    return {**line, **names}


def _write(path: Path, lines: Sequence[dict[str, object]]) -> None:
    with whole_file(path) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
