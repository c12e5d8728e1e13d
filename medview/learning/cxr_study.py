"""Variants of the chest model for ``medview ablate cxr``.

Single tasks, fine-tuning and MDMT; effects of clusters (ARMED); one joined label set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.progress import Progress
from medview.learning.ablation_figures import DEFAULT
from medview.learning.armed_rules import effect_rows
from medview.learning.cases import find_subsets
from medview.learning.cxr_armed import ClusterOf, clusters_of, source_of
from medview.learning.cxr_compared import ARMED, armed_said
from medview.learning.cxr_folds import Fold, fold_of_patients, train_and_predict
from medview.learning.cxr_given import Given, make_given
from medview.learning.cxr_phase import Fitted
from medview.learning.cxr_recipe import DEEP, CxrRecipe
from medview.learning.cxr_scored import scored
from medview.learning.cxr_unified import UNIFIED, unified_said
from medview.learning.cxr_weights import encoder
from medview.learning.film_set import load_films

VARIANTS: dict[str, dict[str, Any]] = {
    "default": {"method": "mdmt"},
    "stl-prognosis": {"method": "stl-prognosis"},
    "stl-severity": {"method": "stl-severity"},
    "ft": {"method": "ft"},
    "deep-outcome": DEEP,
    "authors-loss": {"prognosis_loss": "mse_logits", "reduction": "whole_batch"},
    "no-adapter": {"adapter": 0},
    "global": {"severity": "global"},
    "regression": {"severity": "regression"},
    "lung": {"severity": "lung"},
}
LABELS = ("prognosis", "brixia")
AVERAGE = ", average over clusters"
# What the frozen part of the encoder gives depends on these settings only.
_FILMS = ("backbone", "size", "copies", "frozen")


class CxrStudy:
    """Variants on the same folds; films, their features and single-task nets are made once."""

    def __init__(self, job: Progress, request: AblateRequest) -> None:
        self._request = request
        subsets = find_subsets(request.data, request.model)
        # As in a training: films without a label would move the mean that features are told from.
        self._cases = [
            case
            for subset in subsets
            for case in subset.cases
            if any(case.cells.get(label) for label in LABELS)
        ]
        self._given: dict[tuple[object, ...], Given] = {}
        self._fitted: tuple[tuple[object, ...], dict[str, Fitted]] = ((), {})

    def variants(self) -> tuple[str, ...]:
        """All that the data can tell apart, the default (MDMT) first.

        Effects of clusters and a joined label set need films with either label; effects also need
        two clusters with an outcome.
        """
        both = all(any(c.cells.get(label) for c in self._cases) for label in LABELS)
        armed = [name for name, (_, cluster_of) in ARMED.items() if self._has_effects(cluster_of)]
        return (*VARIANTS, *((*armed, *UNIFIED) if both else ()))

    def _has_effects(self, cluster_of: ClusterOf) -> bool:
        """There are at least two clusters; with a source left out, there may be one to learn from.

        Clusters that are the sources again have no variants of their own.
        """
        cases = [case for case in self._cases if case.cells.get("prognosis")]
        if cluster_of is not source_of and len(clusters_of(cases, cluster_of)) == len(
            clusters_of(cases, source_of)
        ):
            return False
        return len(clusters_of(cases, cluster_of)) > 1

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
        own = DEEP if variant in ARMED else VARIANTS.get(variant, VARIANTS[DEFAULT])
        changed = {**own, **settings}
        recipe = CxrRecipe.of({**self._request.recipe, **changed})
        given = self._films(job, recipe, seed)
        test = self._left_out(given, fold)
        shared = (*asdict(replace(recipe, method="")).values(), seed, fold)
        if self._fitted[0] != shared:
            self._fitted = (shared, {})
        left = np.flatnonzero(~test), np.flatnonzero(test)
        whole = Fold(recipe, given, *left, seed, self._fitted[1])
        if variant in ARMED:
            told = armed_said(job, whole, variant)
            return (
                *scored(told.own),
                *(one for one in scored(told.average, AVERAGE) if one.task == "prognosis"),
                *effect_rows(told.effects, "all", fold),
            )
        if variant in UNIFIED:
            return tuple(scored(unified_said(job, whole, variant)))
        return tuple(scored(train_and_predict(job, whole)))

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
