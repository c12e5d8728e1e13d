"""Training beside a naive script: both take steps, and loading is a part of a step."""

from importlib import import_module

import numpy as np
import torch

from medview.cli.benches import train
from medview.cli.benches.studies import head
from medview.cli.benches.train import measure
from medview.cli.benches.train_work import _Naive
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine
from medview.domain.progress import Silent
from medview.models import anomaly_vae


class Here:
    """Does in this process, with a narrow network, what the child is asked for."""

    def __init__(self, post):
        self.post = post

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def call(self, lane, work, *args, progress):
        module, _, name = work.partition(":")
        return getattr(import_module(module), name)(Silent(), *args)


def test_a_row_says_how_fast_both_are_and_what_loading_costs(monkeypatch):
    monkeypatch.setattr(train, "QUICK_STEPS", 1)
    monkeypatch.setattr(train, "Jobs", Here)
    monkeypatch.setattr(anomaly_vae, "WIDTHS", (8, 8, 16, 16))
    monkeypatch.setattr(train, "window_rows", lambda context, quick: [])
    context = Context(Options(device="cpu", threads=1), ProgressLine(None, on_terminal=False))
    speed, loading = measure(context, True)
    assert (speed.peer, speed.aim, speed.at_least) == ("naive script", 1.0, True)
    assert speed.value > 0
    assert speed.peer_value > 0
    assert 0 < loading.value < 1
    assert loading.aim == 0.1


def test_the_naive_script_learns_from_slices_that_differ():
    torch.manual_seed(0)
    naive = _Naive([head(0)], "cpu")
    one, other = naive._slice(np.random.default_rng(0)), naive._slice(np.random.default_rng(1))
    assert one.shape == (128, 128)
    assert np.abs(one - other).max() > 0.1
    before = naive._model.to_mean.weight.detach().clone()
    naive.step(2, np.random.default_rng(0))
    assert not torch.equal(before, naive._model.to_mean.weight)
