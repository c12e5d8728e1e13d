"""Measure the anomaly model on data: predictions, slices, figures, a plot. Never trains a model.

Normal sets get synthetic lesions, sets with a truth are asked where it lies. Patients that the
weights have seen are left out and counted; as training slices of PCA and z-score they stay
useful, so that these are fitted on what the model was trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import InputRefused
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress, Silent
from medview.domain.uncertainty_plot import uncertainty_plot
from medview.io.case_names import shown_patient
from medview.io.plot_file import write_plot
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_scores import Drawn, score_with_interval
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.baselines import fit_baselines
from medview.learning.card_parts import figure_of
from medview.learning.cases import PreparedCase, find_subsets, prepare_case
from medview.learning.devices import choose_device
from medview.learning.metrics import MetricRow
from medview.learning.metrics_file import PIXELS, Measurement, write_lines
from medview.learning.real_rows import CaseResult, real_rows, result_of
from medview.learning.scoring import (
    MODEL,
    Said,
    Scorer,
    Slices,
    ask_model,
    model_scorer,
    model_scores,
    slices_of,
    stacked,
    together,
    trivial_scorer,
)
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.synthetic import HeldOut, SyntheticTrials, gathered, try_case
from medview.learning.synthetic_rows import synthetic_differences, synthetic_rows, synthetic_table
from medview.learning.uncertainty import WHOLE, UncertaintyTrial, judge, uncertainty_rows
from medview.learning.unseen import Unseen, first_columns, nothing_left, unseen
from medview.learning.weights import load_anomaly

DRAWS = 2
"""How often lesions are drawn for each normal case; a cross-validation draws more."""
TOGETHER = 16
"""Single slices are asked in blocks."""
PLOT = "uncertainty.svg"
"""Drawn where normal brains were measured: errors beside the deviations predicted for them."""
NOTES = {
    "cheng-t1ce": "cheng-t1ce holds slices with tumours only, all of one source: what is measured "
    "is where a score is high inside each slice. Slices without a tumour come from other sources; "
    "telling those apart is confounded by source and is not measured. The slices are axial, "
    "coronal and sagittal, the model was made for axial ones; their brain mask is crude.",
    "elderly-t1": "elderly-t1: white-matter lesions and atrophy of these brains count as normal.",
    "tumour-volumes": "tumour-volumes: few volumes, of which only some have a tumour mask; their "
    "figures are an illustration.",
}
"""What a reader of the figures of a layout must know."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The model and everything that it is compared with."""

    engine: Engine
    settings: AnomalySettings
    card: ModelCard
    others: Scorer
    request: EvaluateRequest

    @property
    def all_scores(self) -> Scorer:
        """The model and all others in one."""
        model = model_scorer(self.engine, self.settings, self.request.seed)
        return together(model, self.others)


@dataclass(slots=True, eq=False)
class _Found:
    """What has been measured so far."""

    rows: list[MetricRow] = field(default_factory=list)
    predictions: list[dict[str, object]] = field(default_factory=list)
    slices: list[dict[str, object]] = field(default_factory=list)
    pixels: list[dict[str, object]] = field(default_factory=list)
    trials: list[SyntheticTrials] = field(default_factory=list)
    judged: dict[str, list[UncertaintyTrial]] = field(default_factory=dict)
    data: list[dict[str, object]] = field(default_factory=list)
    skipped: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Unreported(Silent):
    """Lets a part be cancelled without its progress being told: that of the whole is."""

    job: Progress

    def check(self) -> None:
        """Ask the whole."""
        self.job.check()


def measure_anomaly(job: Progress, request: EvaluateRequest) -> Measurement:
    """Measure the anomaly model; tables of slices and a plot go into `request.out`.

    Raises
    ------
    UsageError, DataError, WeightsError
        As ``evaluate.evaluate``.
    """
    device = choose_device(request.device)
    model, card, settings = load_anomaly(Path(request.weights) if request.weights else None, device)
    settings = replace(settings, samples=request.samples or settings.samples)
    subsets = find_subsets(request.data, request.model)
    parts = [unseen(one, card, request) for one in subsets if not one.training_only]
    if not any(part.cases for part in parts):
        raise nothing_left(parts, [one for part in parts for one in part.subset.skipped], "case")
    baselines = _fitted(job, subsets, parts, request, settings)
    others = together(trivial_scorer, *baselines)
    engine = Engine.fast(model, device, drawing=settings)
    asked = _Asked(engine, settings, card, others, request)
    found = _Found()
    total = sum(len(part.cases) for part in parts)
    for part in parts:
        _measure(job, asked, part, found, total)
    if not found.predictions:
        raise nothing_left(parts, found.skipped, "case")
    measured = {part.subset.layout for part in parts if part.cases}
    trials = gathered(found.trials)
    found.rows[:0] = synthetic_rows(trials)
    judged = [trial for several in found.judged.values() for trial in several]
    found.rows += uncertainty_rows("+".join(found.judged), judged) if judged else []
    _write_more(Path(request.out), found, trials, with_seen=request.include_seen)
    more = {
        "differences": synthetic_differences(trials) if trials.slices else [],
        "notes": [text for name, text in NOTES.items() if name in measured],
    }
    asked_for = _parameters(settings)
    return Measurement(card, found.data, found.rows, found.predictions, asked_for, device, more)


def _parameters(settings: AnomalySettings) -> dict[str, object]:
    named = (
        *("samples", "mirrored", "balanced", "alpha", "rule"),
        *("smooth_px", "wide_px", "volume_mm", "opposite", "upright", "quantile", "floor"),
    )
    return {name: getattr(settings, name) for name in named} | {"synthetic_draws": DRAWS}


def _fitted(
    job: Progress,
    subsets: Sequence[Subset],
    parts: Sequence[Unseen],
    request: EvaluateRequest,
    settings: AnomalySettings,
) -> tuple[Scorer, ...]:
    """PCA and z-score fitted on normals that are not measured: seen patients and templates."""
    if request.include_seen:
        return ()
    normal = [case for part in parts for case in part.seen if case.label == 0]
    normal += [case for one in subsets if one.training_only for case in one.cases]
    job.report(0, 1, "fitting the baselines")
    ready = [found for found, _ in _prepared(job, normal, settings) if found is not None]
    return fit_baselines(ready, request.seed)


def _prepared(
    job: Progress, cases: Iterable[TrainCase], settings: AnomalySettings
) -> Iterator[tuple[PreparedCase | None, LeftOut | None]]:
    """Each case made ready, or why it cannot be."""
    for case in cases:
        job.check()
        try:
            yield prepare_case(case, upright=settings.upright), None
        except InputRefused as error:
            yield None, LeftOut(case.case, error.code, error.what)


def _measure(job: Progress, asked: _Asked, part: Unseen, found: _Found, total: int) -> None:
    """Run one subset and add what it gives."""
    results: list[CaseResult] = []
    skipped = list(part.subset.skipped)
    for block in _blocks(_prepared(job, part.cases, asked.settings), skipped):
        job.report(len(found.predictions), total, "measuring")
        for one, whole, said in _said(job, asked, block):
            step_mm = one.prepared.grid.spacing_mm[0] if len(whole) > 1 else None
            ours = model_scores(whole, said, asked.settings, step_mm=step_mm)
            scored = {**ours, **asked.others(whole)}
            results.append(result_of(one, whole, scored))
            found.predictions.append(_prediction(asked, one, whole, said))
            found.slices += _slice_lines(results[-1])
            found.pixels += _pixel_lines(results[-1], asked.request)
            if part.subset.is_normal:
                held = HeldOut(one, asked.all_scores)
                seed = asked.request.seed
                found.trials.append(try_case(job, held, whole, scored, draws=DRAWS, seed=seed))
                if len(whole) >= WHOLE:
                    drawn = Drawn(whole.pictures, whole.brain, said.pictures, said.aleatoric)
                    trials = found.judged.setdefault(part.subset.name, [])
                    trials.append(judge(one.case.patient, drawn))
    found.rows += real_rows(part.subset.name, results)
    found.data.append(_data_line(part, results, skipped))
    found.skipped += skipped


def _blocks(
    ready: Iterable[tuple[PreparedCase | None, LeftOut | None]], skipped: list[LeftOut]
) -> Iterator[list[PreparedCase]]:
    """Single slices in blocks, volumes one by one; what cannot be used goes to `skipped`."""
    block: list[PreparedCase] = []
    for found, left_out in ready:
        if left_out is not None:
            skipped.append(left_out)
        if found is None:
            continue
        block.append(found)
        if len(found.prepared.slices) > 1 or len(block) == TOGETHER:
            yield from _split_block(block)
            block = []
    yield from _split_block(block)


def _split_block(block: Sequence[PreparedCase]) -> Iterator[list[PreparedCase]]:
    for single, members in groupby(block, key=lambda one: len(one.prepared.slices) == 1):
        if single:
            yield list(members)
        else:
            yield from ([one] for one in members)


def _said(
    job: Progress, asked: _Asked, block: Sequence[PreparedCase]
) -> Iterator[tuple[PreparedCase, Slices, Said]]:
    """What the network says of each case of a block, asked at once."""
    parts = [slices_of(one.prepared) for one in block]
    samples, seed = asked.settings.samples, asked.request.seed
    said = ask_model(asked.engine, stacked(parts), samples, seed, _Unreported(job))
    first = 0
    for one, whole in zip(block, parts, strict=True):
        here = slice(first, first + len(whole))
        first += len(whole)
        yield one, whole, Said(said.pictures[:, here], said.aleatoric[here])


def _prediction(asked: _Asked, one: PreparedCase, whole: Slices, said: Said) -> dict[str, object]:
    """One line of predictions.csv, as ``medview run`` scores a case of which it knows the brain."""
    settings = asked.settings
    drawn = Drawn(whole.pictures, whole.brain, said.pictures, said.aleatoric)
    value, low, high = score_with_interval(drawn, settings)
    normals = np.asarray(asked.card.settings.get("normal_scores", []), dtype=np.float64)
    told = value is not None and np.isfinite(value) and normals.size > 0
    return {
        **first_columns(one.case, private=asked.request.private),
        "anomaly": value,
        "anomaly_low": low,
        "anomaly_high": high,
        "anomaly_percentile": float((normals < value).mean() * 100) if told else None,
        "anomaly_percentile_low": None,
        "anomaly_percentile_high": None,
        "label": one.case.label,
    }


def _slice_lines(result: CaseResult) -> list[dict[str, object]]:
    """Lines of slices.csv; a slice of which nobody knows has an empty label."""
    order = np.argsort(result.slices)
    return [
        {
            "case": result.case.case,
            "slice": int(result.slices[k]),
            "label": int(result.labels[k]) if np.isfinite(result.labels[k]) else None,
            "subset": result.case.subset,
            "score": float(result.scores["model"][k]),
            **{name: float(v[k]) for name, v in result.scores.items() if name != "model"},
        }
        for k in order
    ]


def _pixel_lines(result: CaseResult, request: EvaluateRequest) -> list[dict[str, object]]:
    """The line of pixels.csv of a case whose lesion is marked: how well the map finds it."""
    if result.figures is None or MODEL not in result.figures:
        return []
    case, figures = result.case, result.figures[MODEL]
    patient = shown_patient(case.patient, private=request.private)
    return [{"case": case.case, "patient": patient, "subset": case.subset, **asdict(figures)}]


def _data_line(
    part: Unseen, results: Sequence[CaseResult], skipped: Sequence[LeftOut]
) -> dict[str, object]:
    cases = [one.case for one in results]
    lost = [one.lost for one in results if one.lost is not None]
    return part.data_line(
        cases,
        skipped,
        with_truth=len(lost),
        truth_outside_brain=float(np.mean(lost)) if lost else None,
        roles=sorted({case.role for case in cases}),
    )


def _write_more(out: Path, found: _Found, trials: SyntheticTrials, *, with_seen: bool) -> None:
    """Tables of slices, of slices with made-up lesions and of marked lesions, and the plot.

    Each where there is something for it; `with_seen` says that patients seen in training count.
    """
    write_lines(out / "slices.csv", found.slices)
    synthetic = synthetic_table(trials)
    if synthetic:
        write_lines(out / "synthetic_slices.csv", synthetic)
    if found.pixels:
        write_lines(out / PIXELS, found.pixels)
    figures = [figure_of(row.as_dict(), "") for row in found.rows]
    plot = uncertainty_plot(figures, with_seen=with_seen)
    if plot is not None:
        write_plot(plot, out / PLOT)
