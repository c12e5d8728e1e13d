"""From features to ages: steps by hand, and the model that comes back from its file."""

import json

import numpy as np
import pytest
from age_weights import QUICK, write_age_weights

from medview.domain.errors import WeightsError
from medview.domain.progress import Silent
from medview.io.cards import read_card
from medview.learning.brain_age_model import (
    AgeSettings,
    divided,
    fit_scaling,
)
from medview.learning.brain_age_weights import load_age_model, load_for_check
from medview.learning.check_weights import check


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_age_weights(tmp_path_factory.mktemp("age"))


def test_features_are_divided_by_the_volume_of_the_head_which_stays():
    found = divided(np.array([[2.0, 4.0, 6.0], [0.0, 1.0, 1.0]]), ("icv", "a", "b"), "icv")
    assert found[0].tolist() == [2, 2, 3]
    assert np.isnan(found[1, 1:]).all()
    same = np.array([[2.0, 4.0]])
    assert divided(same, ("a", "b"), "icv") is same


def test_scaling_is_that_of_the_training_rows_and_clips():
    values = np.array([[0.0, 5.0], [2.0, 5.0], [np.nan, 5.0]])
    scaling = fit_scaling(values, np.array([1.0, 2.0, 3.0]), 0, 0)
    assert scaling.mean.tolist() == [1, 5]
    assert scaling.scale.tolist() == [1, 1]
    asked = scaling.standardised(np.array([[100.0, 5.0], [np.nan, 4.0]]))
    assert asked.tolist() == [[5, 0], [0, -1]]


def test_the_forest_keeps_the_features_that_tell_age():
    rng = np.random.default_rng(0)
    ages = rng.uniform(20, 80, 60)
    values = rng.normal(0, 1, (60, 12))
    values[:, 7] += ages
    values[:, 2] -= ages
    assert {2, 7} <= set(fit_scaling(values, ages, 3, 0).keep.tolist())
    assert fit_scaling(values, ages, 12, 0).keep.size == 12


def test_the_correction_takes_the_line_out_of_the_gap():
    settings = AgeSettings({}, bias=(10.0, -0.2))
    age = np.array([20.0, 50.0, 80.0])
    gap = 10 - 0.2 * age + np.array([0, 3, 0])
    assert settings.corrected(gap, age) == pytest.approx([0, 3, 0])


def test_the_logarithm_of_an_age_comes_back():
    settings = AgeSettings({}, target="log")
    years = np.array([0.5, 30, 86])
    assert settings.to_years(settings.from_years(years)) == pytest.approx(years)


def test_a_model_comes_back_from_its_file_and_says_the_same(trained):
    weights, fitted, table = trained
    model, card = load_age_model(weights)
    ours, theirs = model.answer(table.values), fitted.model.answer(table.values)
    assert ours.age == pytest.approx(theirs.age, abs=1e-3)
    assert ours.high == pytest.approx(theirs.high, abs=1e-3)
    assert ours.female == pytest.approx(theirs.female, abs=1e-4)
    assert model.settings.columns == fitted.model.settings.columns
    assert model.settings.reference == fitted.model.settings.reference
    assert card.id == "brain-age"
    assert check(Silent(), "brain-age", str(weights))["ok"]
    network, _ = load_for_check(weights)
    assert len(network.members) == QUICK.members


def test_an_answer_lies_in_the_middle_of_its_interval_and_does_not_depend_on_its_neighbours(
    trained,
):
    model, table = trained[1].model, trained[2]
    whole = model.answer(table.values)
    alone = model.answer({"smri": table.values["smri"][5:6]})
    assert alone.age[0] == pytest.approx(whole.age[5], abs=1e-4)
    assert (whole.high - whole.age) == pytest.approx(whole.age - whole.low)
    assert (whole.spread >= 0).all()


def test_a_card_of_another_model_or_without_settings_is_refused(trained, tmp_path):
    weights = trained[0]
    for name, change in (("other", {"id": "anomaly"}), ("bare", {"settings": {}})):
        folder = tmp_path / name
        folder.mkdir()
        (folder / weights.name).write_bytes(weights.read_bytes())
        card = json.loads(weights.with_name("card.json").read_text()) | change
        (folder / "card.json").write_text(json.dumps(card))
        assert read_card(folder / "card.json").id
        with pytest.raises(WeightsError) as caught:
            load_age_model(folder / weights.name)
        assert caught.value.code == {"other": "MV-WGT-006", "bare": "MV-WGT-007"}[name]
