"""Variants of the ICU model on the same folds: ways to fuse, losses, units, missing inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.armed_rules import RULES
from medview.learning.icu_compared import Given, by_unit
from medview.learning.icu_films import film_features
from medview.learning.icu_fit import Fit, probabilities
from medview.learning.icu_grid import Floats
from medview.learning.icu_parts import works_of
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_stays import Stay, encoded, fit_normaliser, with_films
from medview.learning.icu_tasks import Rows, fold_rows
from medview.learning.icu_variables import VariableMap
from medview.learning.icu_variants import without
from medview.learning.icu_work import Work
from medview.models.armed import LossWeights
from medview.models.fusion import SERIES

# Variant -> what of the recipe it changes.
CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    "concat": {"fusing": "concat"},
    "lstm": {"fusing": "lstm"},
    "attention-cls": {"fusing": "attention-cls"},
    "bce": {"loss": "bce"},
    "focal": {"loss": "focal"},
    "learned-focal": {"loss": "learned-focal"},
    "counts": {"loss": "counts"},
    "dwa": {"loss": "dwa"},
    "gradnorm": {"loss": "gradnorm"},
    "pcgrad": {"loss": "pcgrad"},
    "last-hour-only": {"rungs": 0},
    "no-column-dropout": {"column_dropout": 0.0},
}
# The same where stays have films: what each input is worth, and how films are prepared and missed.
FILM_CHANGES: dict[str, dict[str, Any]] = {
    "series-only": {"film": "none"},
    "film-only": {"series_hidden": 1.0, "film_dropout": 0.0},
    "clahe": {"clahe": True},
    "missing-learned": {"missing": "learned"},
    "missing-mask": {"missing": "mask"},
    "no-film-dropout": {"film_dropout": 0.0, "series_hidden": 0.0},
}


# One network that sees an hour at a time, and one that learns with variables hidden.
BY_HOUR: dict[str, dict[str, Any]] = {
    "hourly": {},
    "hourly-hidden": {"hourly_hidden_variables": 0.15},
}
# Effects of units, and none of them; the unit is a column in none.
BY_RULE: dict[str, LossWeights | None] = {"no-type": None, **RULES}
# What the variants of units share: with one risk the plain loss is the same but for its rate.
BY_UNIT: dict[str, Any] = {"loss": "bce"}


@dataclass(frozen=True, slots=True, eq=False)
class IcuStudy:
    """The stays of each part, and how they are parted."""

    works: tuple[Work, ...]
    variables: VariableMap
    recipe: IcuRecipe
    request: AblateRequest
    films: dict[bool, dict[Path, Floats]] = field(default_factory=dict)

    def variants(self) -> tuple[str, ...]:
        """All that the data can tell apart: those of films, and of units, only where there are
        some; those of single hours where there are no films.
        """
        films = any(stay.film is not None for work in self.works for stay in work.stays)
        units = not films and any(_has_units(work) for work in self.works)
        return (*CHANGES, *(FILM_CHANGES if films else BY_HOUR), *(BY_RULE if units else ()))

    def folds(self, seed: int) -> tuple[str, ...]:
        """Numbers of the folds, the same for every seed, or names of the sites."""
        return tuple(dict.fromkeys(name for work in self.works for name, _ in self._held(work)))

    def run(
        self, job: Progress, variant: str, settings: Mapping[str, Any], seed: int, fold: str
    ) -> tuple[Scored, ...]:
        """Train one network of each part without a fold and score its stays."""
        named = {**CHANGES, **FILM_CHANGES, **BY_HOUR, **dict.fromkeys(BY_RULE, BY_UNIT)}
        changes = named[variant]
        recipe = IcuRecipe.of({**asdict(self.recipe), **changes, **settings})
        found: list[Scored] = []
        for work in self.works:
            held = dict(self._held(work)).get(fold)
            if held is None:
                continue
            hourly = variant in BY_HOUR
            member = recipe.recurrent(work.name) if hourly else 0
            given = self._given(job, work, held, recipe, member)
            if variant in BY_RULE:
                found += (
                    by_unit(job, given, BY_RULE[variant], seed, fold) if _has_units(work) else []
                )
                continue
            fit = Fit(given.recipe, given.train, None, seed)
            while not fit.finished:
                fit.epoch(job.check)
            found += given.scored(probabilities(fit.net, given.test))
            if hourly and (bare := given.without_bedside()) is not None:
                found += given.scored(probabilities(fit.net, bare), ", without bedside values")
        return tuple(found)

    def _held(self, work: Work) -> list[tuple[str, Rows]]:
        if not self.request.leave_out:
            parts = fold_rows(work.stays, work.labels, self.request.folds)
            return [(str(n), rows) for n, rows in enumerate(parts, 1)]
        sites = np.array([stay.case.site for stay in work.stays])
        return [(str(s), np.flatnonzero(sites == s)) for s in np.unique(sites) if s]

    def _with_films(self, job: Progress, stays: list[Stay], recipe: IcuRecipe) -> list[Stay]:
        """The stays with films as the recipe wants them, or without."""
        if recipe.film == "none":
            return [replace(stay, film=None) for stay in stays]
        if recipe.clahe == self.recipe.clahe:
            return stays
        if recipe.clahe not in self.films:
            cases = [stay.case for work in self.works for stay in work.stays]
            self.films[recipe.clahe] = film_features(job, cases, equalise=recipe.clahe)
        return with_films(stays, self.films[recipe.clahe])

    def _given(
        self, job: Progress, work: Work, held: Rows, recipe: IcuRecipe, member: int
    ) -> Given:
        stays = self._with_films(job, work.stays, recipe)
        kept = np.setdiff1d(np.arange(len(stays)), held)
        train, test = ([stays[n] for n in rows.tolist()] for rows in (kept, held))
        normaliser = fit_normaliser(train, self.variables, recipe.normaliser)
        given, asked = (
            encoded(stays, self.variables, normaliser, work.outputs) for stays in (train, test)
        )
        if recipe.series_hidden >= 1:
            given, asked = (without(one, SERIES) for one in (given, asked))
        own = recipe.of_member(work.name, member)
        return Given(work, self.variables, own, (train, test), given, asked)


def _has_units(work: Work) -> bool:
    """One risk, and stays of several units that are known."""
    return len(work.outputs) == 1 and len({s.case.site for s in work.stays if s.case.site}) > 1


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
