"""Measure the ICU model on data: predictions and figures. Never trains a network."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.io.plain import plain
from medview.learning.anomaly_evaluate import SCHEMA
from medview.learning.icu_baselines import Tables, answers_of
from medview.learning.icu_figures import beside_baselines
from medview.learning.icu_films import film_features
from medview.learning.icu_fit import StaySet, probabilities
from medview.learning.icu_measure import Said, film_rows, group_rows, label_rows, risk_rows
from medview.learning.icu_model import MODEL, IcuModel, load_icu
from medview.learning.icu_stays import Stay, encoded, find_stays, to_bins, with_films
from medview.learning.icu_tables import write_lines
from medview.learning.icu_variants import variant_scores
from medview.learning.metrics import MetricRow
from medview.learning.plain_models import Model, load_models
from medview.learning.reliability import Curve, draw, told
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.temperature import reliability
from medview.learning.weights import patient_hash, shipped


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One subset: its stays, what was left out, and the probabilities of each part (N, K)."""

    subset: Subset
    stays: list[Stay]
    seen: int
    other_split: int
    skipped: tuple[LeftOut, ...]
    scores: Mapping[str, NDArray[np.float64]]
    spread: Mapping[str, NDArray[np.float64]]
    variants: Mapping[str, NDArray[np.float64]]


def evaluate_icu(job: Progress, request: EvaluateRequest) -> dict[str, Any]:
    """Measure the ICU model: metrics.json and predictions.csv in `request.out`.

    Raises
    ------
    UsageError
        An unknown layout.
    DataError
        Unusable data, or nothing left that the weights have not seen.
    WeightsError
        Unusable weights.
    """
    began = time.perf_counter()
    model, card = load_icu(Path(request.weights) if request.weights else None)
    weights = Path(request.weights) if request.weights else shipped(MODEL)
    kept = load_models(weights, card.settings)
    subsets = find_stays(request.data, request.model, request.variables)
    found = [_measure(job, model, card, subset, request) for subset in subsets]
    if not any(one.stays for one in found):
        raise _nothing(found)
    curves = [curve for one in found for curve in _curves(model, one)]
    body = {
        "model": card.id,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "device": "cpu",
        "dtype": "float32",
        "seed": request.seed,
        "parameters": {"variables": model.variables.name},
        "seconds": round(time.perf_counter() - began, 1),
        "data": [_data_line(one) for one in found],
        "metrics": [row.as_dict() for one in found for row in _rows(model, kept, one)],
        "reliability": told(curves),
        "notes": [] if kept else ["no classical models lie beside these weights"],
    }
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    draw(curves, out, seen=request.include_seen)
    text = json.dumps(plain({"schema": SCHEMA, **body}), indent=1, ensure_ascii=False)
    (out / "metrics.json").write_text(text + "\n", encoding="utf-8")
    lines = [line for one in found for line in _lines(model, one, request)]
    write_lines(out / "predictions.csv", lines)
    plain_body: dict[str, Any] = plain(body)
    return plain_body


def _measure(
    job: Progress, model: IcuModel, card: ModelCard, subset: Subset, request: EvaluateRequest
) -> Measured:
    known = set(card.seen_patients)
    here = [c for c in subset.cases if request.split == "all" or c.split in ("", "test")]
    seen = [case for case in here if patient_hash(case.patient) in known]
    left_out = set() if request.include_seen else {id(case) for case in seen}
    cases = [case for case in here if id(case) not in left_out]
    stays, skipped = to_bins(job, cases, model.variables)
    if model.uses_film:
        features = film_features(job, [stay.case for stay in stays], equalise=model.clahe)
        stays = with_films(stays, features)
    scores, spread, variants = {}, {}, {}
    for name, part in model.parts.items():
        if not stays:
            break
        job.check()
        given = encoded(stays, model.variables, part.normaliser, part.outputs)
        each = _each(model, name, given)
        scores[name], spread[name] = part.calmed(each.mean(0)), part.calmed(each).std(0)
        if part.uses_film and len(part.outputs) == 1:
            variants = variant_scores(partial(_mean, model, name), given, stays)
    return Measured(
        subset,
        stays,
        len(seen),
        len(subset.cases) - len(here),
        (*subset.skipped, *skipped),
        scores,
        spread,
        variants,
    )


def _each(model: IcuModel, part: str, given: StaySet) -> NDArray[np.float64]:
    """Probabilities of every member, (members, N, K)."""
    return np.stack([probabilities(net, given) for net in model.members(part)])


def _mean(model: IcuModel, part: str, given: StaySet) -> NDArray[np.float64]:
    return model.parts[part].calmed(_each(model, part, given).mean(0))


def _rows(model: IcuModel, kept: Mapping[str, Model], one: Measured) -> list[MetricRow]:
    """Figures of a subset; of risks beside the classical models that lie with the weights."""
    rows: list[MetricRow] = []
    for name, scores in one.scores.items():
        part = model.parts[name]
        for k, output in enumerate(part.outputs):
            if output in (part.unavailable or {}):
                continue
            said = _said(one, output, scores[:, k])
            if not len(said.truth):
                continue
            if len(part.outputs) > 1:
                rows += label_rows(said)
                continue
            known = np.array([bool(stay.case.cells.get(output)) for stay in one.stays])
            stays = [stay for stay, here in zip(one.stays, known, strict=True) if here]
            said = replace(said, threshold=part.threshold)
            rows += risk_rows(said)
            rows += group_rows(said, [stay.case.site for stay in stays])
            variants = {v: found[known, k] for v, found in one.variants.items()}
            rows += film_rows(said, stays, variants)
            own = {
                key.partition("/")[2]: m for key, m in kept.items() if key.startswith(f"{name}/")
            }
            answers = answers_of(own, Tables.of(stays, model.variables))
            rows += beside_baselines(said, stays, answers)
    return rows


def _curves(model: IcuModel, one: Measured) -> list[Curve]:
    """Of each risk what was told and what happened; nothing without known outcomes."""
    risks = [n for n in one.scores if len(model.parts[n].outputs) == 1]
    every = [_said(one, model.parts[n].outputs[0], one.scores[n][:, 0]) for n in risks]
    return [
        Curve(said.subset, said.task, reliability(said.score, said.truth))
        for said in every
        if len(said.truth)
    ]


def _said(one: Measured, output: str, scores: NDArray[np.float64]) -> Said:
    labels = np.array([stay.labels([output])[0] for stay in one.stays])
    known = np.isfinite(labels)
    patients = [s.case.patient for s, here in zip(one.stays, known, strict=True) if here]
    return Said(labels[known] == 1, scores[known], patients, output, one.subset.name)


def _lines(model: IcuModel, one: Measured, request: EvaluateRequest) -> list[dict[str, object]]:
    """Lines of predictions.csv; intervals are two spreads of the networks to each side."""
    lines = []
    for n, stay in enumerate(one.stays):
        case = stay.case
        line: dict[str, object] = {
            "case": case.case,
            "patient": patient_hash(case.patient) if request.private else case.patient,
            "site": case.site,
            "subset": case.subset,
        }
        for name, scores in one.scores.items():
            part = model.parts[name]
            for k, output in enumerate(part.outputs):
                gone = output in (part.unavailable or {})
                value, apart = scores[n, k], 2 * one.spread[name][n, k]
                line[output] = None if gone else float(value)
                line[f"{output}_low"] = None if gone else float(max(0.0, value - apart))
                line[f"{output}_high"] = None if gone else float(min(1.0, value + apart))
                truth = stay.labels([output])[0]
                line[f"true_{output}"] = None if gone or np.isnan(truth) else truth
        lines.append(line)
    return lines


def _data_line(one: Measured) -> dict[str, object]:
    cases: list[TrainCase] = [stay.case for stay in one.stays]
    return {
        "subset": one.subset.name,
        "layout": one.subset.layout,
        "cases": len(cases),
        "patients": len({case.patient for case in cases}),
        "sites": len({case.site for case in cases if case.site}),
        "seen_in_training": one.seen,
        "other_split": one.other_split,
        "with_film": sum(stay.film is not None for stay in one.stays),
        "licence": one.subset.licence,
        "skipped": [{"case": s.case, "code": s.code, "what": s.what} for s in one.skipped],
    }


def _nothing(found: Sequence[Measured]) -> DataError:
    seen = sum(one.seen for one in found)
    if seen:
        return DataError(
            f"no stay is left to measure; {seen} are of patients that the weights were trained on",
            code="MV-DAT-140",
            do="Give other data, or add --include-seen (the figures then say nothing of new "
            "patients).",
        )
    skipped = [one for each in found for one in each.skipped]
    why = f"; {skipped[0].case}: {skipped[0].what}" if skipped else ""
    return DataError(f"there is no stay to measure{why}", code="MV-DAT-141", do="Correct the data.")
