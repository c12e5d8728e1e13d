"""One run of a comparison: the stays that a network learns from, and what it says of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.ablation import Scored
from medview.domain.progress import Progress
from medview.learning.armed_rules import effect_rows, numbered
from medview.learning.icu_armed import ArmedFit, unit_columns
from medview.learning.icu_fit import Fit, StaySet, probabilities
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import Stay
from medview.learning.icu_unmeasured import BEDSIDE
from medview.learning.icu_variables import VariableMap
from medview.learning.icu_work import Work
from medview.models.armed import LossWeights

Scores = NDArray[np.float64]
NAMES = ("roc_auc", "pr_auc", "brier")
ALL_LABELS = "mean of the phenotypes"


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A part of the model in one fold: the recipe of its network, `stays` to learn from and to be
    asked of, and both as numbers.
    """

    work: Work
    variables: VariableMap
    recipe: IcuRecipe
    stays: tuple[list[Stay], list[Stay]]
    train: StaySet
    test: StaySet

    def without_bedside(self) -> StaySet | None:
        """The stays asked, as a table of laboratory values alone tells them; None where the map
        has nothing else.
        """
        bare = self.test.unmeasured
        if bare is None or not set(BEDSIDE) & set(bare.names):
            return None
        return replace(self.test, series=bare.without(self.test.series, BEDSIDE))

    def scored(self, scores: Scores, suffix: str = "") -> list[Scored]:
        """Probabilities (N, K) of the stays asked, by label; `suffix` goes behind their set."""
        test, truth = self.stays[1], self.test.labels.numpy()
        positive = np.nansum(self.work.labels, axis=0)
        found = []
        for k, output in enumerate(self.work.outputs):
            known = np.flatnonzero(np.isfinite(truth[:, k])).tolist()
            if not known:
                continue
            often = positive[k] >= self.recipe.fewest_positives
            found.append(
                Scored(
                    output,
                    NAMES,
                    tuple(f"{test[n].case.subset}/{test[n].case.case}" for n in known),
                    tuple(test[n].case.patient for n in known),
                    tuple(float(truth[n, k]) for n in known),
                    tuple(float(scores[n, k]) for n in known),
                    self.work.subset + suffix,
                    mean_of=ALL_LABELS if often and output.startswith("phenotype") else "",
                )
            )
        return found


def by_unit(
    job: Progress, given: Given, weights: LossWeights | None, seed: int, fold: str
) -> list[Scored]:
    """Train one risk without a column of the unit and score the stays left out.

    With `weights` it is ARMED: also what every unit in turn would say, averaged, and the effects.
    """
    blank = unit_columns(given.variables)
    if weights is None:
        plain = Fit(given.recipe, given.train, None, seed, blank=blank)
        _to_end(job, plain)
        return given.scored(probabilities(plain.net, given.test))
    names = sorted({stay.case.site for stay in given.stays[0] if stay.case.site})
    train, test = (
        replace(one, cluster=numbered([stay.case.site for stay in stays], names))
        for one, stays in zip((given.train, given.test), given.stays, strict=True)
    )
    fit = ArmedFit(given.recipe, train, None, seed, blank=blank, weights=weights)
    _to_end(job, fit)
    risks = fit.risks(test)
    found = given.scored(risks["own"][:, None])
    found += given.scored(risks["average"][:, None], ", average over units")
    return found + effect_rows(fit.read_out(test, names), given.work.subset, fold)


def _to_end(job: Progress, fit: Fit) -> None:
    while not fit.finished:
        fit.epoch(job.check)
