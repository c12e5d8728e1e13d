"""What is shared by networks with an adversary and effects of clusters round them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from medview.learning.armed_rules import (
    RULES,
    UNKNOWN,
    Asked,
    Opponent,
    Resting,
    numbered,
    one_hot,
    put_round,
    risks,
)


def small(rule="armed", clusters=2):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    armed = put_round(net, clusters, ("0", "1"), (torch.zeros(1, 3),), lambda y: y[:, 0], 5)
    return armed, Opponent(armed, RULES[rule], 1e-2, 5)


def rows(armed, noise, count=12):
    x = torch.randn(count, 3, generator=torch.Generator().manual_seed(1))
    cluster = torch.arange(count) % 2
    said = armed((x,), one_hot(cluster, 2), noise)
    return Asked(1.0, said, (x[:, 0] > 0).float(), cluster)


def test_clusters_are_numbered_by_name():
    assert numbered(["b", "a", "?"], ["a", "b"]).tolist() == [1, 0, UNKNOWN]
    assert one_hot(torch.tensor([1, UNKNOWN]), 2).tolist() == [[0, 1], [0, 0]]


def test_only_the_adversary_is_stepped_before_the_main_step():
    armed, opponent = small()
    before = {name: value.clone() for name, value in armed.state_dict().items()}
    opponent.loss([rows(armed, opponent.noise())])
    changed = {n for n, value in armed.state_dict().items() if not torch.equal(value, before[n])}
    assert changed
    assert all(name.startswith("adversary.") for name in changed)


def test_the_main_loss_falls_with_the_adversarys_confusion():
    found = {}
    for rule in ("armed", "armed-no-adversary"):
        armed, opponent = small(rule)
        asked = rows(armed, opponent.noise())
        found[rule] = float(opponent.loss([asked]).detach())
        guess = F.cross_entropy(armed.adversary(asked.said.seen), asked.cluster)
    less = RULES["armed"].adversary * float(guess.detach())
    assert less > 0.01
    assert found["armed-no-adversary"] - found["armed"] == pytest.approx(less, abs=1e-5)


def test_a_cluster_without_effects_gets_what_holds_everywhere():
    armed, _ = small()
    with torch.no_grad():
        armed.intercept.mu[:] = torch.tensor([[-1.0], [2.0]])
    x = torch.randn(6, 3)
    clusters = torch.tensor([0, 1, UNKNOWN] * 2)
    with torch.no_grad():
        fixed = torch.sigmoid(armed((x,), torch.zeros(6, 2)).fixed).double().numpy()
        said = risks(lambda shares: armed((x,), shares), clusters, 2, RULES["armed"])
        alone = risks(lambda shares: armed((x,), shares), clusters, 2, RULES["adversary-only"])
    assert said["own"][[2, 5]] == pytest.approx(fixed[[2, 5]])
    assert (said["own"][[0, 3]] < fixed[[0, 3]]).all()
    assert (said["own"][[1, 4]] > fixed[[1, 4]]).all()
    assert alone["own"] == pytest.approx(fixed)


def test_effects_of_clusters_at_rest_do_not_drift_to_their_prior():
    armed, opponent = small(clusters=3)
    before = {name: value.clone() for name, value in armed.state_dict().items()}
    resting = Resting(armed.named_parameters(), [2])
    steps = torch.optim.Adam(armed.main_parameters(), 1e-2)
    for _ in range(3):
        steps.zero_grad()
        x = torch.randn(12, 3)
        cluster = torch.arange(12) % 2
        said = armed((x,), one_hot(cluster, 3), opponent.noise())
        opponent.loss([Asked(1.0, said, (x[:, 0] > 0).float(), cluster)]).backward()
        steps.step()
        assert not torch.equal(armed.slopes.mu[2], before["slopes.mu"][2])
        resting.put_back()
    for name, value in armed.state_dict().items():
        if name.startswith(("slopes.", "intercept.")):
            assert torch.equal(value[2], before[name][2])
            assert not torch.equal(value[:2], before[name][:2])
