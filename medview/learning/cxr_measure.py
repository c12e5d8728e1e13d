"""What the chest model is worth: figures on patients and on sources that trainings left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.progress import Progress
from medview.learning.chest_rows import zone_scores
from medview.learning.cxr_baselines import LOGISTIC, LUNGS, fit_models, with_baselines
from medview.learning.cxr_folds import Fold, fold_of_patients, train_and_predict
from medview.learning.cxr_given import Given
from medview.learning.cxr_metrics import (
    Said,
    calmed_as,
    calmed_by_other_folds,
    outcome_reliability,
    outcome_rows,
    temperature_of,
    together,
)
from medview.learning.cxr_phase import Run
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_severity_rows import severity_rows
from medview.learning.metrics import MetricRow
from medview.learning.plain_models import Matrix
from medview.learning.site_effects import NETWORK

FEWEST_ERRORS = 40
"""Below so many left-out films no interval of a score is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Measuring:
    """Networks trained without some of the films, and what they and others say of these.

    `table` holds what the classical models see of each film. `last` makes another last phase of
    the training (``cxr_fit.fit_method``); the network without it then stands beside as "network".
    """

    recipe: CxrRecipe
    given: Given
    table: Matrix
    seed: int
    last: Callable[..., Run] | None = None

    def rows(self, job: Progress) -> tuple[list[MetricRow], dict[str, object]]:
        """Figures on left-out patients and left-out sources, and how far scores are off."""
        cases, folds = self.given.films.cases, self.recipe.folds
        place = fold_of_patients(cases, folds)
        number = np.array([place.get(case.patient, -1) for case in cases])
        said = [self._left_out(job, number == fold) for fold in range(folds)]
        raw = together(said)
        whole = calmed_by_other_folds(said)
        curves = {"before": outcome_reliability(raw), "after": outcome_reliability(whole)}
        rows = [*outcome_rows(whole), *severity_rows(whole), *self._crossed(job, raw)]
        settings = {"temperature": temperature_of(raw), "reliability": {"severe": curves}}
        return rows, {**settings, **_errors(whole)}

    def _left_out(self, job: Progress, left: NDArray[np.bool_]) -> Said:
        """What networks and classical models say of the films `left` out (n,)."""
        given, table = self.given, self.table
        test, train = np.flatnonzero(left), np.flatnonzero(~left)
        fold = Fold(self.recipe, given, train, test, self.seed)
        said = train_and_predict(job, fold)
        if self.last is not None:
            plain, said = said.severe, train_and_predict(job, fold, self.last)
            said = replace(said, baselines={**said.baselines, NETWORK: plain})
        cases = [given.films.cases[n] for n in train.tolist()]
        found = with_baselines(said, fit_models(table[train], cases), table[test])
        if given.pooled is None:
            return found
        square = given.pooled[:, 0, 0].double().numpy()
        lungs = fit_models(square[train], cases).get(LOGISTIC)
        more = {} if lungs is None else {LUNGS: lungs(square[test])}
        return replace(found, baselines={**found.baselines, **more})

    def _crossed(self, job: Progress, inside: Said) -> Iterator[MetricRow]:
        """Outcome on each source by networks trained on the others.

        They are calmed as the films of the other sources ask for among those `inside` (said by
        networks that never saw the film): outcomes of the source itself choose no temperature.
        """
        cases = self.given.films.cases
        sites = sorted({case.site for case in cases if case.cells.get("prognosis")})
        for site in sites if len(sites) > 1 else ():
            here = {case.patient for case in cases if case.site == site}
            left = np.array([case.patient in here for case in cases], np.bool_)
            if not any(cases[n].cells.get("prognosis") for n in np.flatnonzero(~left)):
                continue  # the other sources teach no outcome
            others = np.array([case.patient not in here for case in inside.cases], np.bool_)
            said = calmed_as(self._left_out(job, left), inside.only(others))
            for row in outcome_rows(said):
                if row.group.split(", ")[0] == "all":
                    group = row.group.replace("all", f"source-left-out:{site}", 1)
                    yield replace(row, group=group)


def _errors(said: Said) -> dict[str, object]:
    """2.5th and 97.5th percentile of truth minus score on left-out films."""
    scored = np.array([bool(case.cells.get("brixia")) for case in said.cases], np.bool_)
    here = said.only(scored & np.isfinite(said.zones).all(1))
    if len(here.cases) < FEWEST_ERRORS:
        return {}
    truth = np.array([zone_scores(case.cells["brixia"]) for case in here.cases], float)
    zones, totals = truth - here.zones, truth.sum(1) - here.zones.sum(1)
    return {
        "zone_errors": [round(float(v), 3) for v in np.percentile(zones, (2.5, 97.5))],
        "total_errors": [round(float(v), 3) for v in np.percentile(totals, (2.5, 97.5))],
    }
