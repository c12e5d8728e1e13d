"""Orders of labelling, tried on films whose outcome is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from chest_phantom import case_list

from medview.cli import main
from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.domain.training import ChoicePlan, TrainRequest
from medview.learning.choice_trial import DISTANCE, DOUBT, RANDOM, Pool, next_of, trial
from medview.services.recipes import read_recipe

SMALL = read_recipe("cxr", None, ("size=64", "epochs=2", "steps=1", "batch=8", "warmup=0"))


def on_a_circle(*degrees):
    """One film a patient, whose features lie at these angles."""
    angles = np.radians(degrees)
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    names = np.array([f"p{n}" for n in range(len(degrees))])
    given = SimpleNamespace(n=len(degrees))
    return Pool(given, features, np.zeros(len(degrees), bool), names)


def test_the_farthest_from_all_that_is_labelled_comes_next():
    pool = on_a_circle(0, 10, 90, 170, 175)
    hidden = ["p1", "p2", "p3", "p4"]
    rng = np.random.default_rng(0)
    assert next_of(DISTANCE, pool, np.zeros(5), ["p0"], hidden, 2, rng) == ["p4", "p2"]


def test_the_nearest_to_even_comes_next_and_random_order_takes_no_look():
    pool, said = on_a_circle(0, 1, 2, 3), np.array([0.5, 0.9, 0.45, 0.2])
    rng = np.random.default_rng(0)
    assert next_of(DOUBT, pool, said, ["p0"], ["p1", "p2", "p3"], 2, rng) == ["p2", "p3"]
    drawn = {next_of(RANDOM, pool, said, ["p0"], ["p1", "p2", "p3"], 1, rng)[0] for _ in range(40)}
    assert drawn == {"p1", "p2", "p3"}


def asked(folder):
    return TrainRequest((str(folder / "cases.csv"),), "", SMALL, threads=1)


def test_all_orders_start_alike_and_are_measured_on_patients_never_learnt_from(tmp_path):
    case_list(tmp_path, 48)
    body = trial(Silent(), asked(tmp_path), ChoicePlan(start=4, step=4, rounds=2, repeats=2))
    assert body["patients"] == 24  # the others have grades, but no outcome
    first = {row["roc_auc"] for row in body["rows"] if row["labelled"] == 4}
    assert len(first) == 1
    assert {row["labelled"] for row in body["rows"]} == {4, 8}
    assert [one["order"] for one in body["differences"]] == [DOUBT, DISTANCE]
    for one in body["differences"]:
        assert one["low"] <= one["minus_random"] <= one["high"]


def test_too_few_patients_are_refused(tmp_path):
    case_list(tmp_path, 12)
    with pytest.raises(DataError, match="6 patients with an outcome are too few"):
        trial(Silent(), asked(tmp_path), ChoicePlan())


def test_a_model_that_trains_too_long_is_refused(capfd):
    assert main(["cases", "icu", "x", "--trial"]) == 2
    assert "takes too long" in capfd.readouterr().err
