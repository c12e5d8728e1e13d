"""Training beside a naive script: both take steps, and loading is a part of a step."""

import numpy as np
import torch

from medview.cli.benches import train
from medview.cli.benches.studies import head
from medview.cli.benches.train import measure
from medview.cli.benches.train_work import _Naive
from medview.cli.contract import Context, Options
from medview.cli.progress import ProgressLine


def test_rows_are_measured_by_the_child(monkeypatch):
    monkeypatch.setattr(train, "QUICK_STEPS", 1)
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
