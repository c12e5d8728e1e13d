"""Cross-validated figures come as a card's fields, each brain scored by its own fold."""

import pytest
import torch
from brains import normal_case

from medview.domain.card import Figure
from medview.domain.progress import Silent
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.measure import measure_folds, try_folds
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

pytestmark = pytest.mark.usefixtures("narrow")


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brains")
    cases = [normal_case(folder, seed, "a" if seed < 2 else "b") for seed in range(4)]
    made = []
    for number in range(2):
        torch.manual_seed(number)
        engine = Engine(AnomalyVae(VaeOptions(attention=False)).eval())
        made.append((engine, AnomalySettings(samples=1), cases[number::2]))
    return made


def test_the_rows_fit_a_card_and_the_whole_comes_with_every_score(folds):
    always = folds[0][2][:1]
    rows = measure_folds(Silent(), folds, always=always, draws=1)
    figures = [Figure(command="train", **row) for row in rows]
    whole = {f.predictor for f in figures if f.on == "a+b"}
    assert {"model", "pca", "zscore", "brain_area", "slice_height", "intensity"} <= whole
    assert {f.predictor for f in figures if f.on == "a"} == {"model"}
    told = {f.extra["truth"] for f in figures}
    assert told == {"synthetic lesions", "solid synthetic lesions", "normal brains"}
    assert all(f.on == "a+b" for f in figures if f.extra["truth"] != "synthetic lesions")


def test_each_brain_is_scored_by_the_fold_that_left_it_out(folds):
    trials = try_folds(Silent(), folds, draws=1)
    swapped = [(folds[1 - n][0], settings, left) for n, (_, settings, left) in enumerate(folds)]
    others = try_folds(Silent(), swapped, draws=1)
    ours = [t.scores["model"] for t in trials.slices]
    theirs = [t.scores["model"] for t in others.slices]
    assert all(a != b for a, b in zip(ours, theirs, strict=True))
    assert {t.case.case for t in trials.slices} == {"c0", "c1", "c2", "c3"}
