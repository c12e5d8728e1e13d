"""Classical models of age from the same tables: what a network has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from medview.learning.brain_age_table import AgeTable, Matrix, known_rows
from medview.learning.vectors import Vector

ALPHAS = np.logspace(-1, 5, 25)
_SVR = {
    "svr__C": [1, 3, 10, 30, 100],
    "svr__gamma": [3e-4, 1e-3, 3e-3],
}


def design(values: Mapping[str, Matrix], table: AgeTable) -> Matrix:
    """Structural features, and sex (1 male) where both sexes are known of everybody."""
    first = values.get("smri", next(iter(values.values())))
    male = 1 - table.female
    return np.column_stack([first, male]) if _sexes(table) else first


def _sexes(table: AgeTable) -> bool:
    known = table.female
    return bool(np.isfinite(known).all() and np.ptp(known) > 0)


def fit_mean(x: Matrix, y: Vector) -> Callable[[Matrix], Vector]:
    """The mean age of the training rows, whatever is asked."""
    return lambda rows: np.full(len(rows), float(y.mean()))


def fit_ridge(x: Matrix, y: Vector) -> Callable[[Matrix], Vector]:
    """Ridge regression, its penalty chosen by leave-one-out within the training rows."""
    model = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(_filled(x, x), y)
    return lambda rows: np.asarray(model.predict(_filled(rows, x)), dtype=np.float64)


def fit_svr(x: Matrix, y: Vector) -> Callable[[Matrix], Vector]:
    """Support vectors with a Gaussian kernel, tuned in 5 folds of the training rows."""
    model = GridSearchCV(
        make_pipeline(StandardScaler(), SVR(epsilon=0.5)),
        _SVR,
        scoring="neg_mean_absolute_error",
        cv=KFold(5, shuffle=True, random_state=0),
    ).fit(_filled(x, x), y)
    return lambda rows: np.asarray(model.predict(_filled(rows, x)), dtype=np.float64)


def fit_forest(x: Matrix, y: Vector) -> Callable[[Matrix], Vector]:
    """A random forest of 200 trees, not tuned."""
    model = RandomForestRegressor(
        200, max_features=0.33, min_samples_leaf=2, random_state=0, n_jobs=1
    ).fit(_filled(x, x), y)
    return lambda rows: np.asarray(model.predict(_filled(rows, x)), dtype=np.float64)


BASELINES: dict[str, Callable[[Matrix, Vector], Callable[[Matrix], Vector]]] = {
    "mean": fit_mean,
    "ridge": fit_ridge,
    "svr": fit_svr,
    "random_forest": fit_forest,
}


def _filled(rows: Matrix, training: Matrix) -> Matrix:
    """Unknown values at the mean of the training rows."""
    known = np.isfinite(training)
    count = known.sum(0)
    mean = np.where(known, training, 0).sum(0) / np.maximum(count, 1)
    return np.where(np.isfinite(rows), rows, mean)


def ridge_to_card(values: Mapping[str, Matrix], table: AgeTable) -> dict[str, Any]:
    """A ridge regression on the structural features as plain numbers; {} where there are none."""
    if "smri" not in values:
        return {}
    rows = known_rows(values["smri"])
    some = table.take(rows)
    x = design({"smri": values["smri"][rows]}, some)
    filled = _filled(x, x)
    model = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(filled, some.age)
    scaler, ridge = model[0], model[1]
    weight = ridge.coef_ / scaler.scale_
    intercept = float(ridge.intercept_ - (weight * scaler.mean_).sum())
    width = values["smri"].shape[1]
    return {
        "intercept": intercept,
        "male": float(weight[width]) if len(weight) > width else None,
        "mean": [float(v) for v in filled[:, :width].mean(0)],
        "smri": [float(v) for v in weight[:width]],
    }


def ridge_from_card(kept: Mapping[str, Any], values: Matrix, male: Vector) -> Vector:
    """Ages by the kept regression of prepared features (N, columns); NaN without any feature.

    An unknown sex counts as half of each.
    """
    x = np.where(np.isfinite(values), values, np.asarray(kept["mean"]))
    found = kept["intercept"] + x @ np.asarray(kept["smri"])
    if kept["male"] is not None:
        found = found + kept["male"] * np.where(np.isfinite(male), male, 0.5)
    return np.asarray(np.where(known_rows(values), found, np.nan))
