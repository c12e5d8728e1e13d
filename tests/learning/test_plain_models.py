"""Classical models as plain arrays: the same answers as the library's, on disk and back."""

import json

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medview.domain.errors import WeightsError
from medview.learning.plain_models import (
    FILE,
    fit_boosting,
    fit_logistic,
    fit_ridge,
    load_models,
    save_models,
    trees_of,
)


def table(n=240, seed=0, gaps=0.2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    y = x[:, 0] + x[:, 1] * x[:, 2] + rng.normal(0, 0.5, n) > 0
    x[rng.random(x.shape) < gaps] = np.nan
    return x, y, [str(k) for k in range(n)]


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


def test_models_come_back_from_the_disk_as_they_were(tmp_path):
    x, y, groups = table()
    models = {
        "mortality/logistic": fit_logistic(x, y, groups, (0.01,)),
        "mortality/boosting": fit_boosting(x, y, groups),
    }
    kept = json.loads(json.dumps(save_models(models, tmp_path)))
    found = load_models(tmp_path / "weights.safetensors", {"baselines": kept})
    assert found.keys() == models.keys() == set(kept["names"])
    for name, model in models.items():
        assert np.array_equal(found[name](x), model(x))


def test_another_file_is_refused_and_a_missing_one_is_none(tmp_path):
    x, y, groups = table()
    kept = save_models({"a": fit_logistic(x, y, groups, (0.01,))}, tmp_path)
    weights = tmp_path / "weights.safetensors"
    assert load_models(weights, {}) == {}
    (tmp_path / FILE).write_bytes(b"x" + (tmp_path / FILE).read_bytes())
    with pytest.raises(WeightsError, match="classical models"):
        load_models(weights, {"baselines": kept})
    (tmp_path / FILE).unlink()
    assert load_models(weights, {"baselines": kept}) == {}
