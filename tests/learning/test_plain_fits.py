"""Fits of the classical models: the same answers as the library's, tuned inside the groups."""

import numpy as np
import pytest
from gappy import gappy_table as table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medview.learning.plain_fits import fit_logistic, fit_ridge, trees_of


def test_trees_answer_as_the_library_does():
    x, y, _ = table()
    model = HistGradientBoostingClassifier(max_leaf_nodes=8, max_iter=20).fit(x, y)
    fresh, *_ = table(seed=1, gaps=0.4)
    assert trees_of(model)(fresh) == pytest.approx(model.predict_proba(fresh)[:, 1], abs=1e-12)


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_a_logistic_regression_answers_as_the_library_does(gaps):
    x, y, groups = table(gaps=gaps)
    peer = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), StandardScaler(),
        LogisticRegression(C=0.01, max_iter=3000),
    ).fit(x, y)  # fmt: skip
    ours = fit_logistic(x, y, groups, (0.01,))
    fresh, *_ = table(seed=1, gaps=gaps)
    assert ours(fresh) == pytest.approx(peer.predict_proba(fresh)[:, 1], abs=1e-6)


def test_a_strength_is_chosen_by_inner_folds_of_groups():
    x, y, groups = table(gaps=0)
    x[:, 0] = np.where(y, 2, -2)
    weak, chosen = (fit_logistic(x, y, groups, c) for c in ((1e-6,), (1e-6, 1.0)))
    assert np.abs(chosen.weight).max() >= np.abs(weak.weight).max()


def test_one_positive_group_is_fitted_without_inner_folds():
    x, _, groups = table(30, gaps=0)
    y = np.arange(30) == 3
    model = fit_logistic(x, y, groups, (0.01, 1.0))
    assert model(x)[3] > np.median(model(x))


def test_a_ridge_finds_the_slope_and_its_penalty():
    x, _, groups = table(gaps=0)
    y = 3 * x[:, 1] + 7
    model = fit_ridge(x, y, groups, (1e-3, 1e4))
    assert model(x) == pytest.approx(y, abs=0.05)


def test_weights_count_rows():
    x, y, groups = table(gaps=0)
    weight = np.where(np.arange(len(y)) < 120, 1.0, 1e-9)
    few = fit_logistic(x[:120], y[:120], groups[:120], (0.1,))
    many = fit_logistic(x, y, groups, (0.1,), weight=weight)
    # Columns are standardised over all rows; the order of the answers is what weights decide.
    assert np.corrcoef(few(x), many(x))[0, 1] > 0.98
