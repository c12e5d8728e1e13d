"""Blocks against the plain loop: the same answer, and rows that say what was measured."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from medview.cli.benches import infer, infer_work
from medview.cli.benches.infer import Asked, measure
from medview.cli.benches.infer_single import drawn_stay
from medview.cli.benches.infer_work import brains, furthest, plain_loop
from medview.cli.benches.studies import film
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine
from medview.domain.progress import Silent
from medview.learning.anomaly_engine import Engine, noise_for, run_slices
from medview.learning.anomaly_scores import Drawn
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.devices import multiplies_bfloat16
from medview.learning.film import prepare_film
from medview.learning.icu_grid import discretise
from medview.learning.icu_variables import shipped_map
from medview.learning.images import read_image
from medview.models.anomaly_vae import AnomalyVae


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return AnomalyVae().eval()


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_plain_loop_is_the_same_model(model, mirrored, balanced):
    slices, brain = brains(3, 0)
    noise = noise_for(3, 3, 0)
    engine = replace(Engine.fast(model), mirrored=mirrored, balanced=balanced)
    ours = Drawn(slices, brain, *run_slices(engine, slices, noise, Silent()))
    loop = Drawn(slices, brain, *plain_loop(model, engine, slices, noise))
    assert furthest(ours, loop, AnomalySettings()) < 1e-4
    other = Drawn(slices, brain, *plain_loop(model, engine, slices, noise_for(3, 2, 1)))
    assert furthest(ours, other, AnomalySettings()) > 1e-3


def test_the_made_up_brains_are_what_a_model_takes():
    slices, brain = brains(20, 0)
    assert slices.shape == brain.shape == (20, 128, 128)
    assert 0 <= slices.min() < slices.max() <= 1
    assert not slices[~brain].any()
    assert brain.any(axis=(1, 2)).all()
    assert np.array_equal(slices, brains(20, 0)[0])


def test_lungs_are_found_in_the_drawn_film_and_the_stays_fill_their_bins(tmp_path):
    assert prepare_film(read_image(film(tmp_path)[0])).found
    variables = shipped_map("physionet2012")
    grid = discretise(drawn_stay(len(variables.variables), 0), variables, 48.0)
    assert len(grid) == 48
    assert 200 < grid.observed.sum() <= 440


def test_every_row_is_measured_by_the_child(monkeypatch):
    monkeypatch.setattr(infer, "QUICK_SLICES", 2)
    monkeypatch.setattr(infer, "QUICK_STAYS", 2)
    for others in ("model_rows", "arrival_rows"):
        monkeypatch.setattr(infer, others, lambda context, quick: [])
    context = Context(Options(device="cpu", threads=1), ProgressLine(None, on_terminal=False))
    rows = {row.what: row for row in measure(context, True)}
    what, apart = "anomaly, 2 slices, K=5, cpu", "furthest from the plain loop"
    assert (rows[what].peer, rows[what].aim) == ("plain loop", 0.67)
    loop = rows[f"{apart}, share of each map's top"]
    assert loop.value < loop.aim == 1e-4
    low = rows.get("bfloat16: furthest from float32, share of each map's top")
    assert (low is not None) is multiplies_bfloat16("cpu")
    assert low is None or low.value > loop.value
    assert (f"{what}, bfloat16" in rows) is multiplies_bfloat16("cpu")
    assert rows["one chest film, 1024 x 1024, after loading"].aim == 1.0
    assert rows["2 stays of 48 hours in bins"].aim == 60.0
    assert all(row.value >= 0 for row in rows.values())
    assert rows["peak memory of that process, in blocks"].value > 100


@pytest.mark.parametrize("has", [True, False])
def test_bfloat16_is_timed_only_where_something_is_computed_in_it(monkeypatch, model, has):
    monkeypatch.setattr(infer_work, "multiplies_bfloat16", lambda device: has)
    monkeypatch.setattr(
        infer_work, "load_anomaly", lambda given, device: (model, None, AnomalySettings())
    )
    found = infer_work.compare(Silent(), Asked(1, 1, "cpu"))
    assert (found.low is not None) is has
    assert found.low is None or found.low.apart > found.apart
