"""A chest network with effects of sites: one network of each site, and what holds everywhere."""

import pytest
import torch
from torch import nn

from medview.models.mdmt import Mdmt, MdmtOptions
from medview.models.site_mdmt import SiteMdmt, watched

OPTIONS = MdmtOptions(features=8, adapter=2)


@pytest.fixture
def net():
    torch.manual_seed(0)
    made = SiteMdmt(OPTIONS, nn.Sequential(), ("a", "b")).eval()
    with torch.no_grad():
        made.slopes.mu[:] = torch.randn(2, 32)
        made.intercept.mu[:] = torch.tensor([[-1.0], [2.0]])
    return made


def films(n=6):
    return torch.randn(n, 7, 8, generator=torch.Generator().manual_seed(1))


def odds(said):
    return said["prognosis"][:, 1] - said["prognosis"][:, 0]


@pytest.mark.parametrize("site", [0, 1])
@torch.no_grad()
def test_the_network_of_a_site_adds_its_slopes_and_intercept_to_the_log_odds(net, site):
    whole, own = net(films()), net.at(site)(films())
    hidden = net.hidden(films())
    added = hidden @ net.slopes.mu[site] + net.intercept.mu[site, 0]
    assert added.abs().max() > 0.5
    assert odds(own) - odds(whole) == pytest.approx(added, abs=1e-5)
    assert torch.equal(own["zones"], whole["zones"])  # scores have no effects
    both = net.outcome_at(films(), torch.full((6,), site))
    assert both == pytest.approx(own["prognosis"], abs=1e-5)


@torch.no_grad()
def test_an_unknown_site_gets_what_holds_everywhere(net):
    fixed = net(films())["prognosis"]
    assert net.at(-1)(films())["prognosis"] == pytest.approx(fixed)
    mixed = net.outcome_at(films(), torch.tensor([-1, 0, 1] * 2))
    apart = (mixed - fixed).abs().sum(1)
    assert apart[[0, 3]] == pytest.approx(torch.zeros(2), abs=1e-6)
    assert (apart[[1, 2, 4, 5]] > 1e-3).all()


def test_the_effects_are_a_few_parameters_more(net):
    def count(model):
        return sum(each.numel() for each in model.parameters())

    effects = 2 * 2 * (32 + 1)  # mean and spread of 32 slopes and an intercept, of two sites
    adversary = (128 + 32 + 1) * 32 + (32 + 1) * 2
    assert count(net) == count(Mdmt(OPTIONS)) + effects + adversary


def test_another_encoder_is_put_before_the_same_parts(net):
    other = net.like(nn.Sequential(nn.Conv2d(1, 8, 1)))
    assert other.sites == ("a", "b")
    assert len(other.tail) == 1
    assert other.slopes.mu.shape == net.slopes.mu.shape


@torch.no_grad()
def test_a_head_without_hidden_layers_has_slopes_on_what_it_is_given():
    options = MdmtOptions(features=8, adapter=2, single=True, severity="none")
    assert watched(options) == ("adapter",)
    net = SiteMdmt(options, nn.Sequential(), ("a",)).eval()
    net.slopes.mu[:] = 1.0
    added = odds(net.at(0)(films())) - odds(net(films()))
    assert added == pytest.approx(net.adapter(films()[:, 0]).sum(1), abs=1e-5)
