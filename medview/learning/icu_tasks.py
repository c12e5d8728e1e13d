"""The networks that a training of the ICU model is made of, each kept when it is done.

A training is a list of tasks: one network of a part, without the stays of a fold or of a site, or
with all of them. Finished tasks lie in ``checkpoint/tasks``, the running one in
``checkpoint/last.pt``; ``--resume`` goes on with what is missing and gives the same curve.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold
from torch import Tensor

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.io.atomic import whole_file
from medview.learning.checkpoint import CHECKPOINT, HistoryRow, read_checkpoint, write_checkpoint
from medview.learning.icu_fit import Fit, StaySet, probabilities
from medview.learning.icu_grid import Normaliser
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import Stay, encoded, fit_normaliser
from medview.learning.icu_variables import VariableMap
from medview.learning.icu_variants import variant_scores

Rows = NDArray[np.intp]
_KEPT = ("recipe", "task", "fit", "history")


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One network: of a part, in a phase ("folds", "sites", "final"), without `held` stays."""

    part: str
    phase: str
    name: str
    member: int
    train: Rows
    held: Rows
    val: Rows

    @property
    def key(self) -> str:
        """Its name in files and in the history."""
        words = f"{self.part}-{self.phase}-{self.name}-{self.member}"
        return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in words)


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What a task came to: scores of the stays it never saw (also in the variants of
    ``icu_variants``), its network, its curve.
    """

    scores: NDArray[np.float64]
    variants: dict[str, NDArray[np.float64]]
    state: dict[str, Tensor]
    history: list[HistoryRow]
    epochs: int
    best_epoch: int


def fold_rows(stays: Sequence[Stay], labels: NDArray[np.float64], folds: int) -> list[Rows]:
    """Rows left out in each fold, by patient, the same for everybody.

    With one stay a patient and one label: ``StratifiedKFold(shuffle, random_state=0)`` in the
    order of the data, the folds of the baselines; else folds of patients.
    """
    patients = [stay.case.patient for stay in stays]
    names = list(dict.fromkeys(patients))
    if labels.shape[1] == 1 and len(names) == len(patients):
        split = StratifiedKFold(folds, shuffle=True, random_state=0)
        return [held for _, held in split.split(patients, labels[:, 0])]
    places = {name: n for n, name in enumerate(names)}
    codes = np.array([places[patient] for patient in patients])
    parts = KFold(folds, shuffle=True, random_state=0).split(names)
    return [np.flatnonzero(np.isin(codes, held)) for _, held in parts]


def plan(
    part: str, recipe: IcuRecipe, stays: Sequence[Stay], labels: NDArray[np.float64]
) -> list[Task]:
    """All tasks of a part; stays marked for test are in none."""
    usable = np.flatnonzero([stay.case.split in ("", "train") for stay in stays])
    val = np.flatnonzero([stay.case.split == "val" for stay in stays])
    nobody = np.empty(0, np.intp)
    groups: list[tuple[str, str, Rows]] = []
    if recipe.folds > 1:
        here = [stays[n] for n in usable.tolist()]
        for n, held in enumerate(fold_rows(here, labels[usable], recipe.folds), 1):
            groups.append(("folds", str(n), usable[held]))
    if recipe.leave_sites and part == "mortality":
        sites = np.array([stays[n].case.site for n in usable.tolist()])
        groups += [("sites", str(s), usable[sites == s]) for s in np.unique(sites) if s]
    groups.append(("final", "all", nobody))
    return [
        Task(part, phase, name, member, np.setdiff1d(usable, held), held, val)
        for phase, name, held in groups
        for member in range(recipe.recurrent(part) + recipe.hourly_members)
    ]


@dataclass(slots=True, eq=False)
class Runner:
    """Runs the tasks of a training, or takes what is done already."""

    recipe: IcuRecipe
    variables: VariableMap
    out: Path
    seed: int
    resume: bool
    _kept: tuple[str, tuple[StaySet, StaySet | None, StaySet | None]] | None = None

    def run(
        self,
        job: Progress,
        task: Task,
        stays: Sequence[Stay],
        outputs: Sequence[str],
        told: tuple[int, int],
    ) -> Done:
        """Train a network, or read it where it is done. `told` is its number and how many."""
        recipe = self.recipe.of_member(task.part, task.member)
        identity = self._identity(task, stays)
        path = self.out / CHECKPOINT.parent / "tasks" / f"{task.key}.pt"
        kept = read_done(path, identity) if self.resume else None
        if kept is not None:
            return kept
        train, val, held = self._sets(task, stays, outputs)
        fit, history = self._start(task, train, val, identity)
        while not fit.finished:
            text = f"{task.key}: epoch {fit.done + 1} / {recipe.epochs}"
            job.report(told[0], told[1], text)
            figures = fit.epoch(job.check)
            history += [(fit.done, f"{p}:{task.key}", n, v) for (p, n), v in figures.items()]
            body = {"recipe": identity, "task": task.key, "fit": fit.state(), "history": history}
            write_checkpoint(self.out, body)
        state = fit.network_state()
        fit.net.load_state_dict(state)
        scores, variants = np.empty((0, len(outputs))), {}
        if held is not None:
            scores = probabilities(fit.net, held)
            unseen = [stays[n] for n in task.held.tolist()]
            variants = variant_scores(partial(probabilities, fit.net), held, unseen)
        done = Done(scores, variants, state, history, fit.done, fit.best_epoch or fit.done)
        write_done(path, identity, done)
        return done

    def normaliser(self, task: Task, stays: Sequence[Stay]) -> Normaliser:
        """Statistics of the task's own training stays."""
        return fit_normaliser(
            [stays[n] for n in task.train.tolist()], self.variables, self.recipe.normaliser
        )

    def _sets(
        self, task: Task, stays: Sequence[Stay], outputs: Sequence[str]
    ) -> tuple[StaySet, StaySet | None, StaySet | None]:
        """Training, validation and left-out stays; kept for the other members of the group."""
        group = f"{task.part}-{task.phase}-{task.name}"
        if self._kept is None or self._kept[0] != group:
            normaliser = self.normaliser(task, stays)

            def encoded_rows(rows: Rows) -> StaySet | None:
                chosen = [stays[n] for n in rows.tolist()]
                return encoded(chosen, self.variables, normaliser, outputs) if chosen else None

            train = encoded_rows(task.train)
            if train is None:
                raise DataError("there is nothing to train on", do="Add stays.", code="MV-DAT-021")
            self._kept = group, (train, encoded_rows(task.val), encoded_rows(task.held))
        return self._kept[1]

    def _start(
        self, task: Task, train: StaySet, val: StaySet | None, identity: str
    ) -> tuple[Fit, list[HistoryRow]]:
        fit = Fit(
            self.recipe.of_member(task.part, task.member),
            train,
            val,
            1000 * self.seed + task.member,
        )
        if self.resume and (self.out / CHECKPOINT).is_file():
            # Of another task it is what a finished one left behind.
            kept = torch.load(self.out / CHECKPOINT, map_location="cpu", weights_only=True)
            if kept.get("task") == task.key:
                kept = read_checkpoint(self.out, names=_KEPT, run=identity)
                fit.restore(kept["fit"])
                return fit, [tuple(row) for row in kept["history"]]
        return fit, []

    def _identity(self, task: Task, stays: Sequence[Stay]) -> str:
        """What must be the same for a finished network to be taken."""
        cases = " ".join(
            f"{stays[n].case.subset}/{stays[n].case.case}" for n in task.train.tolist()
        )
        digest = hashlib.sha256(f"{cases} {self.variables.body}".encode()).hexdigest()[:16]
        run = self.recipe.of_member(task.part, task.member).run
        return f"{run} seed {self.seed} data {digest}"


def write_done(path: Path, identity: str, done: Done) -> None:
    """Keep a finished network with what it must be the same for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body: dict[str, Any] = {
        "identity": identity,
        "scores": torch.from_numpy(done.scores),
        "variants": {name: torch.from_numpy(one) for name, one in done.variants.items()},
        "state": done.state,
        "history": done.history,
        "epochs": done.epochs,
        "best_epoch": done.best_epoch,
    }
    with whole_file(path) as draft:
        torch.save(body, draft)


def read_done(path: Path, identity: str) -> Done | None:
    """A finished network, or None where there is none of this recipe and data."""
    if not path.is_file():
        return None
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, TypeError, pickle.UnpicklingError):
        return None
    if kept.get("identity") != identity:
        return None
    history = [tuple(row) for row in kept["history"]]
    variants = {name: one.numpy() for name, one in kept.get("variants", {}).items()}
    scores = kept["scores"].numpy()
    return Done(scores, variants, kept["state"], history, kept["epochs"], kept["best_epoch"])
