from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medview.models.armed import (
    Armed,
    ArmedOptions,
    ClusterPredictor,
    Form,
    LossWeights,
    RandomEffects,
    data_loss,
    kl_to_prior,
    main_loss,
    perceptron,
    z_of,
)
from medview.models.mavae import Mavae, MavaeOptions, Rows


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        yield


class Foreign(nn.Module):
    """A network of somebody else: two inputs, a dictionary for an answer, no word of clusters."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU())
        self.table = nn.Sequential(nn.Linear(4, 5), nn.Tanh())
        self.out = nn.Linear(3 * 4 * 4 + 5, 1)

    def forward(self, picture: Tensor, table: Tensor) -> dict[str, Tensor]:
        both = torch.cat([self.picture(picture).flatten(1), self.table(table)], 1)
        return {"risk": self.out(both), "other": table}


def _foreign_inputs(n: int = 6) -> tuple[Tensor, Tensor]:
    return torch.randn(n, 1, 6, 6), torch.randn(n, 4)


def _wrapped_foreign(**options: Any) -> Armed:
    plan = ArmedOptions(3, ("picture.1", "table"), slopes_of="table", **options)
    return Armed(Foreign(), plan, _foreign_inputs(1), read=lambda said: said["risk"].squeeze(1))


def _spirals(form: Form = "hidden", clusters: int = 10, **options: Any) -> Armed:
    layer = "" if form == "linear" else "5"
    plan = ArmedOptions(clusters, ("1", "3", "5"), form, layer, **options)
    return Armed(perceptron((2, 4, 4, 4, 1)), plan, (torch.zeros(1, 2),))


def _count(parameters: Iterator[nn.Parameter]) -> int:
    return sum(each.numel() for each in parameters)


def test_golden_numbers_of_parameters() -> None:
    model = _spirals()
    effects = [*model.slopes.parameters(), *model.intercept.parameters()]
    counts = (_count(model.base.parameters()), _count(model.adversary.parameters()))
    assert (*counts, _count(iter(effects))) == (57, 122, 100)


@pytest.mark.parametrize("form", ["linear", "hidden", "scale"])
def test_without_a_cluster_the_mixed_answer_is_the_fixed_one(form: Form) -> None:
    model = _spirals(form)
    x = torch.randn(8, 2)
    said = model((x,), torch.zeros(8, 10))
    torch.testing.assert_close(said.mixed, said.fixed)
    own = model((x,), F.one_hot(torch.arange(8), 10).float())
    assert not torch.allclose(own.mixed, own.fixed, atol=1e-3)


def test_forms_are_the_formulas_of_the_paper() -> None:
    x, z = torch.randn(7, 2), F.one_hot(torch.arange(7), 10).float()
    for form in ("linear", "hidden", "scale"):
        model = _spirals(form)
        hidden = model.base[:6](x)
        u, b = z @ model.slopes.mu, (z @ model.intercept.mu)[:, 0]
        fixed = model.base(x)[:, 0]
        by_hand = {
            "linear": fixed + (u * x).sum(1) if form == "linear" else None,
            "hidden": fixed + (u * hidden).sum(1) if form != "linear" else None,
            "scale": model.base[6](hidden * (1 + u))[:, 0] if form == "scale" else None,
        }[form]
        assert by_hand is not None
        torch.testing.assert_close(model((x,), z).mixed, by_hand + b)


def test_link_of_the_authors_program_adds_the_probability() -> None:
    x, z = torch.randn(7, 2), torch.zeros(7, 10)
    said = _spirals(link="prob")((x,), z)
    torch.testing.assert_close(said.mixed, torch.sigmoid(said.fixed))


def test_a_gaussian_head_has_no_link() -> None:
    model = _spirals(head="gaussian", link="prob")
    said = model((torch.randn(7, 2),), torch.zeros(7, 10))
    torch.testing.assert_close(said.mixed, said.fixed)


def test_any_network_is_wrapped_from_outside() -> None:
    model, inputs = _wrapped_foreign(), _foreign_inputs()
    before = model.base(*inputs)["risk"][:, 0]
    said = model(inputs, F.one_hot(torch.arange(6) % 3, 3).float())
    torch.testing.assert_close(said.fixed, before)
    assert said.seen.shape == (6, 3 * 4 * 4 + 5)
    assert not any(layer._forward_hooks for layer in model.base.modules())


def test_the_autoencoder_of_brain_age_is_wrapped_as_it_is() -> None:
    small = MavaeOptions(6, 4, (12, 10), 8, 4, age_head=(7, 5), sex_head=(6, 5))
    net = Mavae(small).eval()

    def rows(n: int) -> Rows:
        inputs = {"smri": torch.randn(n, 6), "fmri": torch.randn(n, 4)}
        return Rows(inputs, {role: torch.ones(n) for role in inputs}, torch.ones(n), torch.ones(n))

    watched = ("encoders.smri.trunk", "encoders.fmri.trunk", "age_head.3")
    plan = ArmedOptions(3, watched, "hidden", "age_head.3", "gaussian")
    model = Armed(net, plan, (rows(2),), read=lambda said: said.age)
    given = rows(6)
    said = model((given,), F.one_hot(torch.arange(6) % 3, 3).float())
    torch.testing.assert_close(said.fixed, net(given).age)
    assert said.seen.shape == (6, 8 + 8 + 5)
    guess = model.adversary(said.seen)
    truth, c = torch.randn(6), torch.arange(6) % 3
    torch.autograd.backward(main_loss("gaussian", said, guess, truth, c, LossWeights()))
    first = net.encoders["smri"].trunk[0]
    assert isinstance(first, nn.Linear)
    assert first.weight.grad is not None
    assert float(first.weight.grad.abs().sum()) > 0


def test_scaling_reaches_channels_of_a_picture() -> None:
    plan = ArmedOptions(3, ("table",), "scale", "picture.1")
    model = Armed(Foreign(), plan, _foreign_inputs(1), read=lambda said: said["risk"].squeeze(1))
    inputs = _foreign_inputs()
    with torch.no_grad():
        model.slopes.mu.fill_(-1.0)  # 1 + u = 0: the picture is put out
        model.intercept.mu.zero_()
    z = F.one_hot(torch.arange(6) % 3, 3).float()
    other = (inputs[0] + 1, inputs[1])
    torch.testing.assert_close(model(inputs, z).mixed, model(other, z).mixed)
    assert not torch.allclose(model(inputs, z).fixed, model(other, z).fixed)


def test_hooks_go_when_the_network_fails() -> None:
    model = _wrapped_foreign()
    with pytest.raises(RuntimeError):
        model((torch.randn(2, 1, 6, 6), torch.randn(2, 9)), torch.zeros(2, 3))
    assert not any(layer._forward_hooks for layer in model.base.modules())


def test_forms_that_need_a_layer_ask_for_it() -> None:
    with pytest.raises(ValueError, match="needs the name of a layer"):
        Armed(Foreign(), ArmedOptions(3, ("table",)), _foreign_inputs(1))


def test_divergence_agrees_with_sampling() -> None:
    layer = RandomEffects(4, 3, prior=0.3, start=0.3)
    mu, sd = layer.mu.detach().double(), layer.sd.detach().double()
    w = mu + sd * torch.randn(100_000, 4, 3, dtype=torch.float64)
    posterior = torch.distributions.Normal(mu, sd).log_prob(w)
    prior = torch.distributions.Normal(0.0, 0.3).log_prob(w)
    each = (posterior - prior).sum((1, 2))
    error = float(each.std() / len(each) ** 0.5)
    assert abs(float(layer.kl().detach()) - float(each.mean())) < 5 * error + 1e-4
    assert float(kl_to_prior(torch.zeros(3), torch.full((3,), 0.3), 0.3)) == pytest.approx(0.0)


def test_one_draw_serves_all_rows_and_none_is_the_mean() -> None:
    layer = RandomEffects(4, 3, prior=0.3, start=0.3)
    z = F.one_hot(torch.tensor([1, 1, 2]), 4).float()
    drawn = layer(z, torch.randn(4, 3))
    torch.testing.assert_close(drawn[0], drawn[1])
    torch.testing.assert_close(layer(z), layer.mu[[1, 1, 2]])


def test_with_a_single_cluster_the_adversary_has_nothing_to_lose() -> None:
    model = _spirals(clusters=1)
    said = model((torch.randn(5, 2),), torch.ones(5, 1))
    guess = model.adversary(said.seen)
    assert float(F.cross_entropy(guess, torch.zeros(5).long()).detach()) == 0.0


def test_main_loss_is_its_terms_and_pays_for_telling_clusters() -> None:
    model = _spirals()
    x, c = torch.randn(12, 2), torch.arange(12) % 10
    y = (x[:, 0] > 0).float()
    said = model((x,), F.one_hot(c, 10).float())
    guess = model.adversary(said.seen)
    whole = main_loss("binary", said, guess, y, c, LossWeights(2.0, 3.0, 0.5, 0.1))
    parts = 2 * data_loss("binary", said.mixed, y) + 3 * data_loss("binary", said.fixed, y)
    torch.testing.assert_close(whole, parts - 0.5 * F.cross_entropy(guess, c) + 0.1 * said.kl)
    assert float(data_loss("gaussian", torch.tensor([1.0, 3.0]), torch.zeros(2))) == 2.5


def test_what_is_put_in_for_clusters_that_are_not_known() -> None:
    model, inputs = _wrapped_foreign(), _foreign_inputs(2)
    guess = ClusterPredictor(4, 3)
    soft = guess.soft(inputs[1]).detach()
    torch.testing.assert_close(soft.sum(1), torch.ones(2))
    said = model(inputs, z_of("zero", soft))
    torch.testing.assert_close(said.mixed, said.fixed)
    assert z_of("argmax", soft).sum(1).tolist() == [1.0, 1.0]
    assert z_of("soft", soft) is soft
    with pytest.raises(ValueError, match="no single z"):
        z_of("average", soft)


def test_temperature_softens_the_guess() -> None:
    guess, x = ClusterPredictor(4, 3), torch.randn(5, 4)
    logits = guess(x)
    guess.temperature.fill_(4.0)
    torch.testing.assert_close(guess.soft(x), F.softmax(logits / 4, 1))
