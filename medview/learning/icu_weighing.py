"""Ways to weigh labels that look at the gradient of each: GradNorm and PCGrad."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from medview.models.label_loss import LabelLoss, label_bce
from medview.models.task_weights import drawn_order, gradnorm_weights, projected

BY_GRADIENT = ("gradnorm", "pcgrad")
Asked = tuple[float, Tensor, Tensor]
"""What a loss counts, logits (B, K) and labels (B, K)."""
OWN = "head."
"""The layer of which every label has a row of its own; all others are shared."""


def learn_by_gradient(loss: LabelLoss, asked: Sequence[Asked], net: nn.Module) -> Tensor:
    """The mean loss of the labels; the gradients by the rule of `loss` are left in `net`."""
    each = torch.stack([share * label_bce(logits, truth) for share, logits, truth in asked]).sum(0)
    known = each.isfinite()
    if loss.weighting == "pcgrad":
        _go_back_projected(each[known], net)
        return each[known].mean().detach()
    whole = sum(share for share, _, _ in asked)
    matrix = last_shared(net)
    norms = torch.stack([_gradient(one, [matrix]).norm() for one in each[known]])
    progress = each[known].detach() / (whole * loss.first[known])
    weights = loss.weights.clone()
    weights[known] = gradnorm_weights(weights[known], norms, progress)
    loss.weights.copy_(weights)
    mean = (weights[known] * each[known]).mean()
    torch.autograd.backward(mean)
    return mean.detach()


def last_shared(net: nn.Module) -> nn.Parameter:
    """The matrix of the last layer before the head."""
    return [p for name, p in net.named_parameters() if p.dim() > 1 and not name.startswith(OWN)][-1]


def _go_back_projected(each: Tensor, net: nn.Module) -> None:
    """Gradients of the mean loss; those of shared layers without what labels undo of each other."""
    shared = [p for name, p in net.named_parameters() if not name.startswith(OWN)]
    alone = torch.stack([_gradient(one, shared) for one in each])
    torch.autograd.backward(each.mean())
    mean = projected(alone, drawn_order(len(each))).mean(0)
    start = 0
    for parameter in shared:
        parameter.grad = mean[start : start + parameter.numel()].view_as(parameter)
        start += parameter.numel()


def _gradient(value: Tensor, of: Sequence[nn.Parameter]) -> Tensor:
    """The gradient of one loss by some parameters, as one vector."""
    found = torch.autograd.grad(
        value, list(of), retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return torch.cat([one.flatten() for one in found])
