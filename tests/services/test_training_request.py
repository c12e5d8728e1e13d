"""What is asked of a training, and what it was when it goes on."""

from pathlib import Path

import pytest
from services.stubs import CARD

from medview.services.settings import Settings
from medview.services.training_request import (
    CALIBRATE,
    CALIBRATE_SITES,
    FINETUNE,
    LEAVE_SITES,
    as_begun,
    as_wish,
    epochs_wished,
    errand_of,
    request_of,
)
from medview.services.tuned import Tuned, Wish
from medview.services.versions import Version

VERSION = Version(CARD, Path("/w/weights.safetensors"), own=False)
FOUND = {"cases": 9, "sites": 3}


def now(**wish):
    made = Wish(f"{CARD.id}@{CARD.version}", **wish)
    return Tuned("ready", Path("/data/cases.csv"), FOUND, wish=made, reference=Path("/data/l.csv"))


def asked(state, **more):
    return request_of(state, VERSION, Settings(threads=2, device="cpu"), Path("/out"), **more)


def test_what_was_chosen_stands_in_the_request():
    request = asked(now(epochs=7, folds=5, rate=0.002, seed=3), resume=True, max_minutes=1.5)
    train = request.train
    assert (train.recipe["epochs"], train.recipe["folds"], train.seed) == (7, 5, 3)
    assert 0.002 in train.recipe.values()
    assert (train.data, train.out, train.init) == (
        ("/data/cases.csv",), "/out", "/w/weights.safetensors",
    )  # fmt: skip
    assert (train.threads, train.device, train.resume, train.max_minutes) == (2, "cpu", True, 1.5)
    assert request.reference == ("/data/l.csv",)


def test_a_calibration_has_no_recipe_and_one_round():
    state = now(method="calibrate", epochs=7)
    assert asked(state).train.recipe == {}
    assert (epochs_wished(state), state.trainings) == (1, 1)


@pytest.mark.parametrize(
    ("wish", "minutes", "work", "title"),
    [
        ({}, None, FINETUNE, "Fine-tune"),
        ({"sites": True}, None, LEAVE_SITES, "Fine-tune"),
        ({"sites": True}, 0.1, FINETUNE, "Fine-tune"),
        ({"method": "calibrate"}, None, CALIBRATE, "Calibrate"),
        ({"method": "calibrate", "sites": True}, None, CALIBRATE_SITES, "Calibrate"),
    ],
)
def test_sites_are_left_out_only_where_there_is_time_for_it(wish, minutes, work, title):
    state = now(**wish)
    errand = errand_of(state, asked(state, max_minutes=minutes))
    assert (errand.work, errand.lane, errand.about) == (work, "train", "cases.csv")
    assert errand.title == f"{title} {CARD.id} {CARD.version}"
    assert len(errand.args) == (1 if state.is_fit else 2)


def test_a_training_goes_on_as_what_was_begun():
    state = now(method="head", epochs=4, sites=True)
    begun = as_begun(as_wish(state))
    assert Tuned("ready", **begun) == state
    assert as_begun({}) == {}
