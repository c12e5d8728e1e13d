"""Figures of the chest model: what it said of films, and the outcome beside shortcuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from medview.learning.chest_rows import SEVERE
from medview.learning.metrics import (
    Interval,
    MetricRow,
    Weights,
    curve_interval,
    drawn_patients,
    mean_interval,
    paired_difference,
)
from medview.learning.site_effects import FIXED, NETWORK
from medview.learning.subset import TrainCase
from medview.learning.temperature import (
    best_temperature,
    calibration_interval,
    calmed,
    reliability,
)

Scores = NDArray[np.float64]
THRESHOLD = 0.5
FIRST, ADMISSION = "first-film", "to-icu-admission"
"""Groups: the first film of each patient; severe films up to the day of ICU admission."""
_OUTCOME = ("logistic", FIXED, NETWORK)
"""How the names of scores of the outcome among the baselines begin."""
POOLED = "chest-outcome"
"""What films with an outcome are called where they are of several sets."""
SHORTCUTS = ("film_count", "bedside_share", "stored_pixels", "source")


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a model said of films that it was not trained on; NaN where it has no such head.

    `severe` (n,), `zones` (n, 6), `severity` (n,) as `cxr_given.predict` gives them; `median` (n,)
    is the median total of the films that it was trained on; `baselines` what other models say:
    "logistic" (and names that begin so), "fixed" and "network" of the outcome, "ridge" of the
    total.
    """

    cases: tuple[TrainCase, ...]
    severe: Scores
    zones: Scores
    severity: Scores
    median: Scores
    baselines: Mapping[str, Scores] = field(default_factory=dict)

    def only(self, kept: NDArray[np.bool_]) -> Said:
        """Some of the films."""
        cases = tuple(case for case, here in zip(self.cases, kept, strict=True) if here)
        rest = (self.severe[kept], self.zones[kept], self.severity[kept], self.median[kept])
        baselines = {name: score[kept] for name, score in self.baselines.items()}
        return Said(cases, *rest, baselines)


def together(parts: Sequence[Said]) -> Said:
    """What was said of the films of several folds."""
    names = ("severe", "zones", "severity", "median")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    shared = set.intersection(*(set(part.baselines) for part in parts))
    baselines = {
        name: np.concatenate([part.baselines[name] for part in parts]) for name in sorted(shared)
    }
    return Said(tuple(case for part in parts for case in part.cases), **joined, baselines=baselines)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Outcome and scores by patient, (n,) each; a patient with both outcomes is there with each."""

    names: tuple[str, ...]
    sites: tuple[str, ...]
    severe: NDArray[np.bool_]
    scores: Mapping[str, Scores]


def people_of(
    cases: Sequence[TrainCase],
    score: Scores,
    plain: Mapping[str, Scores] | None = None,
    films: Mapping[str, int] | None = None,
) -> People:
    """The mean score over the films of each patient, and what could stand in for it.

    A patient whose films have both outcomes stands there twice, once with each. `plain` are
    classical scores of the films; `films` says how many films each patient has in all, where
    `cases` are only some of them.
    """
    rows: dict[tuple[str, str], list[int]] = {}
    for n, case in enumerate(cases):
        rows.setdefault((case.patient, case.cells["prognosis"]), []).append(n)

    def averaged(values: Scores) -> Scores:
        return np.array([values[own].mean() for own in rows.values()])

    first = [cases[own[0]] for own in rows.values()]
    sites = np.array([case.site for case in first])
    severe = np.array([case.cells["prognosis"] == SEVERE for case in first])
    share = {site: severe[sites == site].mean() for site in sites.tolist()}
    names = tuple(patient for patient, _outcome in rows)
    counts = Counter(case.patient for case in cases) | Counter(films or {})
    bedside = np.array([case.cells.get("view", "").upper() != "PA" for case in cases], float)
    sizes = np.array([float(case.cells.get("pixels", "nan")) for case in cases])
    scores = {
        "model": averaged(score),
        "film_count": np.array([float(counts[name]) for name in names]),
        "bedside_share": averaged(bedside),
        "stored_pixels": -averaged(sizes),
        "source": np.array([share[site] for site in sites.tolist()]),
    }
    scores |= {name: averaged(each) for name, each in (plain or {}).items()}
    return People(names, tuple(case.site for case in first), severe, scores)


def set_of(cases: Sequence[TrainCase], several: str) -> str:
    """The set that all films are of, or the word for several."""
    names = {case.subset for case in cases}
    return names.pop() if len(names) == 1 else several


def first_films(cases: Sequence[TrainCase]) -> NDArray[np.bool_]:
    """True for the earliest film of each patient; films without a day come last."""
    day = [float(case.cells.get("day") or "inf") for case in cases]
    best: dict[str, int] = {}
    for n, case in enumerate(cases):
        if case.patient not in best or day[n] < day[best[case.patient]]:
            best[case.patient] = n
    kept = np.zeros(len(cases), np.bool_)
    kept[list(best.values())] = True
    return kept


def up_to_admission(cases: Sequence[TrainCase]) -> NDArray[np.bool_]:
    """True for mild films, and severe ones taken up to the day of admission to intensive care.

    Only of sites that tell that day of anybody: at others all severe films would be left out.
    """
    dated = {case.site for case in cases if case.cells.get("to_icu")}
    return np.array(
        [
            case.site in dated
            and (
                case.cells["prognosis"] != SEVERE or float(case.cells.get("to_icu") or "-inf") >= 0
            )
            for case in cases
        ],
        dtype=np.bool_,
    )


def outcome_rows(said: Said) -> list[MetricRow]:
    """Outcome by patient: all, each site, first films, films up to ICU admission.

    Each beside what is no picture (shortcuts) and the classical model, with paired differences.
    """
    kept = np.array(["prognosis" in case.cells for case in said.cases], np.bool_)
    kept &= np.isfinite(said.severe)
    if not kept.any():
        return []
    here = said.only(kept)
    sites = sorted({case.site for case in here.cases})
    films = Counter(case.patient for case in here.cases)
    subset = set_of(here.cases, POOLED)
    rows = _outcome_group(here, "all", films)
    for site in sites if len(sites) > 1 else ():
        own = here.only(np.array([case.site == site for case in here.cases]))
        rows += _outcome_group(own, f"site:{site}", films)
    rows += _outcome_group(here.only(first_films(here.cases)), FIRST, films)
    early = here.only(up_to_admission(here.cases))
    if early.cases:
        rows += _outcome_group(early, ADMISSION, films)
    return [replace(row, subset=subset) for row in rows]


def _outcome_group(said: Said, group: str, films: Mapping[str, int]) -> list[MetricRow]:
    plain = {name: score for name, score in said.baselines.items() if name.startswith(_OUTCOME)}
    people = people_of(said.cases, said.severe, plain, films)
    base = MetricRow(
        "model", "case", "roc_auc", POOLED, None, len(people.names), len(set(people.names)),
        group=group, task="prognosis", n_positive=int(people.severe.sum()),
        prevalence=float(people.severe.mean()),
    )  # fmt: skip
    rows = []
    for predictor, score in people.scores.items():
        simple = predictor != "model"
        if simple and (not np.isfinite(score).all() or np.ptp(score) == 0):
            continue
        if simple and np.array_equal(score, people.scores["model"]):
            continue  # no film has an effect of its site
        area = curve_interval("roc_auc", people.severe, score, people.names)
        rows.append(filled(replace(base, predictor=predictor), "roc_auc", area))
        if simple:
            rows += _ahead(base, people, predictor)
        else:
            rows += [
                filled(base, name, decided(name, people.severe, score, people.names))
                for name in DECISIONS
            ]
            rows.append(filled(base, "brier", mean_interval((score - people.severe) ** 2,
                                                            people.names)))  # fmt: skip
            found = calibration_interval(people.severe, score, people.names)
            rows.append(filled(base, "ece", found))
    return rows


def _ahead(base: MetricRow, people: People, other: str) -> list[MetricRow]:
    """How far the model is ahead of another score of the same patients."""
    if people.severe.all() or not people.severe.any():
        return []
    ours, theirs = people.scores["model"], people.scores[other]
    found = paired_difference("roc_auc", people.severe, ours, theirs, people.names)
    interval = Interval(found.value, found.low, found.high)
    row = replace(base, group=f"{base.group}, against:{other}")
    return [filled(row, "roc_auc_difference", interval)]


def temperature_of(said: Said) -> float:
    """The temperature that makes probabilities of left-out films likeliest, patients alike."""
    known = np.array(["prognosis" in case.cells for case in said.cases]) & np.isfinite(said.severe)
    if not known.any():
        return 1.0
    here = said.only(known)
    truth = np.array([case.cells["prognosis"] == SEVERE for case in here.cases])
    counts = Counter(case.patient for case in here.cases)
    weight = np.array([1 / counts[case.patient] for case in here.cases])
    return best_temperature(here.severe, truth, weight)


def calmed_by_other_folds(folds: Sequence[Said]) -> Said:
    """Films of all folds, each calmed as the films of the other folds ask for."""
    found = []
    for n, fold in enumerate(folds):
        others = [other for k, other in enumerate(folds) if k != n]
        found.append(calmed_as(fold, together(others)) if others else fold)
    return together(found)


def calmed_as(said: Said, others: Said) -> Said:
    """Films calmed as those of `others` ask for; a network without effects as its own ask for."""
    by = temperature_of(others)
    own = {FIXED: by} if FIXED in said.baselines else {}
    if NETWORK in said.baselines and NETWORK in others.baselines:
        own[NETWORK] = temperature_of(replace(others, severe=others.baselines[NETWORK]))
    calm = {name: calmed(said.baselines[name], value) for name, value in own.items()}
    return replace(said, severe=calmed(said.severe, by), baselines={**said.baselines, **calm})


def outcome_reliability(said: Said) -> list[dict[str, float]]:
    """What was said of patients and what happened to them; nothing without outcomes."""
    known = np.array(["prognosis" in case.cells for case in said.cases], np.bool_)
    here = said.only(known & np.isfinite(said.severe))
    if not here.cases:
        return []
    people = people_of(here.cases, here.severe)
    return reliability(people.scores["model"], people.severe)


def filled(row: MetricRow, name: str, found: Interval) -> MetricRow:
    """A row with the name and the value of a figure."""
    return replace(row, name=name, value=found.value, low=found.low, high=found.high)


def _sensitivity(hits: Scores) -> Scores:
    return np.asarray(hits[0] / (hits[0] + hits[2]), dtype=np.float64)


def _specificity(hits: Scores) -> Scores:
    return np.asarray(hits[3] / (hits[3] + hits[1]), dtype=np.float64)


def _f1_weighted(hits: Scores) -> Scores:
    """F1 of both classes, weighted by how many patients each has."""
    tp, fp, fn, tn = hits
    one, zero = 2 * tp / (2 * tp + fp + fn), 2 * tn / (2 * tn + fp + fn)
    mixed = ((tp + fn) * one + (tn + fp) * zero) / hits.sum(0)
    return np.asarray(mixed, dtype=np.float64)


def _g_mean_weighted(hits: Scores) -> Scores:
    """Root of sensitivity times specificity, each averaged over both classes by their patients.

    The specificity of one class is the sensitivity of the other.
    """
    share = (hits[0] + hits[2]) / hits.sum(0)
    one, zero = _sensitivity(hits), _specificity(hits)
    found = (share * one + (1 - share) * zero) * (share * zero + (1 - share) * one)
    return np.asarray(np.sqrt(found), dtype=np.float64)


DECISIONS: dict[str, Callable[[Scores], Scores]] = {
    "accuracy": lambda hits: (hits[0] + hits[3]) / hits.sum(0),
    "balanced_accuracy": lambda hits: (_sensitivity(hits) + _specificity(hits)) / 2,
    "f1_weighted": _f1_weighted,
    "g_mean": lambda hits: np.sqrt(_sensitivity(hits) * _specificity(hits)),
    "g_mean_weighted": _g_mean_weighted,
}
"""Figures at a probability of one half, of true and false positives, false and true negatives.

`g_mean` is the root of sensitivity times specificity. `g_mean_weighted` is what MDMT publishes as
G-mean, the weighted form of imbalanced-learn: it averages both over the classes first.
"""


def decided(
    name: str, truth: NDArray[np.bool_], score: Scores, patients: Sequence[str]
) -> Interval:
    """A figure at a probability of one half with its interval over patients."""
    one: Weights = np.ones((1, len(truth)))
    draws = drawn_patients(patients)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(DECISIONS[name](_hits(truth, score, one))[0])
        if draws is None or not np.isfinite(value):
            return Interval(value if np.isfinite(value) else None)
        drawn = DECISIONS[name](_hits(truth, score, draws))
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return Interval(value, float(low), float(high))


def _hits(truth: NDArray[np.bool_], score: Scores, weights: Weights) -> Scores:
    """True positives, false positives, false negatives, true negatives under weights, (4, b)."""
    said = score >= THRESHOLD
    cells = (truth & said, ~truth & said, truth & ~said, ~truth & ~said)
    return np.stack([weights @ cell for cell in cells])
