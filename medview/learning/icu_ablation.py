"""Variants of the ICU model on the same folds: ways to fuse, losses, encoders, missing inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.icu_fit import Fit, probabilities
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import encoded, fit_normaliser
from medview.learning.icu_tasks import Rows, fold_rows
from medview.learning.icu_training import Work, works_of
from medview.learning.icu_variables import VariableMap

NAMES = ("roc_auc", "pr_auc", "brier")
# Variant -> what of the recipe it changes.
CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    "concat": {"fusing": "concat"},
    "lstm": {"fusing": "lstm"},
    "attention-cls": {"fusing": "attention-cls"},
    "bce": {"loss": "bce"},
    "focal": {"loss": "focal"},
    "learned-focal": {"loss": "learned-focal"},
    "last-hour-only": {"rungs": 0},
    "no-column-dropout": {"column_dropout": 0.0},
}


@dataclass(frozen=True, slots=True, eq=False)
class IcuStudy:
    """The stays of each part, and how they are parted."""

    works: tuple[Work, ...]
    variables: VariableMap
    recipe: IcuRecipe
    request: AblateRequest

    def variants(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(CHANGES)

    def folds(self, seed: int) -> tuple[str, ...]:
        """Numbers of the folds, the same for every seed, or names of the sites."""
        return tuple(dict.fromkeys(name for work in self.works for name, _ in self._held(work)))

    def run(
        self, job: Progress, variant: str, settings: Mapping[str, Any], seed: int, fold: str
    ) -> tuple[Scored, ...]:
        """Train one network of each part without a fold and score its stays."""
        recipe = IcuRecipe.of({**asdict(self.recipe), **CHANGES[variant], **settings})
        found: list[Scored] = []
        for work in self.works:
            held = dict(self._held(work)).get(fold)
            if held is not None:
                found += self._scored(job, work, held, recipe, seed)
        return tuple(found)

    def _held(self, work: Work) -> list[tuple[str, Rows]]:
        if not self.request.leave_out:
            parts = fold_rows(work.stays, work.labels, self.request.folds)
            return [(str(n), rows) for n, rows in enumerate(parts, 1)]
        sites = np.array([stay.case.site for stay in work.stays])
        return [(str(s), np.flatnonzero(sites == s)) for s in np.unique(sites) if s]

    def _scored(
        self, job: Progress, work: Work, held: Rows, recipe: IcuRecipe, seed: int
    ) -> list[Scored]:
        kept = np.setdiff1d(np.arange(len(work.stays)), held)
        train, test = ([work.stays[n] for n in rows.tolist()] for rows in (kept, held))
        normaliser = fit_normaliser(train, self.variables, recipe.normaliser)
        given, asked = (
            encoded(stays, self.variables, normaliser, work.outputs) for stays in (train, test)
        )
        fit = Fit(recipe.of_member(work.name, 0), given, None, seed)
        while not fit.finished:
            fit.epoch(job.check)
        scores, truth = probabilities(fit.net, asked), asked.labels.numpy()
        found = []
        for k, output in enumerate(work.outputs):
            known = np.flatnonzero(np.isfinite(truth[:, k])).tolist()
            found.append(
                Scored(
                    output,
                    NAMES,
                    tuple(f"{test[n].case.subset}/{test[n].case.case}" for n in known),
                    tuple(test[n].case.patient for n in known),
                    tuple(float(truth[n, k]) for n in known),
                    tuple(float(scores[n, k]) for n in known),
                    ",".join(dict.fromkeys(stay.case.subset for stay in work.stays)),
                )
            )
        return found


def study(job: Progress, request: AblateRequest) -> IcuStudy:
    """The study of the stays that are given.

    Raises
    ------
    DataError
        Unusable data or recipe, or no sites where one is to be left out.
    """
    recipe = IcuRecipe.of(dict(request.recipe))
    works, _, variables = works_of(job, recipe, request.data)
    made = IcuStudy(tuple(works), variables, recipe, request)
    if not made.folds(request.seed):
        raise DataError("no stay says its site", do="Give --folds instead.", code="MV-DAT-171")
    return made
