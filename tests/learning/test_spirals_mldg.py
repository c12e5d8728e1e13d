"""MLDG: its loss against a step made by hand, and which rows a step is given."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from medview.learning.spirals_mldg import INNER_RATE, ROWS, cluster_batches, meta_loss, train_mldg


def given(clusters: int = 3, rows: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.randn(clusters, rows, 2)
    return x, (x[..., 0] > 0).float(), F.one_hot(torch.tensor(1), clusters).float()


def test_the_loss_is_that_of_the_others_and_of_the_one_held_back_after_a_step() -> None:
    x, y, held = given()
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    own = {name: value.detach().clone() for name, value in net.named_parameters()}

    def mean(which: list[int]) -> torch.Tensor:
        return F.binary_cross_entropy_with_logits(net(x[which]).squeeze(-1), y[which])

    others = mean([0, 2])
    slopes = torch.autograd.grad(others, list(net.parameters()))
    with torch.no_grad():
        for value, slope in zip(net.parameters(), slopes, strict=True):
            value -= INNER_RATE * slope
    wanted = others + mean([1])
    net.load_state_dict(own)
    told = meta_loss(net, own, (x, y, held))
    assert torch.allclose(told, wanted, atol=1e-6)
    before = others + mean([1])
    assert told < before  # here the step on the others helps the third


def test_a_step_has_rows_of_every_cluster_from_the_training_part_alike_in_all_folds() -> None:
    c = torch.arange(3).repeat_interleave(20)
    x = torch.arange(60.0)[:, None]
    y = (torch.arange(60) % 2).float()
    train = torch.stack([torch.arange(60)[torch.arange(60) % 4 != part] for part in (0, 1)])
    steps = list(cluster_batches((x, y, c), train, (5, 6), 2))
    assert len(steps) == 2 * (15 // ROWS)
    seen = torch.cat([rows for rows, _, _ in steps[: 15 // ROWS]], 2)[..., 0].long()
    assert seen.shape == (4, 3, 12)  # copies in the order seed, fold
    assert (c[seen] == torch.arange(3)[None, :, None]).all()
    assert all(set(seen[n].flatten().tolist()) <= set(train[n % 2].tolist()) for n in range(4))
    assert all(len(set(seen[n].flatten().tolist())) == 36 for n in range(4))  # none twice
    for rows, truth, held in steps:
        assert torch.equal(truth, y[rows[..., 0].long()])
        assert torch.equal(held.sum(1), torch.ones(4))
        assert torch.equal(held[0], held[1])
        assert torch.equal(rows[0] // 20, rows[1] // 20)


def test_copies_learn_and_do_not_touch_each_other() -> None:
    torch.manual_seed(3)
    bases = [nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1)) for _ in range(2)]
    x, y, held = given(rows=20)

    def trained(which: list[nn.Sequential], steps: int) -> torch.Tensor:
        rows, truth, apart = (one.expand(len(which), *one.shape) for one in (x, y, held))
        told = train_mldg(which, iter([(rows, truth, apart)] * steps))
        return told(x.reshape(1, -1, 2).expand(len(which), -1, -1))

    def loss(told: torch.Tensor) -> float:
        return float(F.binary_cross_entropy_with_logits(told[0], y.flatten()))

    both, alone = trained(bases, 60), trained(bases[1:], 60)
    assert loss(both) < loss(trained(bases, 0))
    assert torch.allclose(both[1], alone[0], atol=1e-5)
