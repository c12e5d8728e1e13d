"""Fits of the classical models: their strength is chosen in inner folds that keep groups whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from medview.learning.plain_models import Linear, Matrix, Trees, Vector

BOOSTING: dict[str, Any] = {
    "learning_rate": 0.05, "max_iter": 200, "max_features": 0.3, "l2_regularization": 1.0,
    "early_stopping": False, "random_state": 0,
}  # fmt: skip
LEAVES = (4, 8)


def fit_logistic(
    x: Matrix,
    y: NDArray[np.bool_],
    groups: Sequence[str],
    strengths: Sequence[float],
    *,
    folds: int = 3,
    weight: Vector | None = None,
) -> Linear:
    """L2 logistic regression; the strength (C) by AUROC in inner folds of groups, ties the least.

    Gaps stand at the median and have a flag.
    """
    ready = _ready(x)
    counts = np.ones(len(y)) if weight is None else weight
    best, inner = strengths[0], _inner_folds(y, groups, folds)
    if inner > 1 and len(strengths) > 1:
        areas = [_inner_auroc(ready(x), y, groups, counts, c, inner) for c in strengths]
        best = strengths[int(np.argmax(np.round(areas, 6)))]
    model = LogisticRegression(C=best, max_iter=3000).fit(ready(x), y, sample_weight=counts)
    return ready.linear(model.coef_[0], float(model.intercept_[0]), binary=True)


def _inner_folds(y: NDArray[np.bool_], groups: Sequence[str], most: int) -> int:
    """Inner folds that can be made: no more than either outcome has groups."""
    named = np.asarray(groups)
    return min(most, *(len(set(named[here].tolist())) for here in (y, ~y)))


def _inner_auroc(
    x: Matrix, y: NDArray[np.bool_], groups: Sequence[str], weight: Vector, c: float, folds: int
) -> float:
    areas = []
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for train, held in split.split(x, y, np.asarray(groups)):
        if len(set(y[held].tolist())) < 2 or len(set(y[train].tolist())) < 2:
            continue
        model = LogisticRegression(C=c, max_iter=3000)
        model.fit(x[train], y[train], sample_weight=weight[train])
        areas.append(roc_auc_score(y[held], x[held] @ model.coef_[0]))
    return float(np.mean(areas)) if areas else 0.0


def fit_ridge(
    x: Matrix,
    y: Vector,
    groups: Sequence[str],
    alphas: Sequence[float],
    *,
    folds: int = 4,
    weight: Vector | None = None,
) -> Linear:
    """Ridge regression; the penalty by absolute error in inner folds of groups."""
    ready = _ready(x)
    rows, counts = ready(x), np.ones(len(y)) if weight is None else weight
    names = {name: n for n, name in enumerate(dict.fromkeys(groups))}
    part = np.array([names[name] % folds for name in groups])
    errors = []
    for alpha in alphas:
        apart = np.empty(len(y))
        for fold in range(folds):
            held = part == fold
            if held.all() or not held.any():
                continue
            model = Ridge(alpha).fit(rows[~held], y[~held], sample_weight=counts[~held])
            apart[held] = np.abs(model.predict(rows[held]) - y[held])
        errors.append(float((counts * apart).sum()))
    model = Ridge(alphas[int(np.argmin(errors))]).fit(rows, y, sample_weight=counts)
    return ready.linear(model.coef_, float(model.intercept_), binary=False)


def fit_boosting(
    x: Matrix, y: NDArray[np.bool_], groups: Sequence[str], *, folds: int = 3
) -> Trees:
    """Boosted trees; their size by AUROC in inner folds of groups. Gaps are understood."""
    areas, inner = [0.0] * len(LEAVES), _inner_folds(y, groups, folds)
    with threadpool_limits(1):
        for n, leaves in enumerate(LEAVES if inner > 1 else ()):
            found = np.full(len(y), np.nan)
            split = StratifiedGroupKFold(inner, shuffle=True, random_state=0)
            for train, held in split.split(x, y, np.asarray(groups)):
                model = HistGradientBoostingClassifier(max_leaf_nodes=leaves, **BOOSTING)
                found[held] = model.fit(x[train], y[train]).decision_function(x[held])
            areas[n] = roc_auc_score(y, found)
        best = LEAVES[int(np.argmax(areas))]
        whole = HistGradientBoostingClassifier(max_leaf_nodes=best, **BOOSTING).fit(x, y)
    return trees_of(whole)


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """Columns without gaps, standardised."""

    imputer: SimpleImputer
    scaler: StandardScaler

    def __call__(self, x: Matrix) -> Matrix:
        return np.asarray(self.scaler.transform(self.imputer.transform(x)), dtype=np.float64)

    def linear(self, weight: Vector, intercept: float, *, binary: bool) -> Linear:
        """A model of raw columns from one of standardised ones."""
        flags = self.imputer.indicator_
        none = np.empty(0, np.int64)
        return Linear(
            np.asarray(self.imputer.statistics_, np.float64),
            none if flags is None else np.asarray(flags.features_, np.int64),
            np.asarray(self.scaler.mean_, np.float64),
            np.asarray(self.scaler.scale_, np.float64),
            np.asarray(weight, np.float64),
            intercept,
            binary,
        )


def _ready(x: Matrix) -> _Ready:
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    imputer.set_params(add_indicator=bool(np.isnan(x).any())).fit(x)
    return _Ready(imputer, StandardScaler().fit(imputer.transform(x)))


def trees_of(model: HistGradientBoostingClassifier) -> Trees:
    """The arrays of a fitted model of two classes (scikit-learn keeps them in private fields)."""
    nodes = [each[0].nodes for each in model._predictors]
    longest = max(len(each) for each in nodes)

    def padded(name: str, kind: type) -> NDArray[Any]:
        table: NDArray[Any] = np.zeros((len(nodes), longest), kind)
        for n, each in enumerate(nodes):
            table[n, : len(each)] = each[name]
        return table

    leaf = np.ones((len(nodes), longest), np.bool_)
    for n, each in enumerate(nodes):
        leaf[n, : len(each)] = each["is_leaf"].astype(bool)
    return Trees(
        padded("feature_idx", np.int64),
        padded("num_threshold", np.float64),
        padded("missing_go_to_left", np.bool_),
        padded("left", np.int64),
        padded("right", np.int64),
        leaf,
        padded("value", np.float64),
        float(np.asarray(model._baseline_prediction).ravel()[0]),
    )
