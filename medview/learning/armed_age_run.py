"""A table of brain measures to an age with the effect of its site. Runs in the compute child."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medview.domain.errors import ModelInputError
from medview.domain.prediction import Prediction, RunRequest, Score, Status
from medview.domain.progress import Progress
from medview.domain.volume import Note
from medview.learning.armed_age_card import ArmedAge, load_armed_age
from medview.learning.armed_age_ensemble import together
from medview.learning.armed_age_table import FURTHEST, Floats, divided
from medview.learning.gap_words import gap_by_age
from medview.learning.run_stamp import stamped
from medview.learning.site_effects import Both, GivenSite
from medview.learning.vectors import numbers_of

FAR_SHARE = 0.05
"""Share of the measures beyond 4 standard deviations from which a brain is called unlike."""
MOST_MISSING = 0.5
"""Share of the measures without which nothing is said."""
_NO_INTERVAL = "these weights have no interval: they were not measured on rows left out"


@dataclass(frozen=True, slots=True)
class OneAge(Both[float]):
    """What is said of one brain, years; `half` is None without an interval."""

    half_fixed: float | None
    half_mixed: float | None

    @property
    def half(self) -> float | None:
        """Of `best`, the half width of the interval on the logarithm of the age."""
        return self.half_fixed if self.mixed is None else self.half_mixed


def run_armed_age(job: Progress, request: RunRequest) -> Prediction:
    """Age from brain measures: with the effect of a site that is known, without it elsewhere.

    Raises
    ------
    ModelInputError
        No table, or not the measures of this model.
    WeightsError
        Weights missing, damaged or foreign.
    """
    began = time.perf_counter()
    if "smri" not in request.tables:
        raise ModelInputError(
            "brain age with site effects needs a table of brain measures (role smri)",
            do="Give a table of brain measures (CSV or NPY) as its input.",
            code="MV-MOD-004",
        )
    _, card, model = load_armed_age(Path(request.weights) if request.weights else None)
    job.report(0, 1, "reading the measures")
    x = measures(Path(request.tables["smri"]), model)
    said = one_age(model, x, request.site)
    notes = _notes(model, x, request.site)
    told = {"site": request.site, "age_years": request.age_years}
    return replace(
        stamped(
            *(card, request, began),
            scores_of(said, model, request.site, request.age_years, far=_is_far(model, x)),
            {name: value for name, value in told.items() if value is not None},
            ("smri",),
        ),
        preparation=card.preparation,
        warnings=notes,
    )


def measures(path: Path, model: ArmedAge) -> Floats:
    """The measures of the table in the model's order, (1, d); those it lacks are NaN.

    Raises
    ------
    ModelInputError
        Other measures, or too few of them.
    """
    names, values = numbers_of(path)
    if names is None:
        if values.size != len(model.names):
            raise ModelInputError(
                f"it has {values.size} values; the model takes {len(model.names)}",
                file=path.name,
                do="Give the measures that the model was trained on.",
                code="MV-MOD-020",
            )
        ordered = values
    else:
        known = dict(zip(names, values, strict=True))
        ordered = np.array([known.get(name, np.nan) for name in model.names])
    return _divided_row(ordered, model, path.name)


def _divided_row(values: Floats, model: ArmedAge, file: str) -> Floats:
    row = divided(model.names, np.asarray(values, dtype=np.float64)[None])
    missing = [name for name, value in zip(model.names, row[0], strict=True) if np.isnan(value)]
    if len(missing) > MOST_MISSING * len(model.names):
        raise ModelInputError(
            f"{len(missing)} of {len(model.names)} measures are missing, the first is {missing[0]}",
            file=file,
            do="Give the measures that the model was trained on.",
            code="MV-MOD-021",
        )
    return row


def one_age(model: ArmedAge, x: Floats, site: str | None) -> OneAge:
    """Ask the ensemble about one row; `mixed` is None for a site without an effect."""
    given = GivenSite(site, model.sites)
    said = model.ensemble.ask(model.scale, x, np.array([given.number]))
    fixed, mixed = float(together(said.fixed)[0]), float(together(said.mixed)[0])
    kept = model.conformal
    return OneAge(
        fixed,
        mixed if given.is_known else None,
        kept.unknown if kept else None,
        kept.known if kept else None,
    )


def scores_of(
    said: OneAge, model: ArmedAge, site: str | None, age_years: float | None, *, far: bool = False
) -> tuple[Score, ...]:
    """The scores in their fixed order; what cannot be said says why."""
    low, high = model.ages
    inside = low <= said.best <= high and not far
    status: Status = "ok" if inside else "extrapolating"
    where = GivenSite(site, model.sites).words
    return (
        _age_score("age", said.best, said.half, status, where),
        _age_score(
            "age_fixed", said.fixed, said.half_fixed, status, "without the effect of a site"
        ),
        _age_score("age_mixed", said.mixed, said.half_mixed, status, where),
        *_gaps(said, model, age_years, status),
        _missing("sex_male", "the network is not trained to tell sex", "1"),
    )


def _age_score(
    name: str, value: float | None, half: float | None, status: Status, words: str
) -> Score:
    if value is None:
        return _missing(name, words)
    meaning = f"age in years, {words}"
    if half is None:
        return Score(name, value, unit="years", status=status, meaning=f"{meaning}; {_NO_INTERVAL}")
    ends = (float(value * np.exp(-half)), float(value * np.exp(half)))
    return Score(
        name, value, *ends, method="split conformal", unit="years", status=status, meaning=meaning
    )


def _gaps(
    said: OneAge, model: ArmedAge, age_years: float | None, status: Status
) -> tuple[Score, Score]:
    if age_years is None:
        why = "no age was given"
        return _missing("gap_raw", why), _missing("gap_corrected", why)
    gap, kept = said.best - age_years, model.conformal
    by_age = f"; {gap_by_age(kept.gap_slope)}, see gap_corrected" if kept else ""
    raw = Score(
        "gap_raw",
        gap,
        unit="years",
        status=status,
        meaning=f"age told minus age given{by_age}",
    )
    if kept is None:
        return raw, _missing("gap_corrected", "these weights were not measured on rows left out")
    expected = kept.gap_at_zero + kept.gap_slope * age_years
    words = f"less {expected:.2f} years, the mean gap at this age in rows left out of training"
    return raw, Score("gap_corrected", gap - expected, unit="years", status=status, meaning=words)


def _missing(name: str, why: str, unit: str = "years") -> Score:
    return Score(name, None, unit=unit, status="not_available", meaning=why)


def _is_far(model: ArmedAge, x: Floats) -> bool:
    z = np.abs((x - model.scale.mean) / model.scale.sd)
    return bool((z[np.isfinite(z)] > FURTHEST).mean() > FAR_SHARE)


def _notes(model: ArmedAge, x: Floats, site: str | None) -> tuple[Note, ...]:
    notes = list(GivenSite(site, model.sites).notes("the age"))
    missing = int(np.isnan(x).sum())
    if missing:
        words = f"{missing} of {x.size} measures are missing and taken as average"
        notes.append(Note("MISSING_MEASURES", words))
    if _is_far(model, x):
        text = "many measures lie beyond 4 standard deviations of the training rows"
        notes.append(Note("OUTSIDE_TRAINING", text))
    return tuple(notes)
