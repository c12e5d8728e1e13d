import pytest
import torch

from medview.models.mdmt import (
    Mdmt,
    MdmtOptions,
    beta_average,
    class_head,
    deep_head,
    linear_head,
    pool_zones,
    refuse_foreign,
    task_losses,
    total_loss,
)


def count(module):
    return sum(p.numel() for p in module.parameters())


def batch(outcome=4, scored=6, features=16, seed=0):
    rng = torch.Generator().manual_seed(seed)
    n = outcome + scored
    x = torch.randn(n, 7, features, generator=rng)
    nan = float("nan")
    prognosis = torch.full((n,), nan)
    prognosis[:outcome] = torch.randint(0, 2, (outcome,), generator=rng).float()
    zones = torch.full((n, 6), nan)
    zones[outcome:] = torch.randint(0, 4, (scored, 6), generator=rng).float()
    severity = torch.full((n,), nan)
    severity[outcome:] = (zones[outcome:].sum(1) // 5).clamp(max=3)
    lungs = torch.full((n, 2), nan)
    lungs[outcome:] = torch.randint(0, 4, (scored, 2), generator=rng).float()
    return x, {"prognosis": prognosis, "severity": severity, "lungs": lungs, "zones": zones}


def network(severity="pooled", **fields):
    torch.manual_seed(0)
    return Mdmt(MdmtOptions(16, severity=severity, **fields)).eval()


def test_heads_have_the_published_sizes():
    assert count(deep_head(512, 2)) == 69_858
    assert count(class_head(512)) == 2_052


def test_a_linear_head_knows_nothing_at_first_and_a_step_moves_it_little():
    head = linear_head(400, 2).eval()
    x = torch.full((1, 400), 3.0)
    assert head(x).tolist() == [[0.0, 0.0]]
    with torch.no_grad():
        head[-1].weight += 1e-3  # the first step of Adam, all weights one way
    assert head(x)[0, 1].item() == pytest.approx(3.0 * 1e-3 * 400**0.5)


@pytest.mark.parametrize("single", [True, False])
def test_a_linear_head_is_that_of_single_task_networks_too(single):
    """So that what they have learnt of the outcome goes on in the network of both tasks."""
    head = network(single=single, outcome="linear").state_dict()
    assert {n: tuple(v.shape) for n, v in head.items() if "prognosis" in n} == {
        "heads.prognosis.2.weight": (2, 16),
        "heads.prognosis.2.bias": (2,),
    }


def test_the_outcome_head_starts_as_published():
    head = deep_head(64, 2)
    bound = (6 / (64 + 128)) ** 0.5
    assert head[0].weight.abs().max() <= bound
    assert torch.all(head[0].bias == 0.01)


@pytest.mark.parametrize(
    ("severity", "task", "shape"),
    [
        ("global", "severity", (10, 4)),
        ("lung", "lungs", (10, 2, 4)),
        ("regression", "zones", (10, 6)),
        ("pooled", "zones", (10, 6)),
    ],
)
def test_every_severity_head_learns_from_its_films_alone(severity, task, shape):
    model = network(severity)
    x, targets = batch()
    said = model(x)
    assert said[task].shape == shape
    losses = task_losses(said, targets)
    assert set(losses) == {"prognosis", task}
    losses[task].backward()
    assert all(p.grad is None for p in model.heads["prognosis"].parameters())
    # The pooled head begins at zero, so that in the first step it alone learns.
    learns = model.heads[task] if severity == "pooled" else model.adapter
    assert any(p.grad.abs().sum() > 0 for p in learns.parameters())


def test_the_absent_tasks_head_gets_no_gradient_at_all():
    model = network()
    x, targets = batch(outcome=5, scored=0)
    total_loss(task_losses(model(x), targets)).backward()
    assert all(p.grad is None or not p.grad.any() for p in model.heads["zones"].parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.heads["prognosis"].parameters())


def test_loss_of_a_mixed_batch_is_the_sum_of_separate_ones_in_any_order():
    model = network()
    x, targets = batch()
    both = total_loss(task_losses(model(x), targets))
    one = task_losses(model(x[:4]), {t: v[:4] for t, v in targets.items()})["prognosis"]
    two = task_losses(model(x[4:]), {t: v[4:] for t, v in targets.items()})["zones"]
    assert both.item() == pytest.approx((one + two).item(), rel=1e-5)
    order = torch.randperm(10)
    again = total_loss(task_losses(model(x[order]), {t: v[order] for t, v in targets.items()}))
    assert again.item() == pytest.approx(both.item(), rel=1e-5)


def test_films_of_another_set_change_the_authors_loss_only():
    model = network("global")
    x, targets = batch()
    own = {t: v[:4] for t, v in targets.items()}
    for reduction, same in (("per_task", True), ("whole_batch", False)):
        alone = task_losses(model(x[:4]), own, reduction=reduction)["prognosis"]
        mixed = task_losses(model(x), targets, reduction=reduction)["prognosis"]
        assert (alone.item() == pytest.approx(mixed.item(), rel=1e-5)) is same


def test_the_authors_loss_counts_ln_4_for_every_other_film():
    model = network("global")
    x, targets = batch(outcome=4, scored=6)
    clean = task_losses(model(x), targets)["severity"]
    theirs = task_losses(model(x), targets, reduction="whole_batch")["severity"]
    expected = (6 * clean + 4 * torch.tensor(4.0).log()) / 10
    assert theirs.item() == pytest.approx(expected.item(), rel=1e-5)


def test_mse_of_raw_logits():
    said = {"prognosis": torch.tensor([[0.0, 2.0]])}
    targets = {"prognosis": torch.tensor([1.0])}
    loss = task_losses(said, targets, prognosis_loss="mse_logits")["prognosis"]
    assert loss.item() == pytest.approx((0 + 1) / 2)


def test_a_batch_without_labels_teaches_nothing():
    with pytest.raises(ValueError, match="no film"):
        total_loss({})


def test_labels_of_another_task_are_refused():
    with pytest.raises(ValueError, match="prognosis"):
        refuse_foreign({"prognosis": torch.tensor([0.0, 3.0])})


def test_first_weights_are_the_mean_of_both_nets_and_each_ones_own_head():
    ours = network("none", single=True).state_dict()
    torch.manual_seed(5)
    theirs = Mdmt(MdmtOptions(16, prognosis=False)).state_dict()
    mixed = beta_average(ours, theirs, 0.25)
    name = "adapter.down.weight"
    assert torch.allclose(mixed[name], 0.25 * ours[name] + 0.75 * theirs[name])
    assert torch.equal(mixed["heads.zones.linear.weight"], theirs["heads.zones.linear.weight"])
    assert torch.equal(mixed["heads.prognosis.1.weight"], ours["heads.prognosis.1.weight"])


def test_zones_are_pooled_from_their_own_part():
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, :2] = 1
    shares = torch.zeros(1, 6, 4, 4)
    shares[0, 0, :2], shares[0, 1, 1:3] = 1, 1
    pooled = pool_zones(maps, shares)
    assert pooled[0, :3, 0].tolist() == [0.5, 1.0, 0.5]
    assert torch.equal(pooled[0, 5], pooled[0, 0])  # a zone that is not there


def test_a_mirrored_film_swaps_its_zone_scores():
    model = network()
    x, _ = batch()
    swapped = x[:, [0, 4, 5, 6, 1, 2, 3]]
    assert torch.allclose(model(swapped)["zones"], model(x)["zones"][:, [3, 4, 5, 0, 1, 2]])


@torch.no_grad()
def test_a_linear_outcome_goes_past_the_shared_layer_that_zones_go_through():
    net, (x, _) = network(outcome="linear"), batch()
    net.heads["prognosis"][-1].weight[1] = net.heads["zones"].linear.weight[0] = 1.0
    before = net(x)
    net.adapter.up.bias += 1.0
    after = net(x)
    assert torch.equal(after["prognosis"], before["prognosis"])
    assert torch.allclose(after["zones"], before["zones"] + 16**0.5)
