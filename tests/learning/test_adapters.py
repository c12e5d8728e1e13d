"""Adapters begin as nothing, learn alone, and end as plain weights."""

from dataclasses import replace

import pytest
import torch
from learning.test_anomaly_trainer import TINY, brain
from torch import nn

from medview.learning.adapters import RANK, add_adapters, plain_state
from medview.learning.anomaly_trainer import Trainer, first_model
from medview.learning.checkpoint import snapshot
from medview.models.anomaly_vae import VaeOptions


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16), nn.ConvTranspose2d(16, 8, 3), nn.Flatten(),
        nn.Linear(8 * 36, 12), nn.Linear(12, 2),
    )  # fmt: skip


def test_they_begin_as_the_old_network_and_learn_alone():
    plain, adapted = network(), network()
    learnt = add_adapters(adapted)
    x = torch.randn(3, 8, 6, 6)
    plain.eval(), adapted.eval()
    assert torch.equal(plain(x), adapted(x))
    learning = [p for p in adapted.parameters() if p.requires_grad]
    assert sum(p.numel() for p in learning) == learnt < sum(p.numel() for p in plain.parameters())
    adapted(x).square().sum().backward()
    assert all(p.grad is not None for p in learning)
    # Two rows are too few for a rank of four.
    assert isinstance(adapted[5].weight, nn.Parameter)


def test_what_was_learnt_becomes_plain_weights_of_low_rank():
    plain, adapted = network(), network()
    add_adapters(adapted)
    optimiser = torch.optim.SGD([p for p in adapted.parameters() if p.requires_grad], 0.1)
    x = torch.randn(3, 8, 6, 6)
    for _ in range(3):
        optimiser.zero_grad()
        adapted(x).square().sum().backward()
        optimiser.step()
    state = plain_state(adapted)
    assert state.keys() == plain.state_dict().keys()
    again = network()
    again.load_state_dict(state)
    assert torch.allclose(again.eval()(x), adapted.eval()(x), atol=1e-5)
    apart = (state["0.weight"] - plain.state_dict()["0.weight"]).flatten(1)
    assert 0 < torch.linalg.matrix_rank(apart, atol=1e-6) <= RANK
    assert torch.equal(state["4.bias"], plain.state_dict()["4.bias"])


@pytest.mark.usefixtures("narrow")
def test_the_anomaly_model_trains_by_them_and_goes_on_after_a_stop(tmp_path):
    recipe = replace(TINY, epochs=2, steps=1, network=VaeOptions(attention=False))

    def begun(folder=None):
        run = Trainer(recipe, (brain(0, "a"),), (brain(9, "v"),), 0, folder=folder)
        run.restrict("adapter", ())
        return run

    whole = begun()
    curve = [report.figures for report in whole.fit()]
    broken = begun(tmp_path)
    next(broken.fit())
    again = begun(tmp_path)
    again.resume(tmp_path)
    # As text: without attention its entropy is no number, which equals nothing.
    assert str([report.figures for report in again.fit()]) == str(curve[1:])
    made = first_model(recipe.network)
    made.load_state_dict(snapshot(whole.model))
    torch.manual_seed(0)
    start = first_model(recipe.network).state_dict()
    moved = {name for name, value in snapshot(whole.model).items()
             if value.is_floating_point() and not torch.equal(value, start[name])}  # fmt: skip
    assert any(name.endswith("weight") for name in moved)
    assert not any(name.endswith("bias") for name in moved)
