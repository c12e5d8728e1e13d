"""What of a network keeps still while the rest goes on learning."""

import pytest
import torch
from torch import nn

from medview.learning.adapters import add_adapters
from medview.learning.finetune_method import restrict, set_training


def network():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16))
    head = nn.Sequential(nn.Conv2d(16, 8, 3), nn.BatchNorm2d(8))
    return nn.ModuleDict({"body": body, "head": head})


def running_means_after_a_step(model):
    set_training(model)
    model["head"](model["body"](torch.randn(4, 8, 8, 8) + 3.0))
    return {name: bool(model[name][1].running_mean.any()) for name in ("body", "head")}


@pytest.mark.parametrize(("method", "moves"), [("full", True), ("head", False)])
def test_running_means_of_a_part_move_only_where_it_learns(method, moves):
    model = network()
    restrict(model, method, ("head.",))
    assert running_means_after_a_step(model) == {"body": moves, "head": True}


def test_beside_adapters_running_means_go_on():
    model = network()
    assert add_adapters(model)
    assert running_means_after_a_step(model) == {"body": True, "head": True}
    assert model.training
