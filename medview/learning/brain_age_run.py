"""Feature files to an age with its interval and gap. Runs in the compute child."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import DataError, ModelInputError
from medview.domain.prediction import Prediction, RunRequest, Score, Status
from medview.domain.progress import Progress
from medview.domain.volume import Note
from medview.domain.wording import counted
from medview.learning.brain_age_model import FARTHEST, STANDARDISED, AgeAnswer, AgeModel
from medview.learning.brain_age_table import Matrix, aligned
from medview.learning.brain_age_weights import load_age_model
from medview.learning.conformal import LEVEL
from medview.learning.gap_words import gap_by_age
from medview.learning.run_stamp import stamped
from medview.learning.vectors import Vector, numbers_of
from medview.models.mavae import ROLES

MOST_UNKNOWN = 0.05
"""A larger share of features without a value is refused."""
MOST_FAR = 0.02
"""A larger share of features beyond 5 standard deviations is told."""
WILD = 9.0
"""Standard deviations; of 251 real rows one has a feature beyond it, the volume of a skull in ml
for mm3 lies 9.2 away."""
_MOST_NAMES = 5
NO_AGE = "no age was given"
_METHOD = "conformal, from rows left out of training"


@dataclass(frozen=True, slots=True)
class Person:
    """What was said of whom the features are; None where it was not."""

    age_years: float | None = None
    sex: str | None = None


def run_brain_age(job: Progress, request: RunRequest) -> Prediction:
    """M-AVAE ensemble: age, gap to the given age, and the sex that the features look like.

    Raises
    ------
    ModelInputError
        The feature file does not fit the model.
    WeightsError
        Weights missing, damaged or foreign.
    """
    began = time.perf_counter()
    model, card = load_age_model(Path(request.weights) if request.weights else None)
    job.report(0, 1, "reading the features")
    tables = {role: request.tables[role] for role in ROLES if role in request.tables}
    values = {role: read_features(model, role, Path(path)) for role, path in tables.items()}
    if not values:
        raise ModelInputError(
            "the brain-age model needs a feature file (role smri or fmri)",
            do="Give a table of brain measures (CSV or NPY) as its input.",
            code="MV-MOD-004",
        )
    person = Person(request.age_years, request.sex)
    scores, notes = age_scores(model, values, person)
    parameters = {
        "members": len(model.ensemble.members),
        "age_years": request.age_years,
        "sex": request.sex,
    }
    return replace(
        stamped(card, request, began, scores, parameters, values),
        preparation=steps(model, card, tuple(values)),
        warnings=notes,
    )


def read_features(model: AgeModel, role: str, path: Path) -> Matrix:
    """One row (1, columns) of raw features in the order of the training.

    Raises
    ------
    ModelInputError
        The model does not take this modality, a column is missing, or too many have no value.
    """
    try:
        names, vector = numbers_of(path)
    except DataError as error:
        raise ModelInputError(error.what, file=path.name, do=error.do, code="MV-MOD-014") from error
    return features_row(model, role, vector, names, path.name)


def features_row(
    model: AgeModel, role: str, vector: Vector, names: tuple[str, ...] | None, file: str = ""
) -> Matrix:
    """A named feature vector as one row (1, columns) for a model; see `read_features`."""
    if role not in model.ensemble.options.roles:
        own = ", ".join(model.ensemble.options.roles)
        raise ModelInputError(
            f"these weights were trained without {role} features",
            file=file,
            do=f"Give {own} features.",
            code="MV-MOD-004",
        )
    wanted = model.settings.columns[role]
    row = aligned(vector, names, wanted)
    if isinstance(row, str):
        raise ModelInputError(
            row, file=file, do="Give the features that the card names.", code="MV-MOD-015"
        )
    unknown = np.flatnonzero(~np.isfinite(row))
    if unknown.size > MOST_UNKNOWN * row.size:
        raise ModelInputError(
            f"{unknown.size} of {row.size} features have no value, "
            f'"{wanted[int(unknown[0])]}" among them',
            file=file,
            do="Complete the features.",
            code="MV-MOD-016",
        )
    return np.asarray(row[None], dtype=np.float64)


def age_scores(
    model: AgeModel, values: Mapping[str, Matrix], person: Person
) -> tuple[tuple[Score, ...], tuple[Note, ...]]:
    """Scores of one person from raw features (1, columns) by role, and what to mind.

    This is the whole way from a named feature vector to an age, whatever made the features.
    """
    answer = model.answer(values)
    age = float(answer.age[0])
    low, high = model.settings.ages
    outside = not low <= age <= high
    if person.age_years is not None:
        outside = outside or not low <= person.age_years <= high
    status: Status = "extrapolating" if outside else "ok"
    notes = list(_notes(model, values, answer, person))
    if outside:
        notes.insert(0, Note("OUTSIDE_TRAINING", f"trained on ages {low:.0f} to {high:.0f} years"))
    scores = (
        Score(
            *("age", age, float(answer.low[0]), float(answer.high[0]), LEVEL),
            method=_METHOD,
            unit="years",
            status=status,
            meaning="age that the features look like; the interval is meant to hold the true age "
            f"of {100 * LEVEL:.0f} % of people like those trained on",
        ),
        *_gaps(model, answer, person, status),
        _sex_score(model, answer),
    )
    return scores, tuple(notes)


def _gaps(
    model: AgeModel, answer: AgeAnswer, person: Person, status: Status
) -> tuple[Score, Score]:
    names = ("gap_raw", "gap_corrected")
    given = person.age_years
    if given is None:
        first, second = (
            Score(name, None, unit="years", status="not_available", meaning=NO_AGE)
            for name in names
        )
        return first, second
    gap, truth = answer.age - given, np.array([given])
    moved = float(model.settings.corrected(gap, truth)[0])
    half = float(answer.high[0] - answer.age[0])
    raw = float(gap[0])
    return (
        Score(
            *("gap_raw", raw, raw - half, raw + half, LEVEL),
            unit="years",
            status=status,
            method=_METHOD,
            meaning=f"predicted less given age; {gap_by_age(model.settings.bias[1])}: "
            "read it with the corrected one",
        ),
        Score(
            *("gap_corrected", moved, moved - half, moved + half, LEVEL),
            unit="years",
            status=status,
            method=_METHOD,
            meaning="the same without the part that age alone explains "
            f"({model.settings.bias[1]:+.2f} years a year)",
        ),
    )


def _sex_score(model: AgeModel, answer: AgeAnswer) -> Score:
    if not model.settings.knows_sex:
        return Score(
            "sex_male",
            None,
            status="not_available",
            meaning="the training rows have no two sexes",
        )
    return Score(
        "sex_male",
        float(1 - answer.female[0]),
        meaning="chance that the features are of a man; a check of the input, not a finding",
    )


def _notes(
    model: AgeModel, values: Mapping[str, Matrix], answer: AgeAnswer, person: Person
) -> list[Note]:
    notes = []
    male = 1 - float(answer.female[0])
    if model.settings.knows_sex and person.sex:
        odd = (person.sex == "F" and male > 0.95) or (person.sex == "M" and male < 0.05)
        if odd:
            notes.append(
                Note("INPUT_DOUBTFUL", "the features look like those of the other sex: check whose")
            )
    for role, row in model.prepared(values).items():
        unknown = np.flatnonzero(~np.isfinite(row[0]))
        if unknown.size:
            names = [model.settings.columns[role][n] for n in unknown[:_MOST_NAMES]]
            were = "was taken at its mean" if unknown.size == 1 else "were taken at their mean"
            more = ", ..." if unknown.size > len(names) else ""
            text = f"{counted(unknown.size, f'{role} feature')} {were}: {', '.join(names)}{more}"
            notes.append(Note("IMPUTED", text))
        far = _far(model, role, row)
        wild = _wildest(model, role, row)
        if wild:
            far_words = f"is more than {WILD:.0f} standard deviations from the training"
            text = f'the {role} feature "{wild}" {far_words}: check its value and its unit'
            notes.append(Note("OUTSIDE_TRAINING", text))
        if far > MOST_FAR:
            words = f"{100 * far:.0f} % of the {role} features are beyond {FARTHEST:.0f} standard "
            notes.append(Note("OUTSIDE_TRAINING", words + "deviations of the training"))
    missing = [role for role in model.ensemble.options.roles if role not in values]
    if missing:
        notes.append(Note("MODALITY_MISSING", f"told without {', '.join(missing)}"))
    return notes


def _far(model: AgeModel, role: str, row: Matrix) -> float:
    """Share of the features of a row that had to be clipped."""
    x = model.ensemble.scaling(role, 0).standardised(row)
    return float((np.abs(x) >= FARTHEST).mean())


def _wildest(model: AgeModel, role: str, row: Matrix) -> str:
    """The name of the feature farthest from the training, where it is wild; "" where none is."""
    scaling = model.ensemble.scaling(role, 0)
    away = np.abs((row[0, scaling.keep] - scaling.mean) / scaling.scale)
    if not (away > WILD).any():
        return ""
    return model.settings.columns[role][int(scaling.keep[int(np.nanargmax(away))])]


def steps(model: AgeModel, card: ModelCard, roles: tuple[str, ...]) -> tuple[str, ...]:
    """What was done to the features, in words."""
    by = model.settings.divide_by
    ratio = any(by in model.settings.columns[role] for role in roles)
    return (
        *((f"each feature divided by {by}",) if ratio else ()),
        STANDARDISED,
        f"mean of {len(model.ensemble.members)} networks",
    )
