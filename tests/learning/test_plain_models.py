"""Classical models as plain arrays: on disk and back."""

import json

import numpy as np
import pytest
from gappy import gappy_table as table

from medview.domain.errors import WeightsError
from medview.learning.plain_fits import fit_boosting, fit_logistic
from medview.learning.plain_models import BASELINES, load_models, save_models


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
    (tmp_path / BASELINES).write_bytes(b"x" + (tmp_path / BASELINES).read_bytes())
    with pytest.raises(WeightsError, match="classical models"):
        load_models(weights, {"baselines": kept})
    (tmp_path / BASELINES).unlink()
    assert load_models(weights, {"baselines": kept}) == {}
