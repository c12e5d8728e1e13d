"""What is said of a version of the age model: made where it is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.learning.brain_age_fit import Fitted
from medview.learning.brain_age_model import STANDARDISED, settings_to_card
from medview.learning.brain_age_recipe import AgeRecipe
from medview.learning.brain_age_table import AgeTable
from medview.learning.card_parts import UNMEASURED, licence_of, measured_in
from medview.learning.mavae_health import MOSTLY
from medview.learning.patients import patient_hash
from medview.learning.region_card import with_image_route
from medview.learning.subset import Subset

_OPENBHB = "OpenBHB, 381 subjects with both modalities (other data, another protocol)"
PUBLISHED = (
    Figure("mae", 2.77, _OPENBHB),
    Figure("rmse", 3.18, _OPENBHB),
    Figure("pearson_r", 0.82, _OPENBHB),
    Figure("mae", 3.15, f"{_OPENBHB}; structure alone"),
)
LINEAR = ("health", "linear_share")
"""Part and name of the share of the age by the linear path, in the curve of a training."""
_WORDS = {
    "smri": "structural features: a table (CSV) with the named columns, or a vector as .npy",
    "fmri": "functional connectivity: a table (CSV) with the named columns, or a vector as .npy",
}


def make_card(
    subsets: Sequence[Subset],
    table: AgeTable,
    recipe: AgeRecipe,
    fitted: Fitted,
    figures: Sequence[Figure],
) -> ModelCard:
    """The card of freshly trained weights; its hash is filled in when they are saved."""
    model = fitted.model
    roles = model.ensemble.options.roles
    count = len(model.ensemble.members)
    settings = settings_to_card(model.settings, model.ensemble.options, count)
    card = ModelCard(
        id="brain-age",
        version="1.0",
        title="M-AVAE brain age",
        summary="The age that regional features of a brain look like, and its gap to the given "
        "age.",
        inputs=tuple(InputSpec(role, _WORDS[role], modalities=()) for role in roles),
        outputs=(
            OutputSpec("age", "score", "years"),
            OutputSpec("gap_raw", "score", "years"),
            OutputSpec("gap_corrected", "score", "years"),
            OutputSpec("sex_male", "score"),
        ),
        preparation=(
            f"each feature divided by {recipe.divide_by} where there is such a column",
            STANDARDISED,
            f"mean of {count} networks, each trained without another part of the rows",
        ),
        intended_use="Research on groups of adults. Not for diagnosis; a gap of one person is "
        "mostly error of the model.",
        limits=_limits(table, fitted, figures),
        method=_method(recipe, fitted, figures),
        licence=licence_of(subsets),
        source="Usman and others, M-AVAE, arXiv 2411.10100, with sizes of the authors' program",
        trained_on=tuple(_trained_on(subset, table) for subset in subsets if subset.cases),
        measured=tuple(figures),
        published=PUBLISHED,
        settings={**settings, "recipe": recipe.plain()},
        seen_patients=tuple(sorted({patient_hash(patient) for patient in table.patients})),
    )
    return with_image_route(card)


def _trained_on(subset: Subset, table: AgeTable) -> TrainedOn:
    mine = {case.case for case in subset.cases}
    rows = [case for case in table.cases if case.case in mine]
    ages = [case.age_years for case in rows if case.age_years is not None]
    sites = len({case.site for case in rows if case.site})
    sexes = [sum(case.sex == word for case in rows) for word in ("F", "M")]
    note = f"ages {min(ages):.0f}-{max(ages):.0f} y, {sites} sites" if ages else "ages not stated"
    if any(sexes):
        note += f", {sexes[0]} women, {sexes[1]} men"
    patients = len({case.patient for case in rows})
    return TrainedOn(subset.name, patients, subset.licence, note)


def _limits(table: AgeTable, fitted: Fitted, figures: Sequence[Figure]) -> tuple[str, ...]:
    settings = fitted.model.settings
    low, high = settings.ages
    width = min(settings.half_width.values())
    slope = settings.bias[1]
    said = [
        f"Trained on {len(table)} people of {low:.0f} to {high:.0f} years; outside that range it "
        "extrapolates.",
        f"One person's age is known to about ±{width:.0f} years at best: gaps below that say "
        "nothing of one person.",
        _drawn(slope),
        "Features must come from the same segmentation program as those of the training; another "
        "program or resolution shifts ages by years.",
    ]
    if not settings.knows_sex:
        said.append("The training rows are of one sex or of unknown sex: the sex head is idle.")
    if np.any([case.label == 1 for case in table.cases]):
        said.append("Cases were trained on beside controls; only controls are the reference.")
    if not figures:
        said.append(UNMEASURED)
    return (*said, *_sex_limit(figures), *weak_spots(figures))


def _drawn(slope: float) -> str:
    """How the raw gap depends on age; below zero it is drawn to the middle."""
    where = "to the middle" if slope < 0 else "away from the middle"
    return (
        f"Ages are drawn {where}: the raw gap changes by {slope:+.2f} years for each year of age. "
        "The correction takes that out on average only."
    )


def _method(recipe: AgeRecipe, fitted: Fitted, figures: Sequence[Figure]) -> tuple[str, ...]:
    path = " with a linear path from the features to age and sex" if recipe.skip else ""
    return (
        f"An ensemble of {recipe.members} networks{path}; both differ from the paper.",
        *_linear_words(fitted),
        *measured_in(recipe.folds, figures),
    )


def _linear_words(fitted: Fitted) -> list[str]:
    """How much of the age passes by the codes, where a path does that."""
    history = fitted.trainer.history
    shares = [value for _, part, name, value in history if (part, name) == LINEAR]
    if not shares:
        return []
    share = 100 * shares[-1]
    close = ": as to age the model is close to a linear one" if shares[-1] > MOSTLY else ""
    return [f"{share:.2f} % of the variance of the age comes by that linear path{close}."]


def _sex_limit(figures: Sequence[Figure]) -> tuple[str, ...]:
    """How often the check of sex is right."""
    found = [f.value for f in figures if (f.name, f.group) == ("balanced_accuracy", "all")]
    if not found or found[0] is None:
        return ()
    return (
        f"The sex score is right in {100 * found[0]:.0f} % of people left out (mean of women and "
        "men): too weak to tell a mix-up from chance unless it is near 0 or 1.",
    )


def weak_spots(figures: Sequence[Figure]) -> tuple[str, ...]:
    """Where a simple model is at least as good, in plain sentences."""
    sentences = []
    for group, where in (("all", "In the folds"), ("unseen-site:all", "At a site left out")):
        found = {
            f.predictor: f.value
            for f in figures
            if (f.name, f.group) == ("mae", group) and f.value is not None and not f.is_of_variants
        }
        ours = found.pop("model", None)
        if ours is None or not found:
            continue
        best = min(found, key=lambda name: found[name])
        if found[best] <= ours:
            sentences.append(
                f"{where} a simple model ({best}) errs no more: {found[best]:.2f} against "
                f"{ours:.2f} years."
            )
    return tuple(sentences)
