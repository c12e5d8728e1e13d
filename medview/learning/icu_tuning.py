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
from torch import nn

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import Rounds, TrainRequest
from medview.learning.armed_rules import numbered
from medview.learning.begun_with import begin
from medview.learning.checkpoint import (
    CHECKPOINT,
    HistoryRow,
    of_method,
    snapshot,
    write_history,
)
from medview.learning.course import Course
from medview.learning.finetune_method import refuse_other
from medview.learning.icu_armed import LEARNS, ArmedFit, inside
from medview.learning.icu_card import make_card
from medview.learning.icu_fit import Fit, StaySet
from medview.learning.icu_model import IcuModel, Part, load_icu
from medview.learning.icu_parts import patients_in, works_in, write_splits
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import Stay, encoded, find_stays
from medview.learning.icu_tasks import (
    Done,
    Keeper,
    read_done,
    to_train_on,
    units_of,
    write_done,
)
from medview.learning.icu_training import health_of
from medview.learning.icu_units import grown, refuse_no_unit, site_effects
from medview.learning.icu_work import Work
from medview.learning.patients import patient_hash
from medview.learning.subset import LeftOut, Subset
from medview.learning.weights import save
from medview.models.fusion import FusionNet

HEAD = ("head.",)
_OF_THE_NETWORK = (
    "hidden", "width", "heads", "feed_forward", "blocks", "fusing", "missing", "film",
    "series_dropout", "dropout", "encoder",
)  # fmt: skip
"""Settings that a network brings with it."""


def tune(job: Progress, request: TrainRequest, kind: type[IcuRecipe]) -> dict[str, Any]:
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
    course = Course.start(job, request, threads=2)
    subsets = find_stays(request.data, kind.MODEL, request.variables)
    given = _given(job, request, kind, subsets)
    card, model, recipe, works = given.card, given.model, given.recipe, given.works
    out = course.made_folder()
    begin(request, subsets)
    write_splits(out / "splits.csv", works, private=request.private)
    runs = [run for work in works for run in _runs(work, model, recipe, request)]
    job.partial(Rounds(max(run.first_epoch for run in runs) + recipe.epochs))
    history, late = _all_of(job, runs, course.until)
    write_history(out / "history.csv", history)
    patients = patients_in(works)
    effects = [one for w in works for one in site_effects(model, w)] if recipe.rule else []
    made = make_card(model, recipe, subsets, patients["train"], {}, "", effects)
    made = replace(made, version=card.version)
    return course.answer(
        epochs=recipe.epochs,
        best_epoch=recipe.epochs,
        stopped="time" if late else "epochs",
        n={part: len(names) for part, names in patients.items()},
        weights_sha256=save(model, made, out).weights_sha256,
        health=health_of(history),
        skipped=given.skipped,
    )


def first_fit(job: Progress, request: TrainRequest, kind: type[IcuRecipe]) -> Fit:
    """The first network that would go on learning, before its first step.

    Raises
    ------
    DataError
        Unusable data, or no labels of any part of the weights.
    """
    given = _given(job, request, kind, find_stays(request.data, kind.MODEL))
    return _runs(given.works[0], given.model, given.recipe, request)[0].fit()


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """Weights to start from, how they go on, and the stays they go on with."""

    model: IcuModel
    card: ModelCard
    recipe: IcuRecipe
    works: list[Work]
    skipped: list[LeftOut]


def _given(
    job: Progress, request: TrainRequest, kind: type[IcuRecipe], subsets: Sequence[Subset]
) -> _Given:
    """Read the weights and the stays; sites that are new get effects of their own."""
    model, card = load_icu(Path(request.init or ""), name=kind.MODEL)
    recipe = replace(
        kind.of(dict(request.recipe)),
        film="features" if model.uses_film else "none",
        clahe=model.clahe,
    )
    if recipe.rule is not None:
        refuse_other(kind.MODEL, request.method, tuple(LEARNS))
    works, skipped = works_in(job, recipe, model.variables, subsets)
    works = [_parted(work, request) for work in works if work.name in model.parts]
    if not works:
        raise _no_label(model)
    if recipe.rule is not None:
        units = {work.name: units_of(work.stays, to_train_on(work.stays)) for work in works}
        refuse_no_unit(request.method, units)
        model = grown(model, units)
    return _Given(model, card, recipe, works, skipped)


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
    net: nn.Module
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
        done = Done(np.empty((0, 0)), {}, snapshot(fit.whole), keeper.rows, fit.done, fit.done)
        write_done(self.path, self.identity, done)
        return done


def _runs(work: Work, model: IcuModel, recipe: IcuRecipe, request: TrainRequest) -> list[_Run]:
    part = model.parts[work.name]
    train, val = (_set_of(work, model, part, name) for name in ("train", "val"))
    if train is None:
        raise DataError("there is nothing to train on", do="Add stays.", code="MV-DAT-021")
    place = Path(request.out) / CHECKPOINT.parent / "tasks"
    cases = " ".join(f"{s.case.subset}/{s.case.case}/{s.case.split}" for s in work.stays)
    told = f"{recipe} {request.init} {request.seed} {cases}"
    identity = of_method(hashlib.sha256(told.encode()).hexdigest(), request.method)
    runs: list[_Run] = []
    for n, whole in enumerate(model.whole(work.name)):

        def fit(whole: nn.Module = whole, n: int = n) -> Fit:
            own, seed = own_recipe(inside(whole), recipe), 1000 * request.seed + n
            made = Fit(own, train, val, seed)
            if own.rule is not None and part.sites:
                made = ArmedFit(
                    own, train, val, seed, blank=inside(whole).options.blank, weights=own.rule,
                    count=len(part.sites),
                )  # fmt: skip
            made.go_on_from(whole.state_dict(), request.method, HEAD)
            return made

        key = f"tune-{work.name}-{n}"
        first = n * recipe.epochs
        runs.append(_Run(key, whole, fit, place / f"{key}.pt", identity, request.resume, first))
    return runs


def _set_of(work: Work, model: IcuModel, part: Part, name: str) -> StaySet | None:
    """The stays to train on ("" and "train") or to validate on, standardised as before."""
    wanted = ("", "train") if name == "train" else (name,)
    stays: list[Stay] = [stay for stay in work.stays if stay.case.split in wanted]
    if not stays:
        return None
    made = encoded(stays, model.variables, part.normaliser, part.outputs)
    return replace(made, cluster=numbered([stay.case.site for stay in stays], part.sites))
