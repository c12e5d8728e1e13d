"""Figures of variants and their paired differences from the default, by bootstrap over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.ablation import Scored
from medview.learning.metrics import FEWEST_PATIENTS, REPEATS, ends_of
from medview.learning.plain_figures import WEIGHTED, Values, figure

Runs = dict[tuple[str, int, str], tuple[Scored, ...]]
"""What each run found, by (variant, seed, fold)."""
Kind = tuple[str, str, str, str]
"""Subset, task, level and name of a figure."""
DEFAULT = "default"


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """Cases of all folds of one variant and seed, (n,) each."""

    cases: tuple[str, ...]
    patients: tuple[str, ...]
    truth: Values
    score: Values


def figures_of(runs: Runs) -> list[dict[str, Any]]:
    """Lines of ablation.csv: every figure of every run."""
    lines = []
    for (variant, seed, fold), found in runs.items():
        for one in found:
            truth, score = np.asarray(one.truth), np.asarray(one.score)
            for name in one.names:
                named = {"subset": one.subset, "task": one.task, "level": one.level, "name": name}
                value = figure(name, truth, score)
                lines.append(
                    {"variant": variant, "seed": seed, "fold": fold, **named, "value": value}
                )
    return lines


def compared(runs: Runs, against: str = DEFAULT) -> list[dict[str, Any]]:
    """Rows of ablation.json: each figure of each variant beside that of one of them.

    Figures are of the cases of all folds together, averaged over seeds with all folds; `sd` is
    over seeds and folds. Only seeds and folds that both have are compared; Holm's correction goes
    over the variants of one figure. Tasks that say so (``Scored.mean_of``) also have rows of the
    mean over them.
    """
    variants = list(dict.fromkeys(variant for variant, _, _ in runs))
    rows = []
    for task, kinds in _groups(runs):
        here = [_row(runs, (variant, against), task, kinds) for variant in variants]
        known = [row for row in here if row is not None]
        _holm(known)
        rows += known
    return rows


def _groups(runs: Runs) -> list[tuple[str, list[Kind]]]:
    """What has rows: every figure of a task, then the means over several, by the row's task."""
    alone: dict[Kind, list[Kind]] = {}
    means: dict[Kind, dict[Kind, None]] = {}
    for one in (one for found in runs.values() for one in found):
        for name in one.names:
            kind = (one.subset, one.task, one.level, name)
            alone[kind] = [kind]
            if one.mean_of:
                shown = (one.subset, one.mean_of, one.level, name)
                means.setdefault(shown, {})[kind] = None
    both = [*alone.items(), *((shown, list(kinds)) for shown, kinds in means.items())]
    return [(shown[1], kinds) for shown, kinds in both]


def _row(
    runs: Runs, variants: tuple[str, str], task: str, kinds: Sequence[Kind]
) -> dict[str, Any] | None:
    variant, against = variants
    subset, _, level, name = kinds[0]
    own = [pools for kind in kinds if (pools := _pools(runs, variant, kind, _done(runs, variant)))]
    if not own:
        return None
    each = _of_runs(runs, variant, kinds)
    row: dict[str, Any] = {
        **{"variant": variant, "subset": subset, "task": task, "level": level, "name": name},
        **{"mean": _mean([_value(name, pools) for pools in own]), "runs": len(each)},
        "sd": float(np.nanstd(each, ddof=1)) if len(each) > 1 else None,
        "n": len(next(iter(own[0].values())).cases),
        **{"value_low": None, "value_high": None},
        **{"difference": None, "low": None, "high": None, "p": None, "test": ""},
    }
    row["value_low"], row["value_high"] = ends_of(_together([_drawn(name, p, None) for p in own]))
    if variant != against:
        row |= _difference(runs, variants, kinds)
    return row


def _of_runs(runs: Runs, variant: str, kinds: Sequence[Kind]) -> list[float]:
    """The figure in each run, the mean over the tasks."""
    found = []
    for (its, _, _), scored in runs.items():
        values = [
            figure(kind[3], np.asarray(one.truth), np.asarray(one.score))
            for kind in kinds
            for one in scored
            if its == variant and (one.subset, one.task, one.level) == kind[:3]
            if kind[3] in one.names
        ]
        found += [_mean(values)] if values else []
    return found


def _difference(runs: Runs, variants: tuple[str, str], kinds: Sequence[Kind]) -> dict[str, Any]:
    name = kinds[0][3]
    both = _done(runs, variants[0]) & _done(runs, variants[1])
    values: list[float] = []
    draws: list[Values | None] = []
    for kind in kinds:
        ours, theirs = (_pools(runs, variant, kind, both) for variant in variants)
        shared = [s for s in ours if s in theirs and ours[s].cases == theirs[s].cases]
        if shared:
            ours, theirs = ({s: pools[s] for s in shared} for pools in (ours, theirs))
            values.append(_value(name, ours) - _value(name, theirs))
            draws.append(_drawn(name, ours, theirs))
    if not values:
        return {}
    drawn = _together(draws)
    found: dict[str, Any] = {"difference": _mean(values), "test": "paired bootstrap, Holm"}
    found["low"], found["high"] = ends_of(drawn)
    if drawn is not None:
        known = drawn[np.isfinite(drawn)]
        p = 2 * min((known <= 0).mean(), (known >= 0).mean()) if known.size else 1.0
        found["p"] = float(min(1.0, max(p, 1 / REPEATS)))
    return found


def _value(name: str, pools: Mapping[int, _Pool]) -> float:
    """A figure, the mean over seeds."""
    return float(np.mean([figure(name, pool.truth, pool.score) for pool in pools.values()]))


def _mean(values: Sequence[float]) -> float:
    """The mean of those that there are."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _together(draws: Sequence[Values | None]) -> Values | None:
    """The mean over tasks in each draw of patients; the draws are the same where these are."""
    known = [drawn for drawn in draws if drawn is not None]
    if not known or len(known) == 1:
        return known[0] if known else None
    stacked = np.stack(known)
    count = np.isfinite(stacked).sum(0)
    total = np.where(np.isfinite(stacked), stacked, 0.0).sum(0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _done(runs: Runs, variant: str) -> set[tuple[int, str]]:
    return {(seed, fold) for its, seed, fold in runs if its == variant}


def _is_of(kind: Kind, one: Scored) -> bool:
    return (one.subset, one.task, one.level) == kind[:3] and kind[3] in one.names


def _pools(runs: Runs, variant: str, kind: Kind, wanted: set[tuple[int, str]]) -> dict[int, _Pool]:
    """The cases of all wanted folds together, by seed; of the seeds that have the most cases."""
    parts: dict[int, list[Scored]] = {}
    for (its, seed, fold), found in runs.items():
        if its == variant and (seed, fold) in wanted:
            parts.setdefault(seed, []).extend(one for one in found if _is_of(kind, one))
    pools = {seed: _pool(some) for seed, some in parts.items() if some}
    # A seed that was stopped half way would weigh its few folds like all folds of another.
    most = max((len(pool.cases) for pool in pools.values()), default=0)
    return {seed: pool for seed, pool in pools.items() if len(pool.cases) == most}


def _pool(parts: Sequence[Scored]) -> _Pool:
    return _Pool(
        tuple(case for one in parts for case in one.cases),
        tuple(patient for one in parts for patient in one.patients),
        np.concatenate([np.asarray(one.truth, dtype=np.float64) for one in parts]),
        np.concatenate([np.asarray(one.score, dtype=np.float64) for one in parts]),
    )


def _drawn(
    name: str, ours: Mapping[int, _Pool], theirs: Mapping[int, _Pool] | None
) -> Values | None:
    """Figures, or their differences, under draws of patients; mean over seeds, (1000,)."""
    patients = sorted({patient for pool in ours.values() for patient in pool.patients})
    if len(patients) < FEWEST_PATIENTS:
        return None
    place = {patient: number for number, patient in enumerate(patients)}
    rng = np.random.default_rng(0)
    chosen = [rng.integers(0, len(patients), len(patients)) for _ in range(REPEATS)]
    found = []
    for seed, pool in ours.items():
        drawn = _redrawn(name, pool, place, chosen)
        if theirs is not None:
            drawn = drawn - _redrawn(name, theirs[seed], place, chosen)
        found.append(drawn)
    return np.asarray(np.mean(found, axis=0), dtype=np.float64)


def _redrawn(
    name: str, pool: _Pool, place: Mapping[str, int], chosen: Sequence[NDArray[np.intp]]
) -> Values:
    """A figure under each draw of patients, (draws,)."""
    if name in WEIGHTED:  # all draws at once, a hundred times as fast
        counts = np.stack([np.bincount(one, minlength=len(place)) for one in chosen])
        at = np.array([place[patient] for patient in pool.patients])
        weights = counts[:, at].astype(np.float64)
        return WEIGHTED[name](pool.truth > 0.5, pool.score, weights)
    rows = _rows_of(pool, place)
    drawn = np.empty(len(chosen))
    for repeat, patients in enumerate(chosen):
        index = np.concatenate([rows[patient] for patient in patients])
        drawn[repeat] = figure(name, pool.truth[index], pool.score[index])
    return drawn


def _rows_of(pool: _Pool, place: Mapping[str, int]) -> list[NDArray[np.intp]]:
    own: list[list[int]] = [[] for _ in place]
    for row, patient in enumerate(pool.patients):
        own[place[patient]].append(row)
    return [np.asarray(rows, dtype=np.intp) for rows in own]


def _holm(rows: Sequence[dict[str, Any]]) -> None:
    """Holm's correction of the p values of one figure, in place."""
    tested = sorted((row for row in rows if row["p"] is not None), key=lambda row: row["p"])
    worst = 0.0
    for rank, row in enumerate(tested):
        worst = max(worst, min(1.0, row["p"] * (len(tested) - rank)))
        row["p"] = worst
