"""Does the order of labelling matter? Films with a known outcome, their labels hidden at first.

Patients of a third are measured on and never learnt from. From a few others a network is trained;
then more are uncovered, a few at a time, at random, by doubt (nearest to even first: Lewis and
Gale 1994) or by distance (farthest from what is labelled: Sener and Savarese 2018), and it is
trained anew.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.progress import Progress, Silent
from medview.domain.training import ChoicePlan, TrainRequest
from medview.learning.cases import find_subsets
from medview.learning.cxr_fit import fit_method
from medview.learning.cxr_given import Given, make_given, predict
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.cxr_weights import encoder
from medview.learning.film_set import load_films
from medview.learning.metrics import roc_auc

RANDOM, DOUBT, DISTANCE = "random", "doubt", "distance"
ORDERS = (RANDOM, DOUBT, DISTANCE)
HELD = 3
"""One patient of so many is measured on."""
_DRAWS = 2000
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Films with their features (n, F) of length 1, outcomes (n,) and patients (n,)."""

    given: Given
    features: NDArray[np.float64]
    severe: NDArray[np.bool_]
    patients: NDArray[np.str_]

    def films_of(self, patients: Sequence[str]) -> Index:
        """Row numbers of some patients' films."""
        return np.flatnonzero(np.isin(self.patients, list(patients)))


def trial(job: Progress, request: TrainRequest, plan: ChoicePlan) -> dict[str, Any]:
    """Run every order from the same starts, and compare each with random order.

    Returns
    -------
    dict
        ``rows`` (order, labelled patients, mean ROC AUC on patients left out), ``differences``
        (order minus random of the mean over all rounds, with the interval over repeats, which
        share patients), ``patients``, ``repeats`` and ``seconds``.

    Raises
    ------
    DataError
        Unusable data, or too few patients with an outcome.
    """
    began = time.perf_counter()
    if request.threads:
        torch.set_num_threads(request.threads)
    recipe = replace(
        CxrRecipe.of({**request.recipe, "method": "stl-prognosis"}), copies=1, val_share=0.0
    )
    pool = _pool(job, recipe, request)
    people = sorted(set(pool.patients.tolist()))
    if len(people) * (HELD - 1) / HELD < plan.start + plan.step * (plan.rounds - 1):
        raise DataError(
            f"{len(people)} patients with an outcome are too few for such a trial",
            do="Give more films, or fewer rounds.",
        )
    curves: dict[str, list[list[float]]] = {order: [] for order in ORDERS}
    for n in range(plan.repeats):
        job.check()
        job.report(n, plan.repeats, f"repeat {n + 1} / {plan.repeats}")
        for order, curve in _one_repeat(job, recipe, pool, plan, request.seed + n).items():
            curves[order].append(curve)
    table = {order: np.array(found) for order, found in curves.items()}
    return {
        "rows": [
            {"order": order, "labelled": plan.start + k * plan.step, "roc_auc": float(value)}
            for order, values in table.items()
            for k, value in enumerate(values.mean(0))
        ],
        "differences": [_apart(order, table) for order in ORDERS[1:]],
        "patients": len(people),
        "repeats": plan.repeats,
        "seconds": round(time.perf_counter() - began, 1),
    }


def _pool(job: Progress, recipe: CxrRecipe, request: TrainRequest) -> Pool:
    subsets = find_subsets(request.data, "cxr")
    cases = [c for s in subsets for c in s.cases if c.cells.get("prognosis")]
    films = load_films(job, cases, recipe.size, 1, request.seed)
    given = make_given(job, films, encoder(recipe.backbone), -1)
    assert given.pooled is not None
    flat = given.pooled[:, 0].flatten(1).double().numpy()
    length = np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-9)
    severe = np.array([case.cells["prognosis"] == "SEVERE" for case in films.cases], np.bool_)
    return Pool(given, flat / length, severe, np.array(films.patients))


def _one_repeat(
    job: Progress, recipe: CxrRecipe, pool: Pool, plan: ChoicePlan, seed: int
) -> dict[str, list[float]]:
    """ROC AUC after each round, by order; all begin with the same patients."""
    rng = np.random.default_rng((seed, 5))
    outcome = {p: bool(pool.severe[pool.films_of([p])].any()) for p in pool.patients.tolist()}
    names = {sick: sorted(p for p, is_sick in outcome.items() if is_sick == sick)
             for sick in (False, True)}  # fmt: skip
    drawn = {sick: rng.permutation(people).tolist() for sick, people in names.items()}
    held = [p for people in drawn.values() for p in people[: len(people) // HELD]]
    rest = {sick: people[len(people) // HELD :] for sick, people in drawn.items()}
    first = [p for people in rest.values() for p in people[: plan.start // 2]]
    others = [p for people in rest.values() for p in people[plan.start // 2 :]]
    curves: dict[str, list[float]] = {}
    for order in ORDERS:
        labelled, hidden, curve = list(first), list(others), list[float]()
        for _ in range(plan.rounds):
            job.check()
            said = _said(recipe, pool, labelled, seed)
            curve.append(_area(pool, said, held))
            taken = next_of(order, pool, said, labelled, hidden, plan.step, rng)
            labelled += taken
            hidden = [p for p in hidden if p not in taken]
        curves[order] = curve
    return curves


def _said(recipe: CxrRecipe, pool: Pool, labelled: Sequence[str], seed: int) -> NDArray[np.float64]:
    """The probability of every film after training on some patients, (n,)."""
    nobody = np.empty(0, np.intp)
    parts = pool.films_of(labelled), nobody
    fitted = fit_method(Silent(), recipe, pool.given, parts, seed)
    return predict(fitted.model, pool.given, np.arange(pool.given.n))["severe"]


def _area(pool: Pool, said: NDArray[np.float64], held: Sequence[str]) -> float:
    rows = [pool.films_of([patient]) for patient in held]
    truth = np.array([pool.severe[one].any() for one in rows])
    return float(roc_auc(truth, np.array([said[one].mean() for one in rows])))


def next_of(
    order: str,
    pool: Pool,
    said: NDArray[np.float64],
    labelled: Sequence[str],
    hidden: Sequence[str],
    step: int,
    rng: np.random.Generator,
) -> list[str]:
    """The next `step` patients to label; of the hidden ones nothing but films is looked at."""
    if order == RANDOM:
        return [str(p) for p in rng.permutation(list(hidden))[:step]]
    if order == DOUBT:
        even = {p: np.abs(said[pool.films_of([p])] - 0.5).min() for p in hidden}
        return sorted(hidden, key=lambda p: float(even[p]))[:step]
    return _farthest(pool, labelled, hidden, step)


def _farthest(pool: Pool, labelled: Sequence[str], hidden: Sequence[str], step: int) -> list[str]:
    """Patients one after another, each the farthest from all that are labelled by then."""
    near = np.full(len(pool.features), np.inf)

    def take(rows: Index) -> None:
        cosine = pool.features @ pool.features[rows].T
        np.minimum(near, 1 - cosine.max(1), out=near)

    take(pool.films_of(labelled))
    left, taken = list(hidden), list[str]()
    while left and len(taken) < step:
        far = max(left, key=lambda p: float(near[pool.films_of([p])].max()))
        taken.append(far)
        left.remove(far)
        take(pool.films_of([far]))
    return taken


def _apart(order: str, table: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Mean over all rounds after the first, which all orders share, against random order."""
    gain = (table[order][:, 1:] - table[RANDOM][:, 1:]).mean(1)
    rng = np.random.default_rng(0)
    means = gain[rng.integers(len(gain), size=(_DRAWS, len(gain)))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return {"order": order, "minus_random": float(gain.mean()), "low": float(low),
            "high": float(high)}  # fmt: skip
