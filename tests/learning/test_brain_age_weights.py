"""The weights that ship: they fit their card, and say of people what the card says."""

from pathlib import Path

import numpy as np
import pytest

from medview.domain.errors import WeightsError
from medview.io.seen import seen_of
from medview.learning.brain_age_sets import load_ixi_roi
from medview.learning.brain_age_table import table_of
from medview.learning.brain_age_weights import load_age_model, load_for_check
from medview.learning.patients import patient_hash
from medview.learning.region_card import with_image_route
from medview.learning.weights import shipped


@pytest.fixture(scope="module")
def ours():
    if not shipped("brain-age").is_file():
        pytest.skip("the weights of the brain-age model are not there")
    return load_age_model(None)


def test_the_shipped_card_names_data_figures_commands_and_reference(ours):
    model, card = ours
    assert card.licence.partition("; from a T1 volume: ")[0] == "CC BY-SA 3.0"
    assert model.settings.columns["smri"][0] == "MUSE_702"
    assert model.settings.ages == pytest.approx((40.0, 86.3), abs=0.2)
    assert len(card.seen_patients) == len(model.settings.reference) == 251
    assert all(figure.command for figure in card.measured)
    found = {(f.predictor, f.name, f.group): f for f in card.measured if f.on == "ixi-roi"}
    mae = found["model", "mae", "all"]
    assert mae.n == 251
    assert mae.low < mae.value < mae.high < found["mean", "mae", "all"].low


def test_the_reference_is_told_by_strangers(ours):
    model, card = ours
    ages, told = np.array(model.settings.reference).T
    # A cohort told by members that had been trained on it would err by far less.
    error = np.abs(told - ages).mean()
    mae = next(
        f.value
        for f in card.measured
        if (f.predictor, f.name, f.group, f.on) == ("model", "mae", "all", "ixi-roi")
    )
    assert error == pytest.approx(mae, abs=0.5)


def test_people_of_the_training_are_told_and_known_as_seen(ours):
    place = Path("../shared/data/brain_age/ixi")
    if not place.is_dir():
        pytest.skip("../shared/data/brain_age is not here")
    model, card = ours
    table = table_of([load_ixi_roi(place)])
    hashes = {patient_hash(patient) for patient in table.patients}
    assert seen_of(card, hashes) == hashes
    assert len(hashes) == len(card.seen_patients)
    answer = model.answer(table.values)
    assert np.abs(answer.age - table.age).mean() < 5
    assert np.mean((table.age >= answer.low) & (table.age <= answer.high)) > 0.94


def test_weights_that_are_not_there_are_told(tmp_path):
    with pytest.raises(WeightsError):
        load_age_model(tmp_path / "none.safetensors")
    with pytest.raises(WeightsError):
        load_for_check(tmp_path / "none.safetensors")


def test_the_card_tells_of_the_t1_route_that_ships(ours):
    _, card = ours
    assert with_image_route(card) == card
    assert any(line.startswith("From a T1 volume") for line in card.limits)
