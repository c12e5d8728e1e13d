"""Variants of the chest model for ``medview ablate cxr``: single tasks, fine-tuning, MDMT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.progress import Progress
from medview.learning.cases import find_subsets
from medview.learning.chest_rows import zone_scores
from medview.learning.cxr_fit import Fitted
from medview.learning.cxr_folds import fold_of_patients, train_and_predict
from medview.learning.cxr_given import Given, make_given
from medview.learning.cxr_metrics import (
    ADMISSION,
    FIRST,
    Said,
    first_films,
    people_of,
    up_to_admission,
)
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_weights import encoder
from medview.learning.film_set import load_films

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {"method": "mdmt"},
    "stl-prognosis": {"method": "stl-prognosis"},
    "stl-severity": {"method": "stl-severity"},
    "ft": {"method": "ft"},
    "authors-loss": {"prognosis_loss": "mse_logits", "reduction": "whole_batch"},
    "no-adapter": {"adapter": 0},
    "global": {"severity": "global"},
    "regression": {"severity": "regression"},
    "lung": {"severity": "lung"},
}
DECISIONS = ("roc_auc", "accuracy", "balanced_accuracy", "f1_weighted", "g_mean")
# What the frozen part of the encoder gives depends on these settings only.
_FILMS = ("backbone", "size", "copies", "frozen")


class CxrStudy:
    """Variants on the same folds; films, their features and single-task nets are made once."""

    def __init__(self, job: Progress, request: AblateRequest) -> None:
        self._request = request
        subsets = find_subsets(request.data, request.model)
        self._cases = [case for subset in subsets for case in subset.cases]
        self._given: dict[tuple[object, ...], Given] = {}
        self._fitted: tuple[tuple[object, ...], dict[str, Fitted]] = ((), {})

    def variants(self) -> tuple[str, ...]:
        """All names, the default (MDMT) first."""
        return tuple(VARIANTS)

    def folds(self, seed: int) -> tuple[str, ...]:
        """Numbers of the folds, or the sites whose films have an outcome."""
        if self._request.leave_out:
            known = {case.site for case in self._cases if case.cells.get("prognosis")}
            return tuple(sorted(known))
        return tuple(str(n + 1) for n in range(self._request.folds))

    def run(
        self, job: Progress, variant: str, settings: Mapping[str, Any], seed: int, fold: str
    ) -> tuple[Scored, ...]:
        """Train without one fold and score its films."""
        changed = {**VARIANTS[variant], **settings}
        recipe = CxrRecipe.of({**self._request.recipe, **changed})
        given = self._films(job, recipe, seed)
        test = self._left_out(given, fold)
        train = np.flatnonzero(~test)
        own = (*asdict(replace(recipe, method="")).values(), seed, fold)
        if self._fitted[0] != own:
            self._fitted = (own, {})
        known = self._fitted[1]
        said = train_and_predict(job, recipe, given, train, np.flatnonzero(test), seed, known)
        return tuple(scored(said))

    def _films(self, job: Progress, recipe: CxrRecipe, seed: int) -> Given:
        key = tuple(getattr(recipe, name) for name in _FILMS)
        if key not in self._given:
            films = load_films(job, self._cases, recipe.size, recipe.copies, self._request.seed)
            self._given = {key: make_given(job, films, encoder(recipe.backbone), recipe.frozen)}
        return self._given[key]

    def _left_out(self, given: Given, fold: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Films of the fold; no patient is on both sides."""
        cases = given.films.cases
        if self._request.leave_out:
            here = {case.patient for case in cases if case.site == fold}
            return np.array([case.patient in here for case in cases], np.bool_)
        folds = fold_of_patients(cases, self._request.folds)
        return np.array([folds.get(case.patient) == int(fold) - 1 for case in cases], np.bool_)


def make_study(job: Progress, request: AblateRequest) -> CxrStudy:
    """The study of the chest model."""
    return CxrStudy(job, request)


def scored(said: Said) -> list[Scored]:
    """What a run said, task by task: the outcome by patient, severity by film and by zone."""
    found = []
    outcome = np.array([bool(case.cells.get("prognosis")) for case in said.cases], np.bool_)
    here = said.only(outcome & np.isfinite(said.severe))
    if here.cases:
        found += _outcome(here)
    has = np.array([bool(case.cells.get("brixia")) for case in said.cases], np.bool_)
    films = said.only(has & np.isfinite(said.severity))
    if films.cases:
        found += _severity(films)
    return found


def _outcome(said: Said) -> list[Scored]:
    parts = {"all": said, FIRST: said.only(first_films(said.cases))}
    early = np.array([c.site == "hannover" for c in said.cases]) & up_to_admission(said.cases)
    parts[ADMISSION] = said.only(early)
    for site in sorted({case.site for case in said.cases}):
        parts[site] = said.only(np.array([case.site == site for case in said.cases]))
    found = []
    for subset, part in parts.items():
        if not part.cases:
            continue
        people = people_of(part.cases, part.severe)
        truth = tuple(people.severe.astype(float))
        score = tuple(people.scores["model"])
        names = people.names
        found.append(Scored("prognosis", DECISIONS, names, names, truth, score, subset))
    return found


def _severity(said: Said) -> list[Scored]:
    truth = np.array([zone_scores(case.cells["brixia"]) for case in said.cases], float)
    names = tuple(f"{case.subset}:{case.case}" for case in said.cases)
    patients = tuple(case.patient for case in said.cases)
    total = truth.sum(1)
    classes = np.digitize(total, (4.5, 9.5, 14.5))
    hit = (classes == said.severity).astype(float)
    found = [Scored("severity", ("class_accuracy",), names, patients, _t(classes), _t(hit), "all")]
    if np.isfinite(said.zones).all():
        score = said.zones.sum(1)
        figures = ("mae", "pearson_r")
        found.append(Scored("severity", figures, names, patients, _t(total), _t(score), "all"))
        cases = tuple(f"{name}:{zone}" for name in names for zone in "ABCDEF")
        people = tuple(patient for patient in patients for _ in range(6))
        flat = (_t(truth.ravel()), _t(said.zones.ravel()))
        found.append(Scored("severity", ("mae",), cases, people, *flat, "all", "zone"))
    if np.isfinite(said.median).all():
        found.append(Scored("median", ("mae",), names, patients, _t(total), _t(said.median), "all"))
    return found


def _t(values: Sequence[float] | np.ndarray[Any, Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
