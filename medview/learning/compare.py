"""Two versions of a model on the same cases: figures of both and their paired differences.

Only cases that neither version was trained on are compared. Truth and score come from the
predictions.csv of the two measurements, where a score's truth stands as ``true_<score>``; the
anomaly model is compared by its cases and slices with a label and, where lesions are marked, by how
well its map finds them (pixels.csv). Probabilities are also judged by their calibration and ages by
their intervals; of several sites each is told on its own, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.ablation import Scored
from medview.domain.comparison import CompareRequest
from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.io.tables import read_table
from medview.learning.ablation_figures import DEFAULT, compared
from medview.learning.evaluate import evaluate
from medview.learning.metrics import (
    CI,
    CURVES,
    FEWEST_PATIENTS,
    mean_interval,
    paired_mean_difference,
)
from medview.learning.metrics_file import PIXELS, PREDICTIONS

TRUE = "true_"
BINARY = (*CURVES, "brier", "ece")
NUMBERS = ("mae", "rmse", "pearson_r")
INTERVALS = ("coverage", "interval_width")
"""Of the intervals that a version gives: neither more nor less of them is better by itself."""
EVERYBODY = "all"
_LOWER_IS_BETTER = ("mae", "rmse", "brier", "ece")
NEW = "new"
PIXEL_NAMES = ("pr_auc", "dice_best")


def compare(job: Progress, request: CompareRequest) -> dict[str, Any]:
    """Measure both versions and say how the new one differs.

    Returns
    -------
    dict
        ``metrics`` (rows of ``medview.metrics/1`` with `predictor` "old" and "new" and `group`
        "all" or "site:NAME"), ``differences`` (new minus old of the same figure, with interval
        and p) and ``worse`` (names of figures of everybody whose interval lies on the worse side).

    Raises
    ------
    DataError
        If no case with a known truth is left that neither version was trained on.
    """
    old, new = (_measured(job, request, name) for name in ("old", "new"))
    shared = _paired(_scored_in(old), _scored_in(new))
    found = pixel_rows(old, new)
    if not any(one.cases for one in shared["old"]) and not found["differences"]:
        raise DataError(
            "there is no case with a known truth that neither version was trained on",
            code="MV-DAT-143",
            do="Give other data, or mark cases as val or test.",
        )
    groups = {EVERYBODY: shared}
    by_both = {row["case"] for row in _rows(new / PREDICTIONS)}
    for site in sites_in([row for row in _rows(old / PREDICTIONS) if row["case"] in by_both]):
        groups[f"site:{site}"] = _paired(_of_site(old, site), _of_site(new, site))
    for group, pairs in groups.items():
        rows = compared({(DEFAULT, 0, ""): pairs["old"], (NEW, 0, ""): pairs["new"]})
        found["metrics"] += [_metric(row, pairs["old"], group) for row in rows]
        found["differences"] += [_difference(row, group) for row in rows if row["variant"] == NEW]
    worse = [one["name"] for one in found["differences"] if _is_worse(one)]
    return {**found, "worse": worse}


def _measured(job: Progress, request: CompareRequest, name: str) -> Path:
    """The folder with what one version says of all cases that it was not trained on."""
    folder = Path(request.out) / name
    evaluate(
        job,
        EvaluateRequest(
            request.model,
            request.data,
            str(folder),
            weights=request.old if name == "old" else request.new,
            samples=request.samples,
            split="all",
            include_seen=request.include_seen,
            device=request.device,
            threads=request.threads,
            seed=request.seed,
            private=request.private,
        ),
    )
    return folder


def _scored_in(folder: Path) -> tuple[Scored, ...]:
    rows = _rows(folder / PREDICTIONS)
    return (
        *_by_case(rows),
        *_by_label(rows),
        *_by_slice(_rows(folder / "synthetic_slices.csv")),
        *_by_slice(_rows(folder / "slices.csv")),
    )


def _of_site(folder: Path, site: str) -> tuple[Scored, ...]:
    rows = [row for row in _rows(folder / PREDICTIONS) if row.get("site") == site]
    return (*_by_case(rows), *_by_label(rows))


def sites_in(rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """The sites of a table that have enough patients to say something; none where all are one."""
    people: dict[str, set[str]] = {}
    for row in rows:
        people.setdefault(row.get("site") or "", set()).add(row.get("patient") or row["case"])
    named = [site for site in sorted(people) if site and len(people[site]) >= FEWEST_PATIENTS]
    return tuple(named) if len(people) > 1 else ()


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    return read_table(path).by_name()


def _by_case(rows: Sequence[Mapping[str, str]]) -> list[Scored]:
    """One task for each score with a truth and each subset."""
    named = [name for name in (rows[0] if rows else ()) if name.startswith(TRUE)]
    found = []
    for column in named:
        score = column.removeprefix(TRUE)
        known = [row for row in rows if row[column] and row.get(score)]
        for subset in dict.fromkeys(row.get("subset", "") for row in known):
            here = [row for row in known if row.get("subset", "") == subset]
            found.append(_scored(score, subset, "case", here, (column, score)))
            if found[-1].names == NUMBERS:
                found += _by_interval(found[-1], here)
    return found


def _by_interval(of: Scored, rows: Sequence[Mapping[str, str]]) -> list[Scored]:
    """Whether each truth lies in its interval, and how wide that is; nothing without intervals."""
    ends = [(row.get(f"{of.task}_low"), row.get(f"{of.task}_high")) for row in rows]
    known = [(float(low), float(high)) for low, high in ends if low and high]
    if len(known) < len(rows):
        return []
    inside = [float(low <= t <= high) for (low, high), t in zip(known, of.truth, strict=True)]
    figures = (inside, [high - low for low, high in known])
    return [
        replace(of, names=(name,), score=tuple(values))
        for name, values in zip(INTERVALS, figures, strict=True)
    ]


def _by_label(rows: Sequence[Mapping[str, str]]) -> list[Scored]:
    """The cases of each subset that has some with a lesion and some without, by their score."""
    known = [row for row in rows if row.get("label") and row.get("anomaly")]
    found = []
    for subset in dict.fromkeys(row.get("subset", "") for row in known):
        here = [row for row in known if row.get("subset", "") == subset]
        if len({row["label"] for row in here}) > 1:
            found.append(_scored("anomaly", subset, "case", here, ("label", "anomaly")))
    return found


def _by_slice(rows: Sequence[Mapping[str, str]]) -> list[Scored]:
    """The slices of each subset that has some with a lesion and some without."""
    column = "model" if rows and "model" in rows[0] else "score"
    known = [row for row in rows if row.get("label") and row.get(column)]
    found = []
    for subset in dict.fromkeys(row.get("subset", "") for row in known):
        part = [row for row in known if row.get("subset", "") == subset]
        if len({row["label"] for row in part}) > 1:
            found.append(_scored("anomaly", subset, "slice", part, ("label", column)))
    return found


def _scored(
    task: str,
    subset: str,
    level: str,
    rows: Sequence[Mapping[str, str]],
    columns: tuple[str, str],
) -> Scored:
    truth, score = (tuple(float(row[column]) for row in rows) for column in columns)
    return Scored(
        task,
        _names(truth, score),
        tuple(_name(row) for row in rows),
        tuple(row.get("patient") or row["case"] for row in rows),
        truth,
        score,
        subset,
        level,
    )


def _names(truth: Sequence[float], score: Sequence[float]) -> tuple[str, ...]:
    """The figures that suit: calibration is one of probabilities only."""
    if not set(truth) <= {0.0, 1.0}:
        return NUMBERS
    return BINARY if all(0 <= value <= 1 for value in score) else tuple(CURVES)


def _name(row: Mapping[str, str]) -> str:
    """A case, or a slice of it in one of its draws."""
    return "/".join(row[name] for name in ("case", "draw", "slice") if row.get(name))


def _paired(old: Sequence[Scored], new: Sequence[Scored]) -> dict[str, tuple[Scored, ...]]:
    """The cases that both have, in the same order; tasks without any are left out."""
    pairs = [pair for one in old for other in new if (pair := _of_both(one, other))]
    return {name: tuple(pair[n] for pair in pairs) for n, name in enumerate(("old", "new"))}


def _of_both(one: Scored, other: Scored) -> tuple[Scored, Scored] | None:
    """Two tasks cut down to the cases and names of both; None unless they are the same task."""
    names = tuple(name for name in one.names if name in other.names)
    there = set(other.cases)
    order = [case for case in one.cases if case in there]
    same = (one.task, one.subset, one.level) == (other.task, other.subset, other.level)
    if not (same and names and order):
        return None
    return _kept(one, order, names), _kept(other, order, names)


def _kept(one: Scored, order: Iterable[str], names: tuple[str, ...]) -> Scored:
    place = {case: n for n, case in enumerate(one.cases)}
    at = [place[case] for case in order]
    return replace(
        one,
        names=names,
        cases=tuple(one.cases[n] for n in at),
        patients=tuple(one.patients[n] for n in at),
        truth=tuple(one.truth[n] for n in at),
        score=tuple(one.score[n] for n in at),
    )


def _metric(row: Mapping[str, Any], pairs: Sequence[Scored], group: str) -> dict[str, Any]:
    """A row of ``medview.metrics/1``."""
    of = next(one for one in pairs if _same(one, row))
    positive = sum(value > 0.5 for value in of.truth) if row["name"] in BINARY else None
    return {
        "predictor": "old" if row["variant"] == DEFAULT else "new",
        **{name: row[name] for name in ("task", "level", "name", "subset")},
        "group": group,
        "value": row["mean"],
        "low": row["value_low"],
        "high": row["value_high"],
        "ci": CI if row["value_low"] is not None else "",
        "n": row["n"],
        "n_patients": len(set(of.patients)),
        "n_positive": positive,
        "prevalence": None if positive is None else positive / len(of.truth),
    }


def _same(one: Scored, row: Mapping[str, Any]) -> bool:
    return (one.task, one.level, one.subset) == (row["task"], row["level"], row["subset"])


def _difference(row: Mapping[str, Any], group: str) -> dict[str, Any]:
    named = ("task", "level", "name", "subset", "n", "low", "high", "p")
    same = {name: row[name] for name in named}
    return {"new_minus_old": row["difference"], "group": group, **same}


def pixel_rows(old: Path, new: Path) -> dict[str, list[dict[str, Any]]]:
    """How well each version's map finds the marked lesions, mean over the cases that both have."""
    tables = [
        {(row["subset"], row["case"]): row for row in _rows(folder / PIXELS)}
        for folder in (old, new)
    ]
    shared = [key for key in tables[0] if key in tables[1]]
    metrics, differences = list[dict[str, Any]](), list[dict[str, Any]]()
    for subset in dict.fromkeys(subset for subset, _ in shared):
        here = [key for key in shared if key[0] == subset]
        patients = [tables[0][key]["patient"] for key in here]
        for name in PIXEL_NAMES:
            before, after = (
                np.array([float(table[key][name]) for key in here]) for table in tables
            )
            same = {"task": "anomaly", "level": "pixel", "name": name, "subset": subset,
                    "group": "all", "n": len(here)}  # fmt: skip
            for who, values in (("old", before), (NEW, after)):
                told = mean_interval(values, patients)
                metrics.append(
                    {
                        **{"predictor": who, **same, **asdict(told)},
                        **{"ci": CI if told.low is not None else ""},
                        **{"n_patients": len(set(patients))},
                        **{"n_positive": len(here), "prevalence": None},
                    }
                )
            apart = paired_mean_difference(after, before, patients)
            differences.append(
                {**same, "new_minus_old": apart.value, "low": apart.low, "high": apart.high,
                 "p": apart.p}
            )  # fmt: skip
    return {"metrics": metrics, "differences": differences}


def _is_worse(one: Mapping[str, Any]) -> bool:
    """Whether the whole interval lies on the worse side; without one the value itself."""
    if one["group"] != EVERYBODY or one["name"] in INTERVALS:
        return False
    low, high = one["low"], one["high"]
    if low is None or high is None:
        low = high = one["new_minus_old"] or 0.0
    return bool(low > 0 if one["name"] in _LOWER_IS_BETTER else high < 0)
