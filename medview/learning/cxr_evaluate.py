"""Measure the chest model on films: predictions and figures. Never trains."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.io.plain import plain
from medview.learning.chest_rows import ZONES
from medview.learning.cxr_baselines import whole_features, with_baselines
from medview.learning.cxr_evidence import evidence_rows
from medview.learning.cxr_fit import scores_of
from medview.learning.cxr_metrics import Said, outcome_reliability, outcome_rows, severity_rows
from medview.learning.cxr_weights import load_cxr, temperature_of
from medview.learning.devices import choose_device
from medview.learning.film_set import FilmSet, load_films
from medview.learning.patients import patient_hash
from medview.learning.plain_models import load_models
from medview.learning.reliability import Curve, draw, told
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.temperature import calmed
from medview.learning.weights import shipped
from medview.models.backbones import Backbone
from medview.models.mdmt import Mdmt, pool_zones

SCHEMA = "medview.metrics/1"
BATCH = 16
NOTES = (
    "Most severe films here show a patient who already is in intensive care: a high figure of the "
    "outcome is in large part detection of that. Read it beside the rows film_count, "
    "bedside_share, stored_pixels and source, and the groups first-film and to-icu-admission.",
    "junior_reader is a second human against the senior one; median always says the median total.",
)
NO_MODELS = "no classical models lie beside these weights"


def evaluate_cxr(job: Progress, request: EvaluateRequest) -> dict[str, Any]:
    """Measure the chest model: metrics.json and predictions.csv in `request.out`.

    Raises
    ------
    UsageError
        An unknown layout.
    DataError
        Unusable data, or nothing left that the weights have not seen.
    WeightsError
        Unusable weights.
    """
    from medview.learning.cases import find_subsets

    began = time.perf_counter()
    device = choose_device(request.device)
    weights = Path(request.weights) if request.weights else shipped("cxr")
    model, card, backbone = load_cxr(weights, device)
    subsets = find_subsets(request.data, request.model)
    kept = [_kept(subset, card, request) for subset in subsets]
    _refuse_nothing(subsets, kept)
    cases = [case for part in kept for case in part]
    films = load_films(job, cases, int(str(card.settings["size"])), 1, request.seed)
    if not films.cases:
        raise DataError(
            f"none of {len(cases)} films can be used; {films.skipped[0].what}",
            file=films.skipped[0].case,
            code="MV-DAT-142",
            do="Correct the data and try again.",
        )
    said = said_of_films(job, model, backbone, films, card, device)
    kept_models = load_models(weights, card.settings)
    if kept_models:
        said = with_baselines(said, kept_models, whole_features(job, films.cases))
    rows = [*outcome_rows(said), *severity_rows(said)]
    curves = (Curve("chest-outcome", "severe", outcome_reliability(said)),)
    rows += evidence_rows(job, model, backbone, films.cases, int(str(card.settings["size"])))
    body = {
        "model": card.id,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "device": device,
        "dtype": "float32",
        "seed": request.seed,
        "parameters": {"size": card.settings["size"], "backbone": backbone.name},
        "seconds": round(time.perf_counter() - began, 1),
        "data": [
            _data_line(subset, part, films, card, request)
            for subset, part in zip(subsets, kept, strict=True)
        ],
        "metrics": [row.as_dict() for row in rows],
        "reliability": told(curves),
        "differences": [],
        "notes": [*NOTES, *([] if kept_models else [NO_MODELS])],
    }
    draw(curves, Path(request.out), seen=request.include_seen)
    _write(Path(request.out), body, [_line(said, n, request) for n in range(len(said.cases))])
    plain_body: dict[str, Any] = plain(body)
    return plain_body


def _kept(subset: Subset, card: ModelCard, request: EvaluateRequest) -> list[TrainCase]:
    """Films of the wanted part whose patients the weights have not seen."""
    here = [c for c in subset.cases if request.split == "all" or c.split in ("", "test")]
    return [c for c in here if request.include_seen or not _seen(c, card)]


def _seen(case: TrainCase, card: ModelCard) -> bool:
    return patient_hash(case.patient) in set(card.seen_patients)


def _refuse_nothing(subsets: Sequence[Subset], kept: Sequence[Sequence[TrainCase]]) -> None:
    if any(kept):
        return
    films = sum(len(subset.cases) for subset in subsets)
    skipped = [one for subset in subsets for one in subset.skipped]
    if not films and skipped:
        raise DataError(
            f"none of {len(skipped)} cases can be used; {skipped[0].what}",
            file=skipped[0].case,
            code="MV-DAT-142",
            skipped=len(skipped),
            do="Correct the data and try again.",
        )
    raise DataError(
        f"no film is left to measure; {films} are of patients that the weights were trained on "
        "or of another part",
        code="MV-DAT-140",
        do="Give other data, or add --include-seen (the figures then say nothing of new patients).",
    )


@torch.inference_mode()
def said_of_films(
    job: Progress, model: Mdmt, backbone: Backbone, films: FilmSet, card: ModelCard, device: str
) -> Said:
    """What the network says of each film as it is."""
    n = len(films.cases)
    severe, severity = np.full(n, np.nan), np.full(n, np.nan)
    zones = np.full((n, 6), np.nan)
    for first in range(0, n, BATCH):
        job.check()
        job.report(first, n, f"film {first + 1} / {n}")
        here = slice(first, first + BATCH)
        grey = torch.from_numpy(films.squares[here, 0]).float().to(device) / 255
        shares = torch.from_numpy(films.shares[here, 0]).float().to(device)
        pooled = pool_zones(model.tail(backbone.normalised(grey)), shares)
        found = scores_of({task: out.cpu() for task, out in model(pooled).items()})
        severe[here] = found.get("severe", severe[here])
        severity[here] = found.get("severity", severity[here])
        zones[here] = found.get("zones", zones[here])
    severe = calmed(severe, temperature_of(card))
    median = card.settings.get("median_total")
    known = float(median) if isinstance(median, int | float) else float("nan")
    return Said(films.cases, severe, zones, severity, np.full(n, known))


def _line(said: Said, n: int, request: EvaluateRequest) -> dict[str, object]:
    """A line of predictions.csv."""
    case = said.cases[n]
    line: dict[str, object] = {
        "case": case.case,
        "patient": patient_hash(case.patient) if request.private else case.patient,
        "site": case.site,
        "subset": case.subset,
        "severe": said.severe[n],
        "severe_low": None,
        "severe_high": None,
    }
    for k, zone in enumerate(ZONES):
        line |= {f"brixia_{zone}": said.zones[n, k], f"brixia_{zone}_low": None,
                 f"brixia_{zone}_high": None}  # fmt: skip
    total = {"brixia_total": said.zones[n].sum(), "brixia_total_low": None}
    line |= total | {"brixia_total_high": None, "severity_class": said.severity[n]}
    return line | _truth(case)


def _truth(case: TrainCase) -> dict[str, object]:
    """What is known of a film; empty where it is not."""
    outcome, brixia = case.cells.get("prognosis", ""), case.cells.get("brixia", "")
    return {
        "true_severe": int(outcome == "SEVERE") if outcome else None,
        "true_brixia_total": sum(map(int, brixia)) if brixia else None,
    }


def _data_line(
    subset: Subset,
    part: Sequence[TrainCase],
    films: FilmSet,
    card: ModelCard,
    request: EvaluateRequest,
) -> dict[str, object]:
    names = {case.case for case in part}
    used = [case for case in films.cases if case.subset == subset.name]
    skipped: list[LeftOut] = [*subset.skipped, *(s for s in films.skipped if s.case in names)]
    seen = sum(_seen(case, card) for case in subset.cases)
    return {
        "subset": subset.name,
        "layout": subset.layout,
        "cases": len(used),
        "patients": len({case.patient for case in used}),
        "sites": len({case.site for case in used if case.site}),
        "seen_in_training": seen,
        "other_split": len([c for c in subset.cases if c.split in ("train", "val")])
        if request.split == "test"
        else 0,
        "with_outcome": sum("prognosis" in case.cells for case in used),
        "with_brixia": sum("brixia" in case.cells for case in used),
        "licence": subset.licence,
        "skipped": [{"case": one.case, "code": one.code, "what": one.what} for one in skipped],
    }


def _write(out: Path, body: Mapping[str, object], lines: Sequence[Mapping[str, object]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain({"schema": SCHEMA, **body}), indent=1, ensure_ascii=False)
    (out / "metrics.json").write_text(text + "\n", encoding="utf-8")
    with (out / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]), restval="")
        writer.writeheader()
        writer.writerows(plain(line) for line in lines)
