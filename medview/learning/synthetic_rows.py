"""Synthetic trials as rows of ``medview.metrics/1`` and as a table of slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.learning.metrics import (
    Difference,
    Interval,
    Level,
    MetricRow,
    RowKey,
    Truth,
    curve_interval,
    mean_interval,
    paired_difference,
    paired_mean_difference,
    roc_auc,
    win_interval,
)
from medview.learning.scoring import JUDGED, MODEL, counted
from medview.learning.synthetic import CaseTrial, PixelTrial, SliceTrial, SyntheticTrials

TRUTH = "synthetic lesions"
SMALL_PX = 8.0
FAINT = 0.3
_PIXEL_NAMES = ("pr_auc", "dice_best", "hit_rate")

GROUPS: dict[str, Callable[[SliceTrial], bool]] = {
    "radius:4-8": lambda t: t.radius_px is None or t.radius_px < SMALL_PX,
    "radius:8-14": lambda t: t.radius_px is None or t.radius_px >= SMALL_PX,
    "contrast:0.15-0.3": lambda t: t.contrast is None or abs(t.contrast) < FAINT,
    "contrast:0.3-0.5": lambda t: t.contrast is None or abs(t.contrast) >= FAINT,
}
"""Which trials belong to a group: the lesions named, radius in model pixels, and all clean ones."""


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Trials of one subset as columns."""

    subset: str
    trials: Sequence[SliceTrial]
    truth: Truth
    draw: NDArray[np.intp]
    patients: list[str]

    @classmethod
    def of(cls, subset: str, trials: Sequence[SliceTrial]) -> _Table:
        return cls(
            subset,
            trials,
            np.array([trial.label for trial in trials], dtype=np.bool_),
            np.array([trial.draw for trial in trials], dtype=np.intp),
            [trial.case.patient for trial in trials],
        )

    @property
    def predictors(self) -> list[str]:
        return list(self.trials[0].scores) if self.trials else []

    def scores(self, predictor: str) -> NDArray[np.float64]:
        return counted(predictor, np.array([trial.scores[predictor] for trial in self.trials]))

    def twins(self, predictor: str) -> NDArray[np.float64]:
        return counted(predictor, np.array([trial.twins[predictor] for trial in self.trials]))

    def judged(self) -> NDArray[np.float64]:
        """1 for a slice that the model gives a score, 0 for one that it does not recognise."""
        return np.array([float(np.isfinite(trial.scores[MODEL])) for trial in self.trials])

    @property
    def draws(self) -> int:
        return len(np.unique(self.draw))


def synthetic_rows(trials: SyntheticTrials) -> list[MetricRow]:
    """All rows of the trials: each subset on its own, and all together where there are several."""
    rows: list[MetricRow] = []
    for subset, part in scopes(trials).items():
        table = _Table.of(subset, part.slices)
        for predictor in table.predictors:
            if np.isfinite(table.scores(predictor)).all():
                rows += _slice_rows(table, predictor)
        rows += _pixel_rows(subset, part.pixels)
        rows += _case_rows(subset, part.cases)
    return rows


def scopes(trials: SyntheticTrials) -> dict[str, SyntheticTrials]:
    """The trials of each subset, and of all together ("a+b") where there are several."""
    names = list(dict.fromkeys(trial.case.subset for trial in trials.slices))
    parts = {
        name: SyntheticTrials(
            tuple(t for t in trials.slices if t.case.subset == name),
            tuple(t for t in trials.pixels if t.case.subset == name),
            tuple(t for t in trials.cases if t.case.subset == name),
        )
        for name in names
    }
    return {**parts, "+".join(names): trials} if len(names) > 1 else parts


def _slice_rows(table: _Table, predictor: str) -> Iterator[MetricRow]:
    everything = np.arange(len(table.trials))
    yield _curve("pr_auc", table, predictor, "all", everything)
    yield _curve("roc_auc", table, predictor, "all", everything)
    for group, belongs in GROUPS.items():
        here = np.flatnonzero([belongs(trial) for trial in table.trials])
        yield _curve("roc_auc", table, predictor, group, here)
    yield _within_volumes(table, predictor)
    yield from _twin_rows(table, predictor)
    if predictor == MODEL:
        key: RowKey = (predictor, "slice", JUDGED, table.subset, "all")
        found = mean_interval(table.judged(), table.patients)
        yield _row(key, found, len(everything) // table.draws, table.patients, draws=table.draws)


def _curve(
    name: str, table: _Table, predictor: str, group: str, here: NDArray[np.intp]
) -> MetricRow:
    truth, patients = table.truth[here], [table.patients[k] for k in here]
    found = curve_interval(
        name, truth, table.scores(predictor)[here], patients, draw=table.draw[here]
    )
    draws = table.draws
    return _row(
        (predictor, "slice", name, table.subset, group),
        found,
        len(here) // draws,
        patients,
        positive=int(truth.sum()) // draws,
        share=float(truth.mean()),
        draws=draws,
    )


def _within_volumes(table: _Table, predictor: str) -> MetricRow:
    """ROC AUC among the slices of one volume, mean over volumes."""
    scores = table.scores(predictor)
    parts: dict[tuple[int, str], list[int]] = {}
    for k, trial in enumerate(table.trials):
        parts.setdefault((trial.draw, trial.case.case), []).append(k)
    values = np.array([roc_auc(table.truth[rows], scores[rows]) for rows in parts.values()])
    patients = [table.patients[rows[0]] for rows in parts.values()]
    found = mean_interval(values, patients)
    n = len(parts) // table.draws
    key: RowKey = (predictor, "slice", "roc_auc", table.subset, "within:volume")
    return _row(key, found, n, patients, draws=table.draws)


def _twin_rows(table: _Table, predictor: str) -> Iterator[MetricRow]:
    """Slices with a lesion against the same slices without."""
    ill = np.flatnonzero(table.truth)
    shown, clean = table.scores(predictor)[ill], table.twins(predictor)[ill]
    patients = [table.patients[k] for k in ill]
    truth = np.repeat([True, False], len(ill))
    area = curve_interval(
        "roc_auc",
        truth,
        np.concatenate([shown, clean]),
        patients * 2,
        draw=np.tile(table.draw[ill], 2),
    )
    n = len(ill) // table.draws
    yield _row(
        (predictor, "slice", "roc_auc", table.subset, "twin"),
        area,
        2 * n,
        patients,
        positive=n,
        share=0.5,
        draws=table.draws,
    )
    yield _row(
        (predictor, "slice", "win_rate", table.subset, "twin"),
        win_interval(shown, clean, patients),
        n,
        patients,
        draws=table.draws,
    )


def _pixel_rows(subset: str, trials: Sequence[PixelTrial]) -> Iterator[MetricRow]:
    """Each volume's figures over its lesion slices, then their mean."""
    if not trials:
        return
    patients = [trial.case.patient for trial in trials]
    draws = len({trial.draw for trial in trials})
    share = float(np.mean([trial.prevalence for trial in trials]))
    for predictor in trials[0].figures:
        for name in _PIXEL_NAMES:
            values = np.array([getattr(trial.figures[predictor], name) for trial in trials])
            n = len(trials) // draws
            yield _row(
                (predictor, "pixel", name, subset, "all"),
                mean_interval(values, patients),
                n,
                patients,
                positive=n,
                share=share,
                draws=draws,
            )


def _case_rows(subset: str, trials: Sequence[CaseTrial]) -> Iterator[MetricRow]:
    """Volumes with one solid lesion against the same volumes without."""
    if not trials:
        return
    patients = [trial.case.patient for trial in trials]
    draw = np.array([trial.draw for trial in trials], dtype=np.intp)
    draws = len(np.unique(draw))
    truth = np.repeat([True, False], len(trials))
    n = len(trials) // draws
    for predictor in trials[0].clean:
        shown = counted(predictor, np.array([trial.lesioned[predictor] for trial in trials]))
        clean = counted(predictor, np.array([trial.clean[predictor] for trial in trials]))
        if not (np.isfinite(shown).all() and np.isfinite(clean).all()):
            continue
        both = np.concatenate([shown, clean])
        for name in ("roc_auc", "pr_auc"):
            found = curve_interval(name, truth, both, patients * 2, draw=np.tile(draw, 2))
            yield _row(
                (predictor, "case", name, subset, "twin"),
                found,
                2 * n,
                patients,
                positive=n,
                share=0.5,
                draws=draws,
            )
        wins = win_interval(shown, clean, patients)
        yield _row((predictor, "case", "win_rate", subset, "twin"), wins, n, patients, draws=draws)


def _row(key: RowKey, found: Interval, n: int, patients: Sequence[str], **more: Any) -> MetricRow:
    return MetricRow.of(key, found, patients, n=n, truth=TRUTH, **more)


def synthetic_differences(trials: SyntheticTrials, ours: str = "model") -> list[dict[str, object]]:
    """How far `ours` is ahead of every other score, paired: slices by ROC AUC, pixels by AP."""
    found = []
    for subset, part in scopes(trials).items():
        table = _Table.of(subset, part.slices)
        for other in table.predictors:
            theirs = table.scores(other)
            if other == ours or not np.isfinite(theirs).all():
                continue
            apart = paired_difference(
                "roc_auc", table.truth, table.scores(ours), theirs, table.patients, draw=table.draw
            )
            found.append(_difference("slice", "roc_auc", subset, (ours, other), apart))
        found += _pixel_differences(subset, part.pixels, ours)
    return found


def _pixel_differences(
    subset: str, here: Sequence[PixelTrial], ours: str
) -> Iterator[dict[str, object]]:
    patients = [trial.case.patient for trial in here]
    for other in here[0].figures if here else ():
        if other != ours:
            apart = paired_mean_difference(
                np.array([trial.figures[ours].pr_auc for trial in here]),
                np.array([trial.figures[other].pr_auc for trial in here]),
                patients,
            )
            yield _difference("pixel", "pr_auc", subset, (ours, other), apart)


def _difference(
    level: Level, name: str, subset: str, pair: tuple[str, str], apart: Difference
) -> dict[str, object]:
    return {
        "level": level,
        "name": name,
        "subset": subset,
        "predictor": pair[0],
        "against": pair[1],
        "test": "paired patient bootstrap",
        **asdict(apart),
    }


def synthetic_table(trials: SyntheticTrials) -> list[dict[str, object]]:
    """One line a slice and draw: what was pasted, and every score with its clean twin's."""
    return [
        {
            "case": trial.case.case,
            "subset": trial.case.subset,
            "draw": trial.draw,
            "slice": trial.slice,
            "label": int(trial.label),
            "radius_px": trial.radius_px,
            "contrast": trial.contrast,
            **trial.scores,
            **{f"{name}_clean": value for name, value in trial.twins.items()},
        }
        for trial in trials.slices
    ]
