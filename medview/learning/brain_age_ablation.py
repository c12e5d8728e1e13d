"""Variants of the age model on the same folds, beside classical models of the same table."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.progress import Progress
from medview.learning.brain_age_fit import usable
from medview.learning.brain_age_folds import (
    Split,
    baseline_answer,
    fit_fold,
    splits_by_site,
    splits_of,
)
from medview.learning.brain_age_model import AgeModel
from medview.learning.brain_age_recipe import AgeRecipe
from medview.learning.brain_age_table import AgeTable, Matrix, kinds_of, table_of
from medview.learning.brain_age_training import MODEL, subset_name
from medview.learning.cases import find_subsets
from medview.learning.table_baselines import BASELINES
from medview.learning.vectors import Vector
from medview.models.mavae import ROLES
from medview.models.priors import PRIORS

NAMES = ("mae", "rmse", "pearson_r", "bias_slope")
OWN = ("mae", "rmse")
SITE_MEAN = "site-mean"
# Variant -> what of the recipe it changes, as keys with a dot for tables.
CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    # The codes stay parted in name, but nothing parts what they hold.
    "no-disentangle": {"loss.ratio": 0.0, "loss.cross": 0.0, "loss.adv": 0.0, "loss.kl": 0.0},
    "no-ratio": {"loss.ratio": 0.0},
    "no-adversary": {"loss.adv": 0.0},
    "no-kl": {"loss.kl": 0.0},
    "no-sex": {"loss.sex": 0.0},
    "no-cross": {"loss.cross": 0.0},
    "no-reconstruction": {"loss.rec": 0.0, "loss.cross": 0.0},
    "shared-predictor": {"predictor": "shared"},
    "no-skip": {"skip": False},
    **{f"prior-{name}": {"prior": name} for name in PRIORS[1:]},
    "smri-only": {"modalities": "smri"},
    "fmri-only": {"modalities": "fmri"},
}
CLASSICAL = (*BASELINES, SITE_MEAN)
# Variant -> the modality and the share of the rows with both that are told without it; the
# network is that of the default.
MISSING: dict[str, tuple[str, float]] = {
    f"{role}-missing-{percent}": (role, percent / 100)
    for role in ROLES
    for percent in range(10, 101, 10)
}


@dataclass(frozen=True, slots=True, eq=False)
class BrainAgeStudy:
    """The table, and how it is parted."""

    table: AgeTable
    recipe: AgeRecipe
    request: AblateRequest
    _kept: dict[tuple[AgeRecipe, int, str], AgeModel] = field(default_factory=dict)
    """The last model, for variants that are asked of the same one."""

    def variants(self) -> tuple[str, ...]:
        """Those of the network that the data can tell apart, then the classical models."""
        both = len(self.table.columns) > 1
        alone = ("no-ratio", "no-cross", "smri-only", "fmri-only")
        changes = (name for name in CHANGES if both or name not in alone)
        return (*changes, *(MISSING if both else ()), *CLASSICAL)

    def folds(self, seed: int) -> tuple[str, ...]:
        """Numbers of the folds, or names of the sites."""
        return tuple(split.name for split in self._splits(seed))

    def run(
        self, job: Progress, variant: str, settings: Mapping[str, Any], seed: int, fold: str
    ) -> tuple[Scored, ...]:
        """Train a variant without a fold and tell that fold's ages."""
        split = next(one for one in self._splits(seed) if one.name == fold)
        held = self.table.take(split.held)
        if variant in CLASSICAL:
            told = self._classical(variant, split)
        else:
            recipe = changed(self.recipe, {**CHANGES.get(variant, {}), **settings})
            asked = self._for(recipe).take(split.held)
            if variant in MISSING:
                asked = without(asked, *MISSING[variant], seed)
            told = self._model(job, recipe, seed, split).answer(asked.values).age
        return _scored(subset_name(self.table), held, told)

    def _model(self, job: Progress, recipe: AgeRecipe, seed: int, split: Split) -> AgeModel:
        key = (recipe, seed, split.name)
        if key not in self._kept:
            self._kept.clear()
            fitted = fit_fold(job, self._for(recipe), split, recipe, seed=seed)
            self._kept[key] = fitted.model
        return self._kept[key]

    def _splits(self, seed: int) -> list[Split]:
        if self.request.leave_out == "site":
            return splits_by_site(self.table, self.recipe)
        return splits_of(self.table, self.recipe, self.request.folds, seed - self.request.seed)

    def _for(self, recipe: AgeRecipe) -> AgeTable:
        """The same rows with the modalities that a variant uses."""
        roles = [role for role in recipe.modalities.split("+") if role in self.table.columns]
        table = self.table
        return AgeTable(
            table.cases,
            {role: table.columns[role] for role in roles},
            {role: table.values[role] for role in roles},
        )

    def _classical(self, name: str, split: Split) -> Vector:
        train, held = self.table.take(split.train), self.table.take(split.held)
        if name != SITE_MEAN:
            return baseline_answer(name, train, held, self.recipe)
        sites, whole = np.array(train.sites), float(train.age.mean())
        return np.array(
            [
                float(train.age[sites == site].mean()) if (sites == site).any() else whole
                for site in held.sites
            ]
        )


def study(job: Progress, request: AblateRequest) -> BrainAgeStudy:
    """The study of the brain-age model on the data of a request.

    Raises
    ------
    DataError
        Unusable data or recipe.
    """
    torch.set_num_threads(request.threads or 1)
    recipe = AgeRecipe.of(dict(request.recipe))
    table = usable(table_of(find_subsets(request.data, MODEL)), recipe)
    return BrainAgeStudy(table, recipe, request)


def without(table: AgeTable, role: str, share: float, seed: int) -> AgeTable:
    """The rows, a share of those with both modalities without one of them.

    Who goes without it is drawn by patient and seed, and goes without it at every larger share.
    """
    both = np.array([kind == "+".join(ROLES) for kind in kinds_of(table)])
    luck = [
        np.random.default_rng([seed, zlib.crc32(f"{role} {patient}".encode())]).random()
        for patient in table.patients
    ]
    gone = both & (np.array(luck) < share)
    values: dict[str, Matrix] = dict(table.values)
    values[role] = np.where(gone[:, None], np.nan, values[role])
    return AgeTable(table.cases, table.columns, values)


def changed(recipe: AgeRecipe, changes: Mapping[str, Any]) -> AgeRecipe:
    """The recipe with other values; keys of its tables have a dot."""
    for key, value in changes.items():
        table, _, name = key.rpartition(".")
        if table:
            recipe = replace(recipe, **{table: replace(getattr(recipe, table), **{name: value})})
        else:
            recipe = replace(recipe, **{name: value})
    return recipe


def _scored(subset: str, held: AgeTable, told: Vector) -> tuple[Scored, ...]:
    """All rows, and apart those of controls, of cases and of both modalities."""
    labels = np.array([case.label for case in held.cases], dtype=object)
    kinds = np.array(kinds_of(held))
    groups = {"": np.ones(len(held), dtype=np.bool_)}
    if {0, 1} <= set(labels.tolist()):
        groups |= {":control": labels == 0, ":case": labels == 1}
    if len(set(kinds.tolist())) > 1:
        groups |= {":pairs": kinds == "smri+fmri"}
    return tuple(
        Scored(
            "brain-age",
            OWN if group else NAMES,
            tuple(case.case for case, here in zip(held.cases, mask, strict=True) if here),
            tuple(case.patient for case, here in zip(held.cases, mask, strict=True) if here),
            tuple(float(value) for value in held.age[mask]),
            tuple(float(value) for value in told[mask]),
            subset + group,
        )
        for group, mask in groups.items()
        if mask.any()
    )
