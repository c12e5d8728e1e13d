"""Measure brain age with site effects on rows that the weights never saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.learning.armed_age_card import ArmedAge, load_armed_age
from medview.learning.armed_age_measure import age_rows
from medview.learning.armed_age_recipe import MODEL
from medview.learning.armed_age_run import OneAge, one_age, scores_of
from medview.learning.armed_age_table import Floats, divided
from medview.learning.cases import find_subsets
from medview.learning.metrics import MetricRow, mean_interval, paired_mean_difference
from medview.learning.metrics_file import Measurement
from medview.learning.site_effects import SEEN, GivenSite, by_site_known, odd_sites_note
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.unseen import Unseen, first_columns, nothing_left, unseen

AGE_BINS = ((0, 12), (12, 18), (18, 25), (25, 35), (35, 50), (50, 65), (65, 120))
FEWEST_OF_SITE = 5
SCORES = ("age", "age_fixed", "age_mixed", "gap_raw", "gap_corrected")


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A case and what is said of it."""

    case: TrainCase
    said: OneAge
    scores: Mapping[str, tuple[float | None, float | None, float | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One subset: what is said of its cases, and what is left out."""

    whole: Unseen
    asked: tuple[Asked, ...]
    skipped: tuple[LeftOut, ...]


def measure_armed_age(job: Progress, request: EvaluateRequest) -> Measurement:
    """Tell every row its age with and without its site's effect, and compare with those known.

    Raises
    ------
    DataError, WeightsError
        As ``evaluate.evaluate``.
    """
    _, card, model = load_armed_age(Path(request.weights) if request.weights else None)
    parts: list[Part] = []
    for subset in find_subsets(request.data, MODEL):
        job.report(len(parts), 0, f"set {len(parts) + 1}")
        parts.append(_part(job, subset, model, card, request))
    if not any(part.asked for part in parts):
        skipped = [left_out for part in parts for left_out in part.skipped]
        raise nothing_left([part.whole for part in parts], skipped, "case")
    apart = [line for part in parts for line in _differences(part)]
    return Measurement(
        card,
        [_data_line(part) for part in parts],
        [row for part in parts for row in _rows(part)],
        [_line(one, request) for part in parts for one in part.asked],
        more={"differences": apart, "notes": _notes(parts, model)},
    )


def _part(
    job: Progress, subset: Subset, model: ArmedAge, card: ModelCard, request: EvaluateRequest
) -> Part:
    whole = unseen(subset, card, request)
    asked, skipped = list[Asked](), list(subset.skipped)
    for case in whole.cases:
        job.check()
        try:
            asked.append(_ask(case, subset, model))
        except ModelInputError as error:
            skipped.append(LeftOut(case.case, error.code, error.what))
    return Part(whole, tuple(asked), tuple(skipped))


def _ask(case: TrainCase, subset: Subset, model: ArmedAge) -> Asked:
    x = _row(case, subset.columns.get("smri", ()), model)
    said = one_age(model, x, case.site or None)
    found = scores_of(said, model, case.site or None, case.age_years)
    return Asked(case, said, {s.name: (s.value, s.low, s.high) for s in found})


def _row(case: TrainCase, names: Sequence[str], model: ArmedAge) -> Floats:
    """The measures of a case in the model's order.

    Raises
    ------
    ModelInputError
        Other measures than the model's.
    """
    if "smri" not in case.rows:
        raise ModelInputError("it has no brain measures", code="MV-MOD-004", do="Give smri.")
    values = np.asarray(case.rows["smri"], dtype=np.float64)
    by_place = names and names[0].isdigit() and values.size == len(model.names)
    known = dict(zip(model.names if by_place else names, values, strict=True))
    missing = [name for name in model.names if name not in known]
    if missing:
        raise ModelInputError(
            f"{len(missing)} of the model's {len(model.names)} measures are not among its own, "
            f"the first is {missing[0]}",
            code="MV-MOD-021",
            do="Use weights that were trained on these measures.",
        )
    return divided(model.names, np.array([[known[name] for name in model.names]]))


def _rows(part: Part) -> Iterator[MetricRow]:
    """Figures of all, of known and unknown sites, of each age bin, sex and site."""
    subset = part.whole.subset.name
    told = [one for one in part.asked if one.case.age_years is not None]
    groups: dict[str, list[Asked]] = {"all": told}
    groups |= by_site_known(told, [one.said.mixed is not None for one in told])
    for name, members in groups.items():
        if members:
            yield from _group_rows(subset, name, members, brief=False)
            yield from _coverage(subset, name, members)
    for name, members in _smaller_groups(told).items():
        yield from _group_rows(subset, name, members, brief=True)


def _smaller_groups(told: Sequence[Asked]) -> dict[str, list[Asked]]:
    groups: dict[str, list[Asked]] = {}
    for one in told:
        age = one.case.age_years or 0.0
        for low, high in AGE_BINS:
            if low <= age < high:
                groups.setdefault(f"age:{low}-{high}", []).append(one)
        if one.case.sex:
            groups.setdefault(f"sex:{one.case.sex}", []).append(one)
        if one.case.site:
            groups.setdefault(f"site:{one.case.site}", []).append(one)
    return {name: found for name, found in groups.items() if len(found) >= FEWEST_OF_SITE}


def _group_rows(
    subset: str, group: str, members: Sequence[Asked], *, brief: bool
) -> Iterator[MetricRow]:
    age = np.array([one.case.age_years for one in members], dtype=np.float64)
    patients = [one.case.patient for one in members]
    for predictor, said in (
        ("model", [one.said.best for one in members]),
        ("fixed", [one.said.fixed for one in members]),
    ):
        yield from age_rows(
            *(predictor, age, np.array(said), patients), subset=subset, group=group, brief=brief
        )


def _coverage(subset: str, group: str, members: Sequence[Asked]) -> Iterator[MetricRow]:
    found = [(one, *one.scores["age"]) for one in members]
    inside, width, people = [], [], []
    for one, _, low, high in found:
        if low is not None and high is not None:
            inside.append(float(low <= (one.case.age_years or 0.0) <= high))
            width.append(high - low)
            people.append(one.case.patient)
    if not inside:
        return
    for name, values in (("coverage", inside), ("interval_width", width)):
        mean = mean_interval(np.array(values), people)
        yield MetricRow(
            *("model", "case", name, subset, mean.value, len(values), len(set(people))),
            *(mean.low, mean.high, group, "age"),
        )


def _differences(part: Part) -> list[dict[str, Any]]:
    """How much the site's effect changes the absolute error, at known sites, row by row."""
    told = [o for o in part.asked if o.said.mixed is not None and o.case.age_years is not None]
    if not told:
        return []
    age = np.array([one.case.age_years for one in told], dtype=np.float64)
    with_effect = np.abs(np.array([one.said.best for one in told]) - age)
    without = np.abs(np.array([one.said.fixed for one in told]) - age)
    apart = paired_mean_difference(with_effect, without, [one.case.patient for one in told])
    return [
        {
            "name": "mae_difference",
            "subset": part.whole.subset.name,
            "group": SEEN,
            "against": "fixed",
            "n": len(told),
            "value": apart.value,
            "low": apart.low,
            "high": apart.high,
            "p": apart.p,
        }
    ]


def _notes(parts: Sequence[Part], model: ArmedAge) -> list[str]:
    notes = [
        "age is with the effect of the site where the weights know it, and the fixed effects alone "
        "elsewhere; predictor fixed is the same without that effect."
    ]
    notes += odd_sites_note(GivenSite(o.case.site, model.sites) for p in parts for o in p.asked)
    if model.conformal is None:
        notes.append("these weights have no interval: they were not measured on rows left out.")
    return notes


def _data_line(part: Part) -> dict[str, object]:
    cases = [one.case for one in part.asked]
    known = sum(case.age_years is not None for case in cases)
    return part.whole.data_line(cases, part.skipped, with_truth=known)


def _line(one: Asked, request: EvaluateRequest) -> dict[str, object]:
    """A line of predictions.csv."""
    line = first_columns(one.case, private=request.private)
    for name in SCORES:
        line |= zip((name, f"{name}_low", f"{name}_high"), one.scores[name], strict=True)
    return line | {"true_age": one.case.age_years}
