"""A version of the ICU model goes on learning: all of its networks, their heads, or adapters.

Adapters lie beside its linear layers; recurrent ones stand still then.

The networks keep their sizes, their map of variables, the statistics that their inputs are
standardised with and their temperature. Parts without labels in the data stay as they are.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.learning.checkpoint import (
    CHECKPOINT,
    HistoryRow,
    of_method,
    snapshot,
    write_history,
)
from medview.learning.icu_card import make_card
from medview.learning.icu_fit import Fit, StaySet
from medview.learning.icu_model import IcuModel, Part, load_icu
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import Stay, encoded, find_stays
from medview.learning.icu_tasks import Done, Keeper, read_done, write_done
from medview.learning.icu_training import health_of, patients_in, works_in, write_splits
from medview.learning.icu_work import Work
from medview.learning.patients import patient_hash
from medview.learning.weights import save
from medview.models.fusion import FusionNet

HEAD = ("head.",)
_OF_THE_NETWORK = (
    "hidden", "width", "heads", "feed_forward", "blocks", "fusing", "missing", "film",
    "series_dropout", "dropout", "encoder",
)  # fmt: skip
"""Settings that a network brings with it."""


def tune(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train on from the weights `request.init`; write weights, card, history and splits.

    Returns
    -------
    dict
        The body of ``medview.train/1``.

    Raises
    ------
    DataError
        Unusable data or recipe, or no labels of any part of the weights.
    UsageError
        A method that this model does not have.
    WeightsError
        Weights missing, damaged or foreign.
    """
    began = time.perf_counter()
    torch.set_num_threads(request.threads or 2)
    model, card = load_icu(Path(request.init or ""))
    recipe = replace(
        IcuRecipe.of(dict(request.recipe)),
        film="features" if model.uses_film else "none",
        clahe=model.clahe,
    )
    subsets = find_stays(request.data, "icu", request.variables)
    works, skipped = works_in(job, recipe, model.variables, subsets)
    works = [_parted(work, request) for work in works if work.name in model.parts]
    if not works:
        raise _no_label(model)
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    write_splits(out / "splits.csv", works, private=request.private)
    until = began + 60 * request.max_minutes if request.max_minutes else float("inf")
    runs = [run for work in works for run in _runs(work, model, recipe, request)]
    history, late = _all_of(job, runs, until)
    write_history(out / "history.csv", history)
    patients = patients_in(works)
    made = make_card(model, recipe, subsets, patients["train"], {}, "")
    made = replace(made, version=card.version)
    body = {
        "epochs": recipe.epochs,
        "best_epoch": recipe.epochs,
        "stopped": "time" if late else "epochs",
        "n": {part: len(names) for part, names in patients.items()},
        "weights_sha256": save(model, made, out).weights_sha256,
        "health": health_of(history),
        "skipped": [{"case": s.case, "code": s.code, "what": s.what} for s in skipped],
    }
    return body | {"seconds": round(time.perf_counter() - began, 1)}


def first_fit(job: Progress, request: TrainRequest) -> Fit:
    """The first network that would go on learning, before its first step.

    Raises
    ------
    DataError
        Unusable data, or no labels of any part of the weights.
    """
    model, _ = load_icu(Path(request.init or ""))
    recipe = replace(
        IcuRecipe.of(dict(request.recipe)),
        film="features" if model.uses_film else "none",
        clahe=model.clahe,
    )
    works, _ = works_in(job, recipe, model.variables, find_stays(request.data, "icu"))
    works = [_parted(work, request) for work in works if work.name in model.parts]
    if not works:
        raise _no_label(model)
    return _runs(works[0], model, recipe, request)[0].fit()


def _no_label(model: IcuModel) -> DataError:
    return DataError(
        f"no stay has a label of these weights ({', '.join(model.parts)})",
        code="MV-DAT-170",
        do="Give data with such labels, or choose other weights.",
    )


def _all_of(job: Progress, runs: Sequence[_Run], until: float) -> tuple[list[HistoryRow], bool]:
    """Train one network after another; their curves, and True when the time was over first."""
    history: list[HistoryRow] = []
    for n, run in enumerate(runs):
        if time.perf_counter() > until:
            return history, True
        done = run.to_end(job, (n, len(runs)), history)
        history += done.history
        run.net.load_state_dict(done.state)
    return history, False


def _parted(work: Work, request: TrainRequest) -> Work:
    """The part without test stays; those of held-out patients are validation."""
    held = set(request.held_out)
    kept = [n for n, stay in enumerate(work.stays) if stay.case.split != "test"]
    stays = [work.stays[n] for n in kept]
    stays = [
        replace(stay, case=replace(stay.case, split="val"))
        if patient_hash(stay.case.patient) in held
        else stay
        for stay in stays
    ]
    return Work(work.name, work.outputs, stays, work.labels[kept], {})


def own_recipe(net: FusionNet, recipe: IcuRecipe) -> IcuRecipe:
    """The recipe with the sizes of a network, at the rate of going on."""
    options = asdict(net.options)
    sizes = {name: options[name] for name in _OF_THE_NETWORK}
    blanked = recipe.column_dropout
    if options["encoder"] == "hourly":
        blanked = recipe.hourly_column_dropout
    return replace(recipe, **sizes, rate=recipe.tune_rate, column_dropout=blanked)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One network that goes on learning; finished ones are kept for --resume."""

    key: str
    net: FusionNet
    fit: Callable[[], Fit]
    path: Path
    identity: str
    resume: bool
    first_epoch: int

    def to_end(self, job: Progress, told: tuple[int, int], before: Sequence[HistoryRow]) -> Done:
        """Train it, or take it where it is done; the last network counts, not the best one.

        Old and new are compared on the held-out stays: these must not choose the epoch.
        """
        kept = read_done(self.path, self.identity) if self.resume else None
        if kept is not None:
            return kept
        fit = self.fit()
        keeper = Keeper(self.path.parents[2], self.key, self.identity, before)
        if self.resume:
            keeper.go_on(fit)
        while fit.done < fit.recipe.epochs:
            job.report(*told, f"{self.key}: epoch {fit.done + 1} / {fit.recipe.epochs}")
            figures = fit.epoch(job.check)
            epoch = self.first_epoch + fit.done
            keeper.learn([(epoch, *name, value) for name, value in figures.items()], fit)
        done = Done(np.empty((0, 0)), {}, snapshot(fit.net), keeper.rows, fit.done, fit.done)
        write_done(self.path, self.identity, done)
        return done


def _runs(work: Work, model: IcuModel, recipe: IcuRecipe, request: TrainRequest) -> list[_Run]:
    part = model.parts[work.name]
    train, val = (_set_of(work, model, part, name) for name in ("train", "val"))
    if train is None:
        raise DataError("there is nothing to train on", do="Add stays.", code="MV-DAT-021")
    members = model.members(work.name)
    place = Path(request.out) / CHECKPOINT.parent / "tasks"
    cases = " ".join(f"{s.case.subset}/{s.case.case}/{s.case.split}" for s in work.stays)
    told = f"{recipe} {request.init} {request.seed} {cases}"
    identity = of_method(hashlib.sha256(told.encode()).hexdigest(), request.method)
    runs: list[_Run] = []
    for n, net in enumerate(members):

        def fit(net: FusionNet = net, n: int = n) -> Fit:
            made = Fit(own_recipe(net, recipe), train, val, 1000 * request.seed + n)
            made.go_on_from(net.state_dict(), request.method, HEAD)
            return made

        key = f"tune-{work.name}-{n}"
        first = n * recipe.epochs
        runs.append(_Run(key, net, fit, place / f"{key}.pt", identity, request.resume, first))
    return runs


def _set_of(work: Work, model: IcuModel, part: Part, name: str) -> StaySet | None:
    """The stays to train on ("" and "train") or to validate on, standardised as before."""
    wanted = ("", "train") if name == "train" else (name,)
    stays: list[Stay] = [stay for stay in work.stays if stay.case.split in wanted]
    if not stays:
        return None
    return encoded(stays, model.variables, part.normaliser, part.outputs)
