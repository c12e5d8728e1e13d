"""What is said of weights of brain age with site effects, and how they are loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.learning.armed_age_ensemble import Ensemble, fresh
from medview.learning.armed_age_measure import Conformal, SiteEffect
from medview.learning.armed_age_recipe import MODEL, AgeRecipe
from medview.learning.armed_age_table import AgeTable, Scale
from medview.learning.card_parts import figure_of, licence_of
from medview.learning.metrics import MetricRow
from medview.learning.patients import patient_hash
from medview.learning.subset import Subset
from medview.learning.weights import card_of, fill, load_state, shipped, usable_settings

TRAIN = "medview train brain-age-armed --data ../shared/data --out DIR"
SCORES = ("age", "age_fixed", "age_mixed", "gap_raw", "gap_corrected")
RIVALS = {
    "fixed": "its own fixed effects",
    "network": "the same network without site effects",
    "ridge": "a ridge regression",
    "mean": "the mean age",
}
PUBLISHED = (
    Figure("roc_auc", 0.921, "MCI conversion, seen sites (another task, ADNI)"),
    Figure("roc_auc", 0.828, "MCI conversion, held-out sites (another task, ADNI)"),
)


@dataclass(frozen=True, slots=True, eq=False)
class ArmedAge:
    """The model ready to predict: networks, scale of its measures, intervals, sites."""

    recipe: AgeRecipe
    ensemble: Ensemble
    scale: Scale
    names: tuple[str, ...]
    sites: tuple[str, ...]
    ages: tuple[float, float]
    conformal: Conformal | None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """All that a training found out."""

    table: AgeTable
    scale: Scale
    recipe: AgeRecipe
    conformal: Conformal | None
    effects: Sequence[SiteEffect]
    rows: Sequence[MetricRow]
    differences: Sequence[Mapping[str, Any]]
    left_out: Sequence[str]


def make_card(subsets: Sequence[Subset], found: Outcome) -> ModelCard:
    """The card of freshly trained weights; its hash is filled in when they are saved."""
    used = _used(subsets, found.table)
    patients = dict.fromkeys(found.table.patients)
    return ModelCard(
        id=MODEL,
        version="1.0",
        title="Brain age with site effects",
        summary="Age from brain measures, with an effect of the site where it is known (ARMED).",
        inputs=(InputSpec("smri", f"table of {len(found.table.names)} brain measures", True, ()),),
        outputs=(
            *(OutputSpec(name, "score", "years") for name in SCORES),
            OutputSpec("sex_male", "score"),
        ),
        preparation=(
            "regions as shares of the intracranial volume, where that is among the measures",
            "each measure standardised by the training rows, cut off at 4 standard deviations",
            "the logarithm of the age is learned, ages are returned in years",
        ),
        intended_use="Research on brain measures of known sites. Not for diagnosis or treatment.",
        limits=_limits(found, used),
        method=_method(found, used),
        licence=licence_of(used),
        source="Nguyen and Montillo, adversarially-regularized mixed effects deep learning (ARMED)",
        trained_on=tuple(
            TrainedOn(
                s.name, len({c.patient for c in found.table.cases if c.subset == s.name}), s.licence
            )
            for s in used
        ),
        measured=(*(figure_of(row.as_dict(), TRAIN) for row in found.rows), *_apart(found, used)),
        published=PUBLISHED,
        settings=_settings(found),
        seen_patients=tuple(sorted(patient_hash(p) for p in patients)),
    )


def _used(subsets: Sequence[Subset], table: AgeTable) -> list[Subset]:
    names = {case.subset for case in table.cases}
    return [subset for subset in subsets if subset.name in names]


def _apart(found: Outcome, used: Sequence[Subset]) -> list[Figure]:
    on = ", ".join(subset.name for subset in used)
    return [
        Figure(
            *(one["name"], one["value"], on, one["low"], one["high"], one["n"]),
            f"model minus {one['against']}",
            "case",
            one["group"],
            TRAIN,
            {"p": one["p"], "ci": one["ci"]},
        )
        for one in found.differences
    ]


def _limits(found: Outcome, used: Sequence[Subset]) -> tuple[str, ...]:
    table = found.table
    limits = [
        f"Trained on {len(table.age)} rows of {len(table.sites)} sites, ages "
        f"{table.age.min():.0f} to {table.age.max():.0f} years, half of them below "
        f"{np.median(table.age):.0f}.",
        "The effect of a site holds what its scanner and its people have in common: sites differ "
        "in age, so a part of the gain is that the site tells the age.",
        "At a site that it does not know only the fixed effects speak, with a wider interval.",
        "Sex is not told: the network is not trained for it.",
    ]
    if _of_abide(used):
        limits.append("ABIDE: males only, controls and persons with autism together.")
    limits += [
        f"On {one['group']} its error is not below that of "
        f"{RIVALS.get(one['against'], one['against'])} ({one['value']:+.2f} years)."
        for one in found.differences
        if one["value"] >= 0
    ]
    if not found.rows:
        limits.append("These weights have not been measured on rows they never saw.")
    return tuple(limits)


def _of_abide(used: Sequence[Subset]) -> bool:
    return any(subset.layout == "abide" for subset in used)


def _method(found: Outcome, used: Sequence[Subset]) -> tuple[str, ...]:
    said = []
    if _of_abide(used):
        said.append(
            "The shipped recipe was chosen among eleven by the error on ABIDE's seen sites, 2.51 "
            "to 2.63 years: the figures on those folds are a little too good."
        )
    if found.rows:
        said.append(
            "Figures come from folds by site and from sites left out; these weights are a refit "
            "on all."
        )
    return (*said, *(f"{line.rstrip('.')}." for line in found.left_out))


def _settings(found: Outcome) -> dict[str, object]:
    table, scale = found.table, found.scale
    return {
        "recipe": asdict(found.recipe),
        "sites": list(table.sites),
        "measures": list(table.names),
        "mean": [float(f"{v:.9g}") for v in scale.mean],
        "sd": [float(f"{v:.9g}") for v in scale.sd],
        "log_age": [scale.age_mean, scale.age_sd],
        "ages": [float(table.age.min()), float(table.age.max())],
        "conformal": asdict(found.conformal) if found.conformal else None,
        "site_effects": [asdict(effect) for effect in found.effects],
    }


def load_armed_age(weights: Path | None) -> tuple[Ensemble, ModelCard, ArmedAge]:
    """The networks in evaluation mode, their card and everything needed to predict.

    Raises
    ------
    WeightsError
        Missing, damaged or foreign weights, or a card that does not fit them.
    """
    path = weights or shipped(MODEL)
    card = card_of(path, MODEL, "brain age with site effects")
    with usable_settings(path):
        model = _model_of(card.settings)
    fill(model.ensemble, load_state(path, card), path.name)
    model.ensemble.eval()
    return model.ensemble, card, model


def _model_of(settings: Mapping[str, Any]) -> ArmedAge:
    recipe = AgeRecipe(**settings["recipe"])
    names, sites = tuple(settings["measures"]), tuple(settings["sites"])
    networks = [fresh(recipe, len(names), len(sites)) for _ in range(recipe.members)]
    scale = Scale(
        np.asarray(settings["mean"], dtype=np.float64),
        np.asarray(settings["sd"], dtype=np.float64),
        *(float(value) for value in settings["log_age"]),
    )
    kept = settings["conformal"]
    low, high = settings["ages"]
    return ArmedAge(
        recipe,
        Ensemble(networks),
        scale,
        names,
        sites,
        (low, high),
        Conformal(**kept) if kept else None,
    )
