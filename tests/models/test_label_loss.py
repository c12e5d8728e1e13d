"""Losses over labels: what is unknown does not count, and the learned weights find their place."""

import pytest
import torch
from torch import nn

from medview.models.label_loss import LabelLoss, label_bce

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
