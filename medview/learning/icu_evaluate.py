"""Measure the ICU model on data: predictions and figures. Never trains a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.domain.wording import counted
from medview.learning.icu_at_sites import AtSites, at_sites, notes, site_rows
from medview.learning.icu_baselines import Tables, answers_of
from medview.learning.icu_draws import ends_of, samples_of
from medview.learning.icu_figures import beside_baselines
from medview.learning.icu_films import film_features
from medview.learning.icu_fit import StaySet, probabilities
from medview.learning.icu_measure import Said, film_rows, group_rows, label_rows, risk_rows
from medview.learning.icu_model import IcuModel, load_icu
from medview.learning.icu_series import Series
from medview.learning.icu_sets import ROLE
from medview.learning.icu_stays import Stay, encoded, find_stays, to_bins, with_films
from medview.learning.icu_unit_told import unit_told
from medview.learning.icu_variants import variant_scores
from medview.learning.metrics import MetricRow
from medview.learning.metrics_file import Measurement
from medview.learning.plain_models import Model, load_models
from medview.learning.reliability import Curve, draw, told
from medview.learning.subset import LeftOut, Subset
from medview.learning.temperature import reliability
from medview.learning.unseen import Unseen, first_columns, nothing_left, unseen
from medview.learning.weights import shipped

ODD_SHARE = 0.05
"""Of the stays of a set: what is odd in fewer is told of none."""
MOST_ODD = 8
"""Kinds of odd values that are told."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One subset: its stays, what was left out, the probabilities of each part (N, K), and
    where its draws end (2, N, K).
    """

    part: Unseen
    stays: list[Stay]
    skipped: tuple[LeftOut, ...]
    scores: Mapping[str, NDArray[np.float64]]
    ends: Mapping[str, NDArray[np.float64]]
    variants: Mapping[str, NDArray[np.float64]]
    at_sites: Mapping[str, AtSites]
    odd: Counter[str]

    def odd_values(self) -> list[str]:
        """What was odd about the values of many stays: perhaps the unit is another one."""
        some = [
            (count, text)
            for text, count in self.odd.items()
            if count >= max(1, ODD_SHARE * len(self.stays))
        ]
        some.sort(key=lambda one: (-one[0], one[1]))
        name, whole = self.part.subset.name, counted(len(self.stays), "stay")
        return [f"{name}: {text} (in {count} of {whole})" for count, text in some[:MOST_ODD]]


def measure_icu(job: Progress, request: EvaluateRequest) -> Measurement:
    """Measure the ICU model; diagrams of its probabilities go into `request.out`.

    Raises
    ------
    UsageError, DataError, WeightsError
        As ``evaluate.evaluate``.
    """
    weights = Path(request.weights) if request.weights else shipped(request.model)
    model, card = load_icu(weights, name=request.model)
    kept = load_models(weights, card.settings)
    subsets = find_stays(request.data, request.model, request.variables)
    found = [_measure(job, model, card, subset, request) for subset in subsets]
    if not any(one.stays for one in found):
        skipped = [left_out for one in found for left_out in one.skipped]
        raise nothing_left([one.part for one in found], skipped, "stay")
    curves = [curve for one in found for curve in _curves(model, one)]
    draw(curves, Path(request.out), seen=request.include_seen)
    return Measurement(
        card,
        [_data_line(one) for one in found],
        [row for one in found for row in _rows(model, kept, one)],
        [line for one in found for line in _lines(model, one, request)],
        {"variables": model.variables.name, "samples": samples_of(request.samples, card)},
        more={
            "reliability": told(curves),
            "notes": [
                *([] if kept else ["no classical models lie beside these weights"]),
                *(line for one in found for line in one.odd_values()),
                *notes([one for part in found for one in part.at_sites.values()]),
            ],
        },
    )


def _measure(
    job: Progress, model: IcuModel, card: ModelCard, subset: Subset, request: EvaluateRequest
) -> Measured:
    whole = unseen(subset, card, request)
    odd = Counter[str]()
    stays, skipped = to_bins(job, whole.cases, model.variables, odd)
    if model.uses_film:
        features = film_features(job, [stay.case for stay in stays], equalise=model.clahe)
        stays = with_films(stays, features)
    scores, ends, variants = {}, {}, {}
    samples = samples_of(request.samples, card)
    sites: dict[str, AtSites] = {}
    for name, part in model.parts.items():
        if not stays:
            break
        job.check()
        given = encoded(stays, model.variables, part.normaliser, part.outputs)
        if part.sites:
            where = _sites(model, name, stays)
            sites[name] = one = at_sites(model, name, given, where, samples, request.seed)
            scores[name], ends[name] = one.best[:, None], one.ends[:, :, None]
            continue
        each = _each(model, name, given)
        scores[name] = part.calmed(each.mean(0))
        ends[name] = ends_of(model, name, given, None, samples, request.seed)
        if part.uses_film and len(part.outputs) == 1:
            variants = variant_scores(partial(_mean, model, name), given, stays)
    return Measured(
        whole,
        stays,
        (*subset.skipped, *skipped),
        scores,
        ends,
        variants,
        sites,
        odd,
    )


def _sites(model: IcuModel, name: str, stays: Sequence[Stay]) -> list[str]:
    """The site of each stay: that of its data set or, without one, of its own table."""
    known = model.parts[name].sites
    told = [
        stay.case.site
        or unit_told(cast(Series, stay.case.rows[ROLE]), model.variables).among(known)
        for stay in stays
    ]
    return [site or "" for site in told]


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
            if name in one.at_sites:
                here = one.at_sites[name].only(known)
                said = replace(said, threshold=here.threshold)
                rows += site_rows(said, here)
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
    return Said(labels[known] == 1, scores[known], patients, output, one.part.subset.name)


def _lines(model: IcuModel, one: Measured, request: EvaluateRequest) -> list[dict[str, object]]:
    """Lines of predictions.csv; intervals are those that a run tells."""
    lines = []
    for n, stay in enumerate(one.stays):
        line = first_columns(stay.case, private=request.private)
        for name, scores in one.scores.items():
            part = model.parts[name]
            for k, output in enumerate(part.outputs):
                gone = output in (part.unavailable or {})
                value, (low, high) = scores[n, k], one.ends[name][:, n, k]
                line[output] = None if gone else float(value)
                line[f"{output}_low"] = None if gone else float(min(low, value))
                line[f"{output}_high"] = None if gone else float(max(high, value))
                if name in one.at_sites:
                    line |= one.at_sites[name].columns(output, n)
                truth = stay.labels([output])[0]
                line[f"true_{output}"] = None if gone or np.isnan(truth) else truth
        lines.append(line)
    return lines


def _data_line(one: Measured) -> dict[str, object]:
    films = sum(stay.film is not None for stay in one.stays)
    return one.part.data_line([stay.case for stay in one.stays], one.skipped, with_film=films)
