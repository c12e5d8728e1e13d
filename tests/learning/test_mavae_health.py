"""Health of an M-AVAE: figures by hand, and collapse by its name."""

from dataclasses import replace

import pytest
import torch

from medview.learning.mavae_health import gradient_shares, health, health_words
from medview.models.mavae import TERMS, LossWeights, Mavae, MavaeOptions, Rows

OPTIONS = MavaeOptions(
    smri=6, fmri=5, hidden=(12, 8), code=6, generic=3, age_head=(8,), sex_head=(8,)
)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Mavae(OPTIONS)


def rows(count=20):
    torch.manual_seed(1)
    inputs = {"smri": torch.randn(count, 6), "fmri": torch.randn(count, 5)}
    here = {"smri": torch.ones(count), "fmri": (torch.arange(count) % 2).float()}
    inputs["fmri"] = inputs["fmri"] * here["fmri"][:, None]
    return Rows(inputs, here, torch.randn(count), torch.arange(count).remainder(2).float())


def test_kl_per_dimension_is_the_mean_over_rows_that_have_the_modality(net):
    given = rows()
    found = health(net, given)
    mean, log_variance = net.encoders["fmri"](given.inputs["fmri"][given.present["fmri"] > 0])
    by_hand = -0.5 * (1 + log_variance - mean**2 - log_variance.exp())[:, 3:].mean(0).detach()
    for number, value in enumerate(by_hand):
        assert found[f"kl_fmri_{number:02d}"] == pytest.approx(value.item(), abs=1e-5)
    assert found["kl_fmri"] == pytest.approx(by_hand.mean().item(), abs=1e-5)


def test_a_discriminator_that_knows_everything_has_an_accuracy_of_one(net):
    last = net.discriminator.layers[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, 1.0)  # says "true" to all: half of them are
    assert health(net, rows())["adversary_accuracy"] == pytest.approx(0.5)


def test_codes_that_never_vary_are_named(net):
    for encoder in net.encoders.values():
        torch.nn.init.zeros_(encoder.to_mean.weight)
    found = health(net, rows())
    assert found["active_units"] == 0
    assert found["generic_spread"] == pytest.approx(0)
    texts = " ".join(str(word["text"]) for word in health_words(found, roles=2))
    assert "code collapse" in texts
    assert "mode collapse" in texts


@pytest.mark.parametrize(("linear", "named"), [(0.0, False), (50.0, True)])
def test_an_age_that_passes_by_the_codes_is_named(linear, named):
    torch.manual_seed(0)
    net = Mavae(replace(OPTIONS, skip=True)).eval()
    for skip in net.skips.values():
        torch.nn.init.constant_(skip.weight, linear)
    found = health(net, rows())
    assert (found["linear_share"] > 0.99) is named
    texts = [str(word["text"]) for word in health_words(found, roles=2)]
    assert any("linear path" in text for text in texts) is named
    assert "linear_share" not in health(Mavae(OPTIONS), rows())


def test_an_idle_code_and_a_winning_adversary_are_named():
    words = health_words({"kl_smri": 0.0, "adversary_accuracy": 1.0, "other": 1.0}, roles=1)
    assert [(word["name"], word["ok"]) for word in words] == [
        ("kl_smri", False),
        ("adversary_accuracy", False),
    ]
    assert "KL collapse" in str(words[0]["text"])
    assert all(w["ok"] for w in health_words({"kl_smri": 0.4, "adversary_accuracy": 0.6}, roles=1))


def test_shares_of_the_gradient_add_up_for_each_encoder(net):
    shares = gradient_shares(net, rows(), LossWeights(rec=0.0))
    for role in ("smri", "fmri"):
        own = {name: shares[f"{name}_{role}"] for name in TERMS}
        assert sum(own.values()) == pytest.approx(1)
        assert own["rec"] == 0
        assert own["age"] > 0
