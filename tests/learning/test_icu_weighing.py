"""Weighing labels by the gradient of each, on a network that can be looked through."""

import pytest
import torch
from torch import nn

from medview.learning.icu_weighing import last_shared, learn_by_gradient
from medview.models.label_loss import LabelLoss, label_bce
from medview.models.task_weights import gradnorm_weights, projected


class Small(nn.Module):
    """Two shared layers, and a head with a row for each label."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 5), nn.Linear(5, 3)
        self.head = nn.Linear(3, labels)

    def forward(self, x):
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


@pytest.fixture
def given():
    torch.manual_seed(3)
    x, labels = torch.randn(12, 4), (torch.rand(12, 3) < 0.5).float()
    return Small(3), x, labels


def gradients(net):
    return {name: p.grad.clone() for name, p in net.named_parameters()}


def plain(net, x, labels):
    net.zero_grad()
    label_bce(net(x), labels).nanmean().backward()
    return gradients(net)


def test_the_last_shared_layer_stands_before_the_head(given):
    net = given[0]
    assert last_shared(net) is net.second.weight


def test_one_label_has_nobody_to_fight_with(given):
    _, x, labels = given
    net = Small(1)
    wanted = plain(net, x, labels[:, :1])
    net.zero_grad()
    learn_by_gradient(LabelLoss(1, "pcgrad"), [(1.0, net(x), labels[:, :1])], net)
    for name, value in gradients(net).items():
        assert torch.allclose(value, wanted[name], atol=1e-6), name


def test_labels_that_fight_are_parted_in_the_shared_layers_and_left_alone_in_the_head(given):
    net, x, labels = given
    net.head.weight.data[1] = net.head.weight.data[0]
    both = torch.stack([labels[:, 0], 1 - labels[:, 0], torch.full((12,), torch.nan)], 1)
    wanted = plain(net, x, both)
    shared = [p for name, p in net.named_parameters() if not name.startswith("head")]
    each = label_bce(net(x), both)[:2]
    alone = torch.stack(
        [
            torch.cat([g.flatten() for g in torch.autograd.grad(one, shared, retain_graph=True)])
            for one in each
        ]
    )
    assert alone[0] @ alone[1] < 0
    by_hand = projected(alone, torch.tensor([[1], [0]])).mean(0)
    net.zero_grad()
    learn_by_gradient(LabelLoss(3, "pcgrad"), [(1.0, net(x), both)], net)
    assert torch.allclose(torch.cat([p.grad.flatten() for p in shared]), by_hand, atol=1e-7)
    assert torch.equal(net.head.weight.grad, wanted["head.weight"])
    assert net.head.weight.grad[2].abs().sum() == 0


def test_gradnorm_moves_its_weights_by_the_gradients_at_the_last_shared_layer(given):
    net, x, labels = given
    loss = LabelLoss(3, "gradnorm", prevalence=[0.5, 0.2, 0.5])
    each = label_bce(net(x), labels)
    norms = torch.stack(
        [torch.autograd.grad(one, net.second.weight, retain_graph=True)[0].norm() for one in each]
    )
    wanted = gradnorm_weights(torch.ones(3), norms, each.detach() / loss.first)
    assert loss.first[0].item() == pytest.approx(0.6931, abs=1e-4)
    value = learn_by_gradient(loss, [(1.0, net(x), labels), (0.5, net(x), labels)], net)
    # 1.5 times the losses move 1.5 times as far; what is asked twice is no further behind.
    once = LabelLoss(3, "gradnorm", prevalence=[0.5, 0.2, 0.5])
    learn_by_gradient(once, [(1.0, net(x), labels)], net)
    assert torch.allclose(once.weights, wanted)
    assert value.item() == pytest.approx(1.5 * (loss.weights * each).mean().item(), rel=1e-5)


def test_what_nobody_knows_keeps_its_weight(given):
    net, x, labels = given
    labels[:, 2] = float("nan")
    loss = LabelLoss(3, "gradnorm", prevalence=[0.5] * 3)
    assert learn_by_gradient(loss, [(1.0, net(x), labels)], net).isfinite()
    assert loss.weights[2] == 1
    assert loss.weights.sum().item() == pytest.approx(3)
