"""Losses over labels: what is unknown does not count, and the learned weights find their place."""

import pytest
import torch
from torch import nn

from medview.models.label_loss import LabelLoss, label_bce
from medview.models.task_weights import averaged_weights

LOGITS = torch.tensor([[0.3, -1.0, 2.0], [-0.7, 0.4, 0.1]])
LABELS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def test_with_zero_logarithms_the_uncertainty_loss_is_the_mean_cross_entropy():
    plain = nn.functional.binary_cross_entropy_with_logits(LOGITS, LABELS)
    assert LabelLoss(3, "uncertainty")(LOGITS, LABELS).item() == pytest.approx(plain.item())
    assert LabelLoss(3, "bce")(LOGITS, LABELS).item() == pytest.approx(plain.item())


def test_the_weight_settles_at_one_half_over_the_loss():
    loss = LabelLoss(3, "uncertainty")
    optimiser = torch.optim.Adam(loss.parameters(), lr=0.05)
    for _ in range(600):
        optimiser.zero_grad()
        loss(LOGITS, LABELS).backward()
        optimiser.step()
    wanted = 1 / (2 * label_bce(LOGITS, LABELS))
    assert torch.allclose(torch.exp(-loss.s), wanted, rtol=1e-3)


def test_the_learned_logarithms_stay_within_their_bounds():
    loss = LabelLoss(2, "uncertainty")
    loss.learned.data = torch.tensor([50.0, -50.0])
    assert loss.s.tolist() == [5.0, -5.0]


@pytest.mark.parametrize(
    ("learned", "gradient"),
    [(-5.1, 0.5 - 148.413 * 0.693147), (5.1, 0.5 - 0.00673795 * 0.693147)],
)
def test_a_logarithm_beyond_its_bounds_still_has_the_gradient_of_the_bound(learned, gradient):
    loss = LabelLoss(1, "uncertainty")
    loss.learned.data = torch.tensor([learned])
    loss(torch.zeros(1, 1), torch.ones(1, 1)).backward()  # a cross-entropy of ln 2
    assert loss.learned.grad.item() == pytest.approx(gradient, rel=1e-4)


def test_a_label_that_was_easy_and_grew_hard_loses_its_weight_again():
    loss = LabelLoss(1, "uncertainty")
    optimiser = torch.optim.Adam(loss.parameters(), lr=0.05)
    for logit, wanted in ((12.0, 148.413), (0.0, 1 / (2 * 0.693147))):
        for _ in range(2000):
            optimiser.zero_grad()
            loss(torch.full((1, 1), logit), torch.ones(1, 1)).backward()
            optimiser.step()
        assert torch.exp(-loss.s).item() == pytest.approx(wanted, rel=0.01)


def test_looking_at_a_loss_moves_no_logarithm():
    loss = LabelLoss(1, "uncertainty").eval()
    loss.learned.data = torch.tensor([7.0])
    loss(torch.zeros(1, 1), torch.ones(1, 1))
    assert loss.learned.item() == 7.0


def test_an_unknown_label_changes_nothing_and_gets_no_gradient():
    logits = LOGITS.clone().requires_grad_()
    labels = LABELS.clone()
    labels[1, 2] = float("nan")
    labels[:, 1] = float("nan")
    loss = LabelLoss(3, "uncertainty")
    value = loss(logits, labels)
    value.backward()
    assert logits.grad[:, 1].abs().sum() == 0
    assert logits.grad[1, 2] == 0
    assert logits.grad.isfinite().all()
    assert loss.learned.grad[1] == 0


def test_focal_softens_easy_cases_of_rare_labels_only():
    rare, common = LabelLoss(3, "focal", [0.05] * 3), LabelLoss(3, "focal", [0.5] * 3)
    assert rare(LOGITS, LABELS) < common(LOGITS, LABELS)
    assert common(LOGITS, LABELS).item() == pytest.approx(
        LabelLoss(3, "bce")(LOGITS, LABELS).item()
    )


def test_learned_focal_starts_with_a_gamma_of_one():
    p = torch.sigmoid(LOGITS)
    wrong = torch.where(LABELS == 1, 1 - p, p)
    plain = nn.functional.binary_cross_entropy_with_logits(LOGITS, LABELS, reduction="none")
    found = LabelLoss(3, "learned-focal")(LOGITS, LABELS)
    assert found.item() == pytest.approx((plain * wrong).mean().item())


def test_labels_count_by_how_many_cases_know_them():
    loss = LabelLoss(3, "counts", counts=[10, 20, 20])
    each = label_bce(LOGITS, LABELS)
    assert loss.weights.tolist() == pytest.approx([1.5, 0.75, 0.75])
    assert loss(LOGITS, LABELS).item() == pytest.approx((loss.weights * each).mean().item())


def test_the_dynamic_average_weighs_from_the_third_epoch_on():
    loss = LabelLoss(3, "dwa")
    seen = []
    for sharper in (torch.ones(3), torch.tensor([2.0, 1.0, 1.0]), torch.ones(3)):
        loss(LOGITS * sharper, LABELS)
        loss(LOGITS * sharper, LABELS)
        seen.append(loss.weights.tolist())
        loss.end_epoch()
    assert seen[0] == seen[1] == [1, 1, 1]
    before = label_bce(LOGITS, LABELS)
    last = label_bce(LOGITS * torch.tensor([2.0, 1.0, 1.0]), LABELS)
    assert seen[2] == pytest.approx(averaged_weights(last, before).tolist())
    assert seen[2][0] < seen[2][1]  # the first one fell


def test_the_dynamic_average_survives_a_break():
    loss, again = LabelLoss(3, "dwa"), LabelLoss(3, "dwa")
    loss(LOGITS, LABELS)
    loss.end_epoch()
    again.load_state_dict(loss.state_dict())
    for one in (loss, again):
        one(LOGITS * 2, LABELS)
        one.end_epoch()
    assert torch.equal(again.weights, loss.weights)
    assert again.weights[0] != 1
