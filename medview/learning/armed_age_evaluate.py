"""Measure brain age with site effects on rows that the weights never saw."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import DataError, ModelInputError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.io.plain import plain
from medview.learning.armed_age import MODEL, Floats, divided
from medview.learning.armed_age_card import ArmedAge, load_armed_age
from medview.learning.armed_age_measure import age_rows
from medview.learning.armed_age_run import OneAge, one_age, scores_of
from medview.learning.cases import find_subsets
from medview.learning.metrics import MetricRow, mean_interval, paired_mean_difference
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.weights import patient_hash

SCHEMA = "medview.metrics/1"
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

    subset: Subset
    asked: tuple[Asked, ...]
    seen: int
    skipped: tuple[LeftOut, ...]


def evaluate_armed_age(job: Progress, request: EvaluateRequest) -> dict[str, Any]:
    """Write metrics.json and predictions.csv into `request.out`.

    Raises
    ------
    DataError
        Unusable data, or nothing left that the weights have not seen.
    WeightsError
        Unusable weights.
    """
    began = time.perf_counter()
    _, card, model = load_armed_age(Path(request.weights) if request.weights else None)
    parts: list[Part] = []
    for subset in find_subsets(request.data, MODEL):
        job.report(len(parts), 0, subset.name)
        parts.append(_part(job, subset, model, card, request))
    _refuse_nothing(parts)
    rows, apart = list[MetricRow](), list[dict[str, Any]]()
    for part in parts:
        rows += _rows(part)
        apart += _differences(part)
    body = {
        "model": card.id,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "device": "cpu",
        "dtype": "float32",
        "seed": request.seed,
        "parameters": {},
        "seconds": round(time.perf_counter() - began, 1),
        "data": [_data_line(part) for part in parts],
        "metrics": [row.as_dict() for row in rows],
        "differences": apart,
        "notes": _notes(parts, model),
    }
    _write(Path(request.out), body, parts, request)
    whole: dict[str, Any] = plain(body)
    return whole


def _part(
    job: Progress, subset: Subset, model: ArmedAge, card: ModelCard, request: EvaluateRequest
) -> Part:
    known = set(card.seen_patients)
    here = [c for c in subset.cases if request.split == "all" or c.split in ("", "test")]
    seen = [c for c in here if patient_hash(c.patient) in known]
    kept = here if request.include_seen else [c for c in here if c not in seen]
    asked, skipped = list[Asked](), list(subset.skipped)
    for case in kept:
        job.check()
        try:
            asked.append(_ask(case, subset, model))
        except ModelInputError as error:
            skipped.append(LeftOut(case.case, error.code, error.what))
    return Part(subset, tuple(asked), len(seen), tuple(skipped))


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


def _refuse_nothing(parts: Sequence[Part]) -> None:
    if any(part.asked for part in parts):
        return
    seen = sum(part.seen for part in parts)
    if seen:
        raise DataError(
            f"no case is left to measure; {seen} are of patients that the weights were trained on",
            code="MV-DAT-140",
            do="Give other data, or add --include-seen (the figures then say nothing of new "
            "patients).",
        )
    skipped = [one for part in parts for one in part.skipped]
    raise DataError(
        f"none of {len(skipped)} cases can be used" + (f"; {skipped[0].what}" if skipped else ""),
        file=skipped[0].case if skipped else "",
        code="MV-DAT-142",
        skipped=len(skipped),
        do="Correct the data and try again.",
    )


def _rows(part: Part) -> Iterator[MetricRow]:
    """Figures of all, of known and unknown sites, of each age bin, sex and site."""
    told = [one for one in part.asked if one.case.age_years is not None]
    groups: dict[str, list[Asked]] = {"all": told}
    for name, chosen in (
        ("sites seen", [one for one in told if one.said.mixed is not None]),
        ("sites unseen", [one for one in told if one.said.mixed is None]),
    ):
        if chosen and len(chosen) < len(told):
            groups[name] = chosen
    for name, members in groups.items():
        if members:
            yield from _group_rows(part.subset.name, name, members, brief=False)
            yield from _coverage(part.subset.name, name, members)
    for name, members in _smaller_groups(told).items():
        yield from _group_rows(part.subset.name, name, members, brief=True)


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
            "subset": part.subset.name,
            "group": "sites seen",
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
    odd = sorted(
        {o.case.site or "not given" for p in parts for o in p.asked if o.said.mixed is None}
    )
    if odd:
        notes.append(f"sites that the weights do not know: {', '.join(odd[:10])}")
    if model.conformal is None:
        notes.append("these weights have no interval: they were not measured on rows left out.")
    return notes


def _data_line(part: Part) -> dict[str, object]:
    cases = [one.case for one in part.asked]
    return {
        "subset": part.subset.name,
        "layout": part.subset.layout,
        "cases": len(cases),
        "patients": len({case.patient for case in cases}),
        "sites": len({case.site for case in cases if case.site}),
        "seen_in_training": part.seen,
        "with_truth": sum(case.age_years is not None for case in cases),
        "licence": part.subset.licence,
        "skipped": [{"case": s.case, "code": s.code, "what": s.what} for s in part.skipped],
    }


def _write(
    out: Path, body: Mapping[str, object], parts: Sequence[Part], request: EvaluateRequest
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain({"schema": SCHEMA, **body}), indent=1, ensure_ascii=False)
    (out / "metrics.json").write_text(text + "\n", encoding="utf-8")
    columns = [f"{name}{end}" for name in SCORES for end in ("", "_low", "_high")]
    with (out / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("case", "patient", "site", "subset", *columns, "true_age"))
        for one in (each for part in parts for each in part.asked):
            case = one.case
            who = patient_hash(case.patient) if request.private else case.patient
            values = [value for name in SCORES for value in one.scores[name]]
            told = ("" if value is None else value for value in (*values, case.age_years))
            writer.writerow((case.case, who, case.site, case.subset, *told))
