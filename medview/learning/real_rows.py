"""Real lesions as rows of ``medview.metrics/1``: found inside one image, never between sources.

Pixels are those of the brain without its rim. Each case gives one figure, then the mean over
cases is taken, so that a large tumour counts no more than a small one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medview.learning.anomaly_scores import rimless, volume_score
from medview.learning.cases import PreparedCase
from medview.learning.grid import PIXEL_MM
from medview.learning.metrics import (
    MetricRow,
    RowKey,
    best_dice,
    curve_interval,
    mean_interval,
    peak_hit,
    pr_auc,
)
from medview.learning.scoring import JUDGED, MODEL, Scored, Slices, counted
from medview.learning.subset import TrainCase
from medview.learning.synthetic import PixelFigures

SMALLEST_LESION_MM2 = 20.0
"""Slices with less lesion than this, but some, are neither normal nor abnormal."""
SMALLEST_BRAIN_MM2 = 0.1 * 240.0**2
"""Slices with less brain than 10 % of a 240 mm picture are not compared."""
PREVALENCES = (0.01, 0.05, 0.1, 0.3, 0.5)
HEIGHT_BINS = 10
FEWEST_MATCHED = 5
"""Fewer abnormal slices with normal ones of their height are not worth a figure."""
_PIXEL_NAMES = ("pr_auc", "dice_best", "hit_rate")
TruthKind = Literal["", "tumour mask", "box"]


@dataclass(frozen=True, slots=True, eq=False)
class CaseResult:
    """What all scores said of one case.

    `labels` (n,) is 1 for slices with a lesion, 0 without, NaN where that is not known or too
    little to say; `slices` (n,) the index along the volume's own axis, of slices cut upright that
    of the one they lie at. `figures` is None without a lesion truth; `lost` is the share of the
    truth outside the pixels that are compared.
    """

    case: TrainCase
    slices: NDArray[np.intp]
    height: NDArray[np.float64]
    area_mm2: NDArray[np.float64]
    labels: NDArray[np.float64]
    scores: Mapping[str, NDArray[np.float64]]
    volume: Mapping[str, float]
    truth: TruthKind = ""
    figures: Mapping[str, PixelFigures] | None = None
    prevalence: float | None = None
    lost: float | None = None


def result_of(found: PreparedCase, whole: Slices, scored: Mapping[str, Scored]) -> CaseResult:
    """Sum up what the scores said of a case."""
    scores = {name: one.per_slice for name, one in scored.items() if one.per_slice is not None}
    truth = None if found.truth is None else found.truth[whole.index]
    known = np.ones(len(whole), np.bool_) if found.known is None else found.known[whole.index]
    result = CaseResult(
        found.case,
        np.array([found.number_of(int(k)) for k in whole.index], dtype=np.intp),
        whole.height,
        whole.area * PIXEL_MM**2,
        np.where(known, _labels(truth, len(whole)), np.nan),
        scores,
        {name: volume_score(values, whole.area) for name, values in scores.items()},
    )
    if found.truth is None or truth is None or not found.truth.any():
        return result
    lost = 1 - float((truth & rimless(whole.brain)).sum() / found.truth.sum())
    inner = rimless(whole.brain) & known[:, None, None]
    return replace(_with_figures(result, truth, inner, scored), lost=lost)


def _labels(truth: NDArray[np.bool_] | None, count: int) -> NDArray[np.float64]:
    if truth is None:
        return np.full(count, np.nan)
    area_mm2 = truth.sum(axis=(1, 2)) * PIXEL_MM**2
    return np.where(area_mm2 >= SMALLEST_LESION_MM2, 1.0, np.where(area_mm2 > 0, np.nan, 0.0))


def _with_figures(
    result: CaseResult,
    truth: NDArray[np.bool_],
    inner: NDArray[np.bool_],
    scored: Mapping[str, Scored],
) -> CaseResult:
    """Figures over the pixels of `inner` (n, 128, 128)."""
    here = truth[inner]
    figures = {
        name: _found_in(here, one.pixels[inner].astype(np.float64))
        for name, one in scored.items()
        if one.pixels is not None
    }
    return replace(
        result,
        truth="box" if result.case.box is not None else "tumour mask",
        figures=figures,
        prevalence=float(here.mean()),
    )


def _found_in(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> PixelFigures:
    """Nothing is found where the whole truth lies outside the brain mask: that is no excuse."""
    if not truth.any():
        return PixelFigures(0.0, 0.0, 0.0)
    return PixelFigures(pr_auc(truth, score), best_dice(truth, score), peak_hit(truth, score))


def real_rows(subset: str, results: Sequence[CaseResult]) -> list[MetricRow]:
    """All rows that the truth of a subset allows; none without any truth."""
    rows = list(_pixel_rows(subset, results))
    rows += _judged_rows(subset, results) if rows else ()
    rows += _slice_rows(subset, results)
    rows += _case_rows(subset, results)
    return rows


def _pixel_rows(subset: str, results: Sequence[CaseResult]) -> Iterator[MetricRow]:
    groups = {"all": [one for one in results if one.figures]}
    for one in groups["all"]:
        if kind := one.case.cells.get("tumour_type"):
            groups.setdefault(f"tumour:{kind}", []).append(one)
    for group, here in groups.items():
        for predictor in (here[0].figures or {}) if here else ():
            for name in _PIXEL_NAMES:
                yield _pixel_row(subset, group, here, predictor, name)


def _judged_rows(subset: str, results: Sequence[CaseResult]) -> Iterator[MetricRow]:
    """The share of slices that the model recognises; the maps of the others are empty."""
    here = [one for one in results if one.figures and MODEL in one.scores]
    if here:
        rates = np.array([np.isfinite(one.scores[MODEL]).mean() for one in here])
        patients = [one.case.patient for one in here]
        key: RowKey = (MODEL, "slice", JUDGED, subset, "all")
        count = sum(len(one.slices) for one in here)
        found = mean_interval(rates, patients)
        yield MetricRow.of(key, found, patients, n=count, positive=0, share=0.0)


def _pixel_row(
    subset: str, group: str, here: Sequence[CaseResult], predictor: str, name: str
) -> MetricRow:
    patients = [one.case.patient for one in here]
    values = [getattr(one.figures[predictor], name) for one in here if one.figures]
    found = mean_interval(np.array(values), patients)
    share = float(np.mean([one.prevalence for one in here if one.prevalence is not None]))
    key: RowKey = (predictor, "pixel", name, subset, group)
    truth = here[0].truth
    return MetricRow.of(key, found, patients, truth=truth, positive=len(here), share=share)


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """The slices of a subset that are either normal or abnormal, as columns."""

    truth: NDArray[np.bool_]
    height: NDArray[np.float64]
    patients: list[str]
    scores: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, results: Sequence[CaseResult]) -> _Compared:
        kept = [np.isfinite(r.labels) & (r.area_mm2 >= SMALLEST_BRAIN_MM2) for r in results]
        pairs = list(zip(results, kept, strict=True))
        return cls(
            np.concatenate([r.labels[k] == 1 for r, k in pairs]),
            np.concatenate([r.height[k] for r, k in pairs]),
            [r.case.patient for r, k in pairs for _ in range(int(k.sum()))],
            {
                name: counted(name, np.concatenate([r.scores[name][k] for r, k in pairs]))
                for name in results[0].scores
            },
        )


def _slice_rows(subset: str, results: Sequence[CaseResult]) -> Iterator[MetricRow]:
    """Slices with a lesion against slices without, of the same volumes."""
    if not any(one.truth == "tumour mask" for one in results):
        return
    table = _Compared.of(results)
    if table.truth.all() or not table.truth.any():
        return
    matched = _matched_by_height(table)
    for predictor, score in table.scores.items():
        if not np.isfinite(score).all():
            continue
        for name in ("roc_auc", "pr_auc"):
            yield _slice_row(subset, "all", table, (predictor, name), np.ones(len(score)))
            if matched is not None:
                yield _slice_row(subset, "matched:height", table, (predictor, name), matched)
        for share in PREVALENCES:
            weight = _at_prevalence(table.truth, share)
            yield _slice_row(subset, f"prevalence:{share:g}", table, (predictor, "pr_auc"), weight)


def _slice_row(
    subset: str,
    group: str,
    table: _Compared,
    what: tuple[str, str],
    weight: NDArray[np.float64],
) -> MetricRow:
    predictor, name = what
    here = weight > 0
    truth, weight = table.truth[here], weight[here]
    patients = [p for p, kept in zip(table.patients, here, strict=True) if kept]
    found = curve_interval(name, truth, table.scores[predictor][here], patients, weight=weight)
    share = float(np.average(truth, weights=weight))
    key: RowKey = (predictor, "slice", name, subset, group)
    positive = int(truth.sum())
    return MetricRow.of(key, found, patients, truth="tumour mask", positive=positive, share=share)


def _at_prevalence(truth: NDArray[np.bool_], share: float) -> NDArray[np.float64]:
    """Weights that make abnormal slices as rare as `share`; 0.5 is the balanced test."""
    rare, common = share / truth.mean(), (1 - share) / (1 - truth.mean())
    return np.asarray(np.where(truth, rare, common), dtype=np.float64)


def _matched_by_height(table: _Compared) -> NDArray[np.float64] | None:
    """Weights that give normal slices the heights of the abnormal ones; None for too few.

    Tenths of the height with one kind of slice only are left out.
    """
    if not np.isfinite(table.height).all():
        return None
    tenth = np.minimum((table.height * HEIGHT_BINS).astype(int), HEIGHT_BINS - 1)
    weight = np.zeros(len(tenth))
    for number in np.unique(tenth):
        here = tenth == number
        ill = int(table.truth[here].sum())
        well = int(here.sum()) - ill
        if ill and well:
            weight[here] = np.where(table.truth[here], 1.0, ill / well)
    return weight if table.truth[weight > 0].sum() >= FEWEST_MATCHED else None


def _case_rows(subset: str, results: Sequence[CaseResult]) -> Iterator[MetricRow]:
    """Cases with a lesion against cases without, where one set has both."""
    known = [one for one in results if one.case.label is not None]
    truth = np.array([one.case.label == 1 for one in known], dtype=np.bool_)
    if not known or truth.all() or not truth.any():
        return
    patients = [one.case.patient for one in known]
    for predictor in known[0].volume:
        score = counted(predictor, np.array([one.volume[predictor] for one in known]))
        if not np.isfinite(score).all():
            continue
        for name in ("roc_auc", "pr_auc"):
            found = curve_interval(name, truth, score, patients)
            key: RowKey = (predictor, "case", name, subset, "all")
            positive, share = int(truth.sum()), float(truth.mean())
            yield MetricRow.of(key, found, patients, truth="label", positive=positive, share=share)
