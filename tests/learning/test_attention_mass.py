"""Where the attention lies: mass by hand, a rim, and a lift of 1 where nothing is preferred."""

import numpy as np
import pytest
import torch

from medview.learning.attention_mass import attention_mass, band, lift
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

pytestmark = pytest.mark.usefixtures("narrow")


@pytest.fixture
def head():
    brain = np.zeros((3, 128, 128), bool)
    brain[:, 20:110, 30:100] = True
    rng = np.random.default_rng(0)
    return rng.random((3, 128, 128)).astype(np.float32) * brain, brain


def vae(**options):
    torch.manual_seed(0)
    return AnomalyVae(VaeOptions(**options)).eval()


def test_the_mass_is_what_positions_in_the_brain_give_each_key(head):
    slices, brain = head
    model = vae(heads=4)
    found = attention_mass(model, slices, brain)
    assert found.shape == (3, 32, 32)
    assert found.sum((1, 2)) == pytest.approx([1, 1, 1], abs=1e-5)
    with torch.no_grad():
        hidden = model.encoder[:2](torch.from_numpy(slices)[:, None])
        weights = model.encoder[2].weights(hidden)[1].mean(0)  # (queries, keys) of one slice
    asking = brain[1].reshape(32, 4, 32, 4).mean((1, 3)).ravel()
    wanted = asking @ weights.numpy() / asking.sum()
    assert found[1].ravel() == pytest.approx(wanted, abs=1e-6)


def test_a_rim_lies_on_both_sides_of_the_edge_of_a_lesion():
    lesion = np.zeros((2, 128, 128), bool)
    lesion[0, 40:60, 40:60] = True
    rim = band(lesion)
    assert rim[0, 50, [37, 42, 57, 62]].all()
    assert not rim[0, 50, [36, 43, 50, 63]].any()
    assert not rim[1].any()


def test_a_lift_is_one_for_even_mass_and_grows_where_it_gathers(head):
    _, brain = head
    part = np.zeros_like(brain)
    part[:2, 40:60, 40:60] = True
    even = np.full((3, 32, 32), 1 / 1024, np.float32)
    assert lift(even, part, brain)[:2] == pytest.approx([1, 1])
    assert np.isnan(lift(even, part, brain)[2])
    even[0, 10:15, 10:15] *= 3
    assert 2 < lift(even, part, brain)[0] <= 3


def test_a_network_without_attention_has_none_to_show(head):
    with pytest.raises(ValueError, match="no attention"):
        attention_mass(vae(attention=False), *head)
