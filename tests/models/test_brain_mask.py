"""The network that finds the brain: shapes, range and the shipped weights."""

import pytest
import torch
from safetensors.torch import load_file

from medview.domain.resources import resource
from medview.models.brain_mask import SIDE, BrainMask


@pytest.fixture(scope="module")
def network():
    made = BrainMask().eval()
    weights = load_file(resource("weights", "brain-mask", "weights.safetensors"))
    made.load_state_dict({name: value.float() for name, value in weights.items()})
    return made


@pytest.mark.parametrize("side", [64, 96])
def test_probabilities_come_in_the_shape_of_the_input(side):
    with torch.inference_mode():
        found = BrainMask()(torch.rand(1, 1, side, side, side))
    assert found.shape == (1, 1, side, side, side)
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_shipped_weights_fill_the_whole_network(network):
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
    assert sum(value.numel() for value in network.parameters()) == 2_126_258


def test_a_bright_ball_in_a_dark_ring_is_taken_for_the_brain(network):
    places = torch.linspace(-1, 1, SIDE)
    radius = torch.stack(torch.meshgrid(places, places, places, indexing="ij")).norm(dim=0)
    head = torch.where(radius < 0.55, 0.7, torch.where((radius > 0.62) & (radius < 0.75), 0.4, 0.0))
    with torch.inference_mode():
        found = network(head[None, None])[0, 0] > 0.5
    ball = radius < 0.55
    assert 2 * (found & ball).sum() / (found.sum() + ball.sum()) > 0.8
    assert not found[0].any()
