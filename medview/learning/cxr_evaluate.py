"""Measure the chest model on films: predictions and figures. Never trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from medview.domain.card import ModelCard
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import ZONES
from medview.domain.progress import Progress
from medview.learning.cases import find_subsets
from medview.learning.cxr_baselines import whole_features, with_baselines
from medview.learning.cxr_bounds import total_bounds, zone_bounds
from medview.learning.cxr_evidence import evidence_rows
from medview.learning.cxr_given import scores_at
from medview.learning.cxr_metrics import POOLED, Said, outcome_reliability, outcome_rows, set_of
from medview.learning.cxr_severity_rows import severity_rows
from medview.learning.cxr_site_card import SITE_SCORES
from medview.learning.cxr_weights import load_cxr, temperature_of
from medview.learning.devices import choose_device
from medview.learning.film_set import FilmSet, load_films
from medview.learning.metrics import MetricRow
from medview.learning.metrics_file import Measurement
from medview.learning.plain_models import load_models
from medview.learning.reliability import Curve, draw, told
from medview.learning.site_effects import FIXED, GivenSite, by_site_known, odd_sites_note
from medview.learning.subset import TrainCase
from medview.learning.temperature import calmed
from medview.learning.unseen import Unseen, first_columns, nothing_left, unseen
from medview.learning.weights import shipped
from medview.models.backbones import Backbone
from medview.models.mdmt import Mdmt, pool_zones
from medview.models.site_mdmt import SiteMdmt

BATCH = 16
NOTES = (
    "Most severe films here show a patient who already is in intensive care: a high figure of the "
    "outcome is in large part detection of that. Read it beside the rows film_count, "
    "bedside_share, stored_pixels and source, and the groups first-film and to-icu-admission.",
    "junior_reader is a second human against the senior one; median always says the median total.",
    "The outcome is measured by patient, on the mean of severe over the films of each; a patient "
    "whose films have both outcomes counts once with each.",
)
SITE_NOTE = (
    "severe is with the effect of the film's site where the weights know it, and the fixed effects "
    "alone elsewhere; predictor fixed is the same without that effect."
)
NO_MODELS = "no classical models lie beside these weights"


def measure_cxr(job: Progress, request: EvaluateRequest) -> Measurement:
    """Measure the chest model; diagrams of its probabilities go into `request.out`.

    Raises
    ------
    UsageError, DataError, WeightsError
        As ``evaluate.evaluate``.
    """
    device = choose_device(request.device)
    weights = Path(request.weights) if request.weights else shipped(request.model)
    model, card, backbone = load_cxr(weights, device, request.model)
    parts = [unseen(each, card, request) for each in find_subsets(request.data, request.model)]
    skipped = [left_out for part in parts for left_out in part.subset.skipped]
    cases = [case for part in parts for case in part.cases]
    if not cases:
        raise nothing_left(parts, skipped, "film")
    films = load_films(job, cases, int(str(card.settings["size"])), 1, request.seed)
    if not films.cases:
        raise nothing_left(parts, [*films.skipped, *skipped], "film")
    said = said_of_films(job, model, backbone, films, card, device)
    kept_models = load_models(weights, card.settings)
    if kept_models:
        said = with_baselines(said, kept_models, whole_features(job, films.cases))
    sites = model.sites if isinstance(model, SiteMdmt) else None
    rows = [*_figures(said), *_by_site_known(said, sites)]
    curves = (Curve(set_of(said.cases, POOLED), "severe", outcome_reliability(said)),)
    rows += evidence_rows(job, model, backbone, films.cases, int(str(card.settings["size"])))
    draw(curves, Path(request.out), seen=request.include_seen)
    return Measurement(
        card,
        [_data_line(part, films) for part in parts],
        rows,
        [_line(said, n, request, sites, card.settings) for n in range(len(said.cases))],
        {"size": card.settings["size"], "backbone": backbone.name},
        device,
        {
            "reliability": told(curves),
            "differences": [],
            "notes": [*NOTES, *([] if kept_models else [NO_MODELS]), *_site_notes(said, sites)],
        },
    )


@torch.inference_mode()
def said_of_films(
    job: Progress, model: Mdmt, backbone: Backbone, films: FilmSet, card: ModelCard, device: str
) -> Said:
    """What the network says of each film as it is."""
    n = len(films.cases)
    severe, severity, fixed = (np.full(n, np.nan) for _ in range(3))
    zones = np.full((n, 6), np.nan)
    for first in range(0, n, BATCH):
        job.check()
        job.report(first, n, f"film {first + 1} / {n}")
        here = slice(first, first + BATCH)
        grey = torch.from_numpy(films.squares[here, 0]).float().to(device) / 255
        shares = torch.from_numpy(films.shares[here, 0]).float().to(device)
        pooled = pool_zones(model.tail(backbone.normalised(grey)), shares)
        found = scores_at(model, pooled, [case.site for case in films.cases[here]])
        fixed[here] = found.get(FIXED, fixed[here])
        severe[here] = found.get("severe", severe[here])
        severity[here] = found.get("severity", severity[here])
        zones[here] = found.get("zones", zones[here])
    by = temperature_of(card)
    median = card.settings.get("median_total")
    known = float(median) if isinstance(median, int | float) else float("nan")
    both = {FIXED: calmed(fixed, by)} if isinstance(model, SiteMdmt) else {}
    return Said(films.cases, calmed(severe, by), zones, severity, np.full(n, known), both)


def _figures(said: Said) -> list[MetricRow]:
    """Figures of all films, and of those of each set where there are several."""
    rows = [*outcome_rows(said), *severity_rows(said)]
    there = {(row.task, row.subset) for row in rows}
    for name in sorted({case.subset for case in said.cases}):
        own = said.only(np.array([case.subset == name for case in said.cases]))
        more = (*outcome_rows(own), *severity_rows(own))
        rows += [row for row in more if row.group == "all" and (row.task, row.subset) not in there]
    return rows


def _by_site_known(said: Said, sites: tuple[str, ...] | None) -> Iterator[MetricRow]:
    """The outcome of films of sites that the weights know, and of others, where both are there."""
    known = [GivenSite(case.site, sites or ()).is_known for case in said.cases]
    for group, places in by_site_known(range(len(said.cases)), known).items():
        kept = np.zeros(len(said.cases), np.bool_)
        kept[places] = True
        for row in outcome_rows(said.only(kept)):
            if row.group.split(", ")[0] == "all":
                yield replace(row, group=row.group.replace("all", group, 1))


def _site_notes(said: Said, sites: tuple[str, ...] | None) -> list[str]:
    if sites is None:
        return []
    known = odd_sites_note(GivenSite(case.site, sites) for case in said.cases)
    return [SITE_NOTE, *known]


def _line(
    said: Said,
    n: int,
    request: EvaluateRequest,
    sites: tuple[str, ...] | None,
    settings: Mapping[str, object],
) -> dict[str, object]:
    """A line of predictions.csv; scores of zones have the bounds that a run tells of them."""
    case = said.cases[n]
    line = first_columns(case, private=request.private)
    scores: dict[str, float | None] = {"severe": said.severe[n]}
    if sites is not None:
        is_mixed = GivenSite(case.site, sites).is_known
        mixed = said.severe[n] if is_mixed else None
        scores |= zip(SITE_SCORES, (said.baselines[FIXED][n], mixed), strict=True)
    for name, value in scores.items():
        line |= {name: value, f"{name}_low": None, f"{name}_high": None}
    for k, zone in enumerate(ZONES):
        value = float(said.zones[n, k])
        line |= _with_bounds(f"brixia_{zone}", value, zone_bounds(value, settings))
    total = float(said.zones[n].sum())
    line |= _with_bounds("brixia_total", total, total_bounds(total, settings))
    return line | {"severity_class": said.severity[n]} | _truth(case)


def _with_bounds(
    name: str, value: float, bounds: tuple[float | None, float | None]
) -> dict[str, object]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), (value, *bounds), strict=True))


def _truth(case: TrainCase) -> dict[str, object]:
    """What is known of a film; empty where it is not."""
    outcome, brixia = case.cells.get("prognosis", ""), case.cells.get("brixia", "")
    return {
        "true_severe": int(outcome == "SEVERE") if outcome else None,
        "true_brixia_total": sum(map(int, brixia)) if brixia else None,
    }


def _data_line(part: Unseen, films: FilmSet) -> dict[str, object]:
    names = {case.case for case in part.cases}
    used = [case for case in films.cases if case.subset == part.subset.name]
    return part.data_line(
        used,
        [*part.subset.skipped, *(s for s in films.skipped if s.case in names)],
        with_outcome=sum("prognosis" in case.cells for case in used),
        with_brixia=sum("brixia" in case.cells for case in used),
    )
