"""The networks that a training of the ICU model is made of, each kept when it is done.

A training is a list of tasks: one network of a part, without the stays of a fold or of a site, or
with all of them. Finished tasks lie in ``checkpoint/tasks``, the running one in
``checkpoint/last.pt`` (``Keeper``); ``--resume`` goes on with what is missing and gives the same
curve.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
from medview.learning.armed_rules import numbered
from medview.learning.checkpoint import (
    CHECKPOINT,
    Due,
    HistoryRow,
    read_checkpoint,
    refuse_other_method,
    store,
    write_checkpoint,
    write_history,
)
from medview.learning.icu_armed import ArmedFit, unit_columns
from medview.learning.icu_fit import Fit, StaySet, probabilities
from medview.learning.icu_grid import Normaliser
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import Stay, encoded, fit_normaliser
from medview.learning.icu_variables import VariableMap
from medview.learning.icu_variants import variant_scores
from medview.learning.ranks import ALONE, Ranks
from medview.learning.site_effects import FIXED

Rows = NDArray[np.intp]
_KEPT = ("recipe", "task", "fit", "history")
PLAIN = "plain-"
"""How a phase begins whose networks are the twins, without effects of units, of another's."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One network: of a part, in a phase ("folds", "sites", "final"; a twin "plain-folds" ...),
    without `held` stays.
    """

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


def to_train_on(stays: Sequence[Stay]) -> Rows:
    """Rows of the stays that are marked neither for validation nor for test."""
    return np.flatnonzero([stay.case.split in ("", "train") for stay in stays])


def plan(
    part: str, recipe: IcuRecipe, stays: Sequence[Stay], labels: NDArray[np.float64]
) -> list[Task]:
    """All tasks of a part; stays marked for test are in none."""
    usable = to_train_on(stays)
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
    if recipe.compares:
        groups += [(PLAIN + phase, name, held) for phase, name, held in groups]
    groups.append(("final", "all", nobody))
    return [
        Task(part, phase, name, member, _of_others(stays, usable, held), held, val)
        for phase, name, held in groups
        for member in range(recipe.recurrent(part) + recipe.hourly_members)
    ]


def _of_others(stays: Sequence[Stay], rows: Rows, held: Rows) -> Rows:
    """The rows of patients who have no stay among those held: some lie at several sites."""
    away = {stays[n].case.patient for n in held.tolist()}
    return np.array([n for n in rows.tolist() if stays[n].case.patient not in away], np.intp)


@dataclass(slots=True, eq=False)
class Keeper:
    """Keeps one network in training, and its curve behind those of the networks before it.

    Parameters
    ----------
    out : Path
        Where checkpoint/ and history.csv lie.
    key, identity : str
        Which network it is, and what must be the same to go on with it.
    before : Sequence[HistoryRow]
        The curves of the networks before.
    writes : bool
        False in all of several processes but the first one.
    """

    out: Path
    key: str
    identity: str
    before: Sequence[HistoryRow]
    writes: bool = True
    rows: list[HistoryRow] = field(default_factory=list)
    _due: Due = field(default_factory=Due)

    def go_on(self, fit: Fit) -> None:
        """Take the checkpoint, if it is of this network; another one is of a finished network.

        Raises
        ------
        DataError
            A damaged checkpoint, or one of another method.
        """
        if not (self.out / CHECKPOINT).is_file():
            return
        kept = read_checkpoint(self.out, names=_KEPT, run=None)
        refuse_other_method(kept["recipe"], self.identity, self.out)
        if (kept["task"], kept["recipe"]) == (self.key, self.identity):
            fit.restore(kept["fit"])
            self.rows = [tuple(row) for row in kept["history"]]

    def learn(self, rows: Sequence[HistoryRow], fit: Fit) -> None:
        """Take in the curve of an epoch; write both where that is due, and after the last one."""
        self.rows += rows
        if self.writes and (self._due.after_epoch() or fit.finished):
            write_history(self.out / "history.csv", [*self.before, *self.rows])
            body = {"recipe": self.identity, "task": self.key, "fit": fit.state()}
            write_checkpoint(self.out, {**body, "history": self.rows})


@dataclass(slots=True, eq=False)
class Runner:
    """Runs the tasks of a training, or takes what is done already.

    Of several processes (`ranks`) all train, and the first one writes.
    """

    recipe: IcuRecipe
    variables: VariableMap
    out: Path
    seed: int
    resume: bool
    ranks: Ranks = ALONE
    history: list[HistoryRow] = field(default_factory=list)
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
        identity = self._identity(task, stays)
        path = self.out / CHECKPOINT.parent / "tasks" / f"{task.key}.pt"
        done = read_done(path, identity) if self.resume else None
        if done is None:
            done = self._train(job, task, stays, outputs, told)
            if self.ranks.leads:
                write_done(path, identity, done)
        self.history += done.history
        return done

    def _train(
        self,
        job: Progress,
        task: Task,
        stays: Sequence[Stay],
        outputs: Sequence[str],
        told: tuple[int, int],
    ) -> Done:
        train, val, held = self._sets(task, stays, outputs)
        recipe = self.recipe.of_member(task.part, task.member)
        fit = self._fit(task, train, val, units_of(stays, task.train))
        identity, leads = self._identity(task, stays), self.ranks.leads
        keeper = Keeper(self.out, task.key, identity, self.history, leads)
        if self.resume:
            keeper.go_on(fit)
        while not fit.finished:
            job.report(*told, f"{task.key}: epoch {fit.done + 1} / {recipe.epochs}")
            figures = fit.epoch(job.check)
            curve = [(fit.done, f"{p}:{task.key}", n, v) for (p, n), v in figures.items()]
            keeper.learn(curve, fit)
        state = fit.network_state()
        fit.whole.load_state_dict(state)
        scores, variants = np.empty((0, len(outputs))), {}
        if held is not None:
            scores = fit.asked(held)
            if isinstance(fit, ArmedFit):
                variants = {FIXED: fit.fixed(held)}
            else:
                unseen = [stays[n] for n in task.held.tolist()]
                variants = variant_scores(partial(probabilities, fit.net), held, unseen)
        best = fit.best_epoch or fit.done
        return Done(scores, variants, state, keeper.rows, fit.done, best)

    def _fit(self, task: Task, train: StaySet, val: StaySet | None, units: Sequence[str]) -> Fit:
        """The training of a task before its first step."""
        recipe, seed = self.recipe.of_member(task.part, task.member), 1000 * self.seed + task.member
        if recipe.rule is None or task.phase.startswith(PLAIN):
            return Fit(recipe, train, val, seed, self.ranks)
        blank = unit_columns(self.variables)
        rule = recipe.rule
        return ArmedFit(recipe, train, val, seed, self.ranks, blank, weights=rule, count=len(units))

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
            units = units_of(stays, task.train)

            def encoded_rows(rows: Rows) -> StaySet | None:
                chosen = [stays[n] for n in rows.tolist()]
                if not chosen:
                    return None
                made = encoded(chosen, self.variables, normaliser, outputs)
                return replace(made, cluster=numbered([stay.case.site for stay in chosen], units))

            train = encoded_rows(task.train)
            if train is None:
                raise DataError("there is nothing to train on", do="Add stays.", code="MV-DAT-021")
            self._kept = group, (train, encoded_rows(task.val), encoded_rows(task.held))
        return self._kept[1]

    def _identity(self, task: Task, stays: Sequence[Stay]) -> str:
        """What must be the same for a finished network to be taken."""
        cases = " ".join(
            f"{stays[n].case.subset}/{stays[n].case.case}" for n in task.train.tolist()
        )
        digest = hashlib.sha256(f"{cases} {self.variables.body}".encode()).hexdigest()[:16]
        run = self.recipe.of_member(task.part, task.member).run
        return f"{run} seed {self.seed} data {digest}"


def units_of(stays: Sequence[Stay], rows: Rows) -> list[str]:
    """The sites of some stays, by name."""
    return sorted({stays[n].case.site for n in rows.tolist() if stays[n].case.site})


def write_done(path: Path, identity: str, done: Done) -> None:
    """Keep a finished network with what it must be the same for."""
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
        store(body, draft)


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
