"""Classical models of age."""

import numpy as np
import pytest
from age_weights import made_up_table

from medview.learning.brain_age_model import divided
from medview.learning.table_baselines import BASELINES, design, ridge_from_card, ridge_to_card


def made_up(count=60):
    rng = np.random.default_rng(0)
    y = rng.uniform(20, 80, count)
    x = rng.normal(0, 1, (count, 4))
    x[:, 1] += y / 10
    return x, y


@pytest.mark.parametrize("name", ["ridge", "svr", "random_forest"])
def test_each_model_beats_the_mean_on_new_rows(name):
    x, y = made_up()
    told = BASELINES[name](x[:40], y[:40])(x[40:])
    mean = BASELINES["mean"](x[:40], y[:40])(x[40:])
    assert mean == pytest.approx(y[:40].mean())
    assert np.abs(told - y[40:]).mean() < 0.7 * np.abs(mean - y[40:]).mean()


def test_unknown_values_are_at_the_mean_of_the_training():
    x, y = made_up()
    fitted = BASELINES["ridge"](x, y)
    asked = x[:1].copy()
    asked[0, 1] = np.nan
    filled = asked.copy()
    filled[0, 1] = x[:, 1].mean()
    assert fitted(asked) == pytest.approx(fitted(filled))


def test_the_regression_of_the_card_is_that_of_the_folds(tmp_path):
    table = made_up_table(tmp_path)
    values = {"smri": divided(table.values["smri"], table.columns["smri"], "MUSE_702")}
    kept = ridge_to_card(values, table)
    direct = BASELINES["ridge"](design(values, table), table.age)(design(values, table))
    told = ridge_from_card(kept, values["smri"], 1 - table.female)
    assert told == pytest.approx(direct, abs=1e-6)
    unknown = ridge_from_card(kept, values["smri"], np.full(len(table), np.nan))
    assert unknown == pytest.approx(told + kept["male"] * (table.female - 0.5), abs=1e-6)
    assert ridge_to_card({"fmri": values["smri"]}, table) == {}
    nothing = np.full_like(values["smri"], np.nan)
    assert np.isnan(ridge_from_card(kept, nothing, table.female)).all()
