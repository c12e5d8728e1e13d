"""Multi-dataset multi-task learning (Ruffini and others, MICCAI 2024): heads, loss, first weights.

One encoder is shared by films with an outcome and films with a severity score. A film only
teaches the heads whose label it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Severity = Literal["global", "lung", "regression", "pooled"]
"""``brixia_Global`` (four classes), ``brixia_Lung`` (four classes for each lung), zones from the
features of the whole square, zones each from the features of its own part of the square."""
SEVERITIES: tuple[Severity, ...] = ("global", "lung", "regression", "pooled")
TASK_OF: dict[str, str] = {
    "global": "severity", "lung": "lungs", "regression": "zones", "pooled": "zones"
}  # fmt: skip
Outcome = Literal["linear", "deep"]
"""One layer that begins at zero; the three layers of the paper."""
OUTCOMES: tuple[Outcome, ...] = ("linear", "deep")
CLASSES = 4
RANGES = {"prognosis": 1, "severity": 3, "lungs": 3, "zones": 3}
"""Highest label of each task; the lowest is 0."""


def _xavier(head: nn.Sequential) -> nn.Sequential:
    for part in head:
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.constant_(part.bias, 0.01)
    return head


def deep_head(features: int, outputs: int) -> nn.Sequential:
    """F -> 128 -> 32 -> outputs: the head of the outcome and of zones by regression."""
    return _xavier(
        nn.Sequential(
            nn.Linear(features, 128), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(128, 32), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(32, outputs),
        )
    )  # fmt: skip


def class_head(features: int, classes: int = CLASSES, *, relu: bool = True) -> nn.Sequential:
    """ReLU, dropout and one layer: a severity head; without ReLU a single-task outcome head."""
    parts: list[nn.Module] = [nn.ReLU()] if relu else []
    return nn.Sequential(*parts, nn.Dropout(0.5), nn.Linear(features, classes))


class Divided(nn.Module):
    """Features divided by the root of their number: a step of Adam moves a score of them little."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., F) to (..., F)."""
        out: Tensor = x * x.shape[-1] ** -0.5
        return out


def linear_head(features: int, outputs: int) -> nn.Sequential:
    """Dropout and one layer that begins at zero: with few films the most that can be learnt."""
    layer = nn.Linear(features, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(nn.Dropout(0.5), Divided(), layer)


class ZoneHead(nn.Module):
    """One linear score for the features of any zone, (..., F) to (..., 1); at first the middle.

    Features are divided by the root of their number, so that a step of Adam moves the score
    little: with few films a ridge is the most that can be learnt.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.linear = nn.Linear(features, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.constant_(self.linear.bias, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Scores, about 0 to 3."""
        out: Tensor = self.linear(self.drop(x) * x.shape[-1] ** -0.5)
        return out


class Adapter(nn.Module):
    """A narrow shared layer beside frozen features: x + up(relu(down(x))), at first x itself."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(features, width)
        self.up = nn.Linear(width, features)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., F) to (..., F)."""
        out: Tensor = x + self.up(torch.relu(self.down(x)))
        return out


@dataclass(frozen=True, slots=True)
class MdmtOptions:
    """What a network is made of.

    `prognosis` and `severity` say which heads it has; `single` gives a deep outcome the small head
    of single-task nets. `adapter` is the width of the shared layer on frozen features (0: none);
    a linear outcome goes past it.
    """

    features: int = 1280
    prognosis: bool = True
    severity: Severity | Literal["none"] = "pooled"
    single: bool = False
    adapter: int = 32
    outcome: Outcome = "deep"


class Mdmt(nn.Module):
    """Pooled features (B, 7, F) to the outputs of each head; the encoder itself comes before.

    Row 0 of the features is of the whole square, rows 1 to 6 of the zones A to F. ``tail`` holds
    the stages of the encoder that are trained, if any (``run_tail``).
    """

    def __init__(self, options: MdmtOptions, tail: nn.Sequential | None = None) -> None:
        super().__init__()
        self.options = options
        width = options.features
        self.tail = tail if tail is not None else nn.Sequential()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.adapter = Adapter(width, options.adapter) if options.adapter else nn.Identity()
        heads: dict[str, nn.Module] = {}
        if options.prognosis:
            heads["prognosis"] = _outcome_head(options)
        if options.severity != "none":
            heads[TASK_OF[options.severity]] = _severity_head(options.severity, width)
        self.heads = nn.ModuleDict(heads)

    def like(self, tail: nn.Sequential) -> Self:
        """An untrained network of the same parts with another ``tail``."""
        return type(self)(self.options, tail)

    def settle(self, pooled: Tensor) -> None:
        """Take mean and spread of frozen features (n, 7, F) from training films."""
        flat = pooled[:, 0].float()
        self.get_buffer("mean").copy_(flat.mean(0))
        self.get_buffer("scale").copy_(flat.std(0).clamp_min(1e-3))

    def standardised(self, pooled: Tensor) -> Tensor:
        """Features as the layers are given them."""
        return (pooled - self.get_buffer("mean")) / self.get_buffer("scale")

    def run_tail(self, maps: Tensor, shares: Tensor) -> Tensor:
        """Maps before the trained stages (B, C, h, w) to pooled features (B, 7, F)."""
        return pool_zones(self.tail(maps), shares)

    def forward(self, pooled: Tensor) -> dict[str, Tensor]:
        """Outputs by task: prognosis (B, 2), severity (B, 4), lungs (B, 2, 4), zones (B, 6)."""
        x = self.standardised(pooled)
        whole = self.adapter(x[:, 0])
        said: dict[str, Tensor] = {}
        for task, head in self.heads.items():
            if task == "prognosis" and self.options.outcome == "linear":
                said[task] = head(x[:, 0])  # past the shared layer: it learns films by heart
            elif task == "lungs":
                said[task] = torch.stack([side(whole) for side in head.children()], 1)
            elif self.options.severity == "pooled" and task == "zones":
                said[task] = head(self.adapter(x[:, 1:]))[..., 0]
            else:
                said[task] = head(whole)
        return said


def _outcome_head(options: MdmtOptions) -> nn.Module:
    if options.outcome == "linear":
        return linear_head(options.features, 2)
    small = class_head(options.features, 2, relu=False)
    return small if options.single else deep_head(options.features, 2)


def _severity_head(severity: Severity, features: int) -> nn.Module:
    if severity == "global":
        return class_head(features)
    if severity == "lung":
        return nn.ModuleList([class_head(features), class_head(features)])
    return deep_head(features, 6) if severity == "regression" else ZoneHead(features)


def pool_zones(maps: Tensor, shares: Tensor) -> Tensor:
    """Features (B, F, h, w) averaged over the square and over each zone, (B, 7, F).

    `shares` (B, 6, h, w) is how much of each cell is of each zone; a zone that the square does
    not hold gets the features of the whole square.
    """
    whole = maps.mean((2, 3))[:, None]
    weight = shares.flatten(2)
    area = weight.sum(2, keepdim=True)
    zones = torch.einsum("bzp,bfp->bzf", weight, maps.flatten(2)) / area.clamp_min(1e-6)
    return torch.cat([whole, torch.where(area > 1e-3, zones, whole)], 1)


PrognosisLoss = Literal["ce", "mse_logits"]
Reduction = Literal["per_task", "whole_batch"]


def refuse_foreign(targets: Mapping[str, Tensor]) -> None:
    """Refuse labels outside a task's range: a film given to the wrong task.

    Raises
    ------
    ValueError
        Naming the task and the label.
    """
    for task, labels in targets.items():
        known = labels[labels.isfinite()]
        if known.numel() and not (known.min() >= 0 and known.max() <= RANGES[task]):
            raise ValueError(f"a label of {task} is outside 0 to {RANGES[task]}")


def task_losses(
    said: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    *,
    prognosis_loss: PrognosisLoss = "ce",
    reduction: Reduction = "per_task",
) -> dict[str, Tensor]:
    """Loss of each task that some film of the batch has a label for (indicator-masked).

    "per_task" is the mean over a task's own films. "whole_batch" is what the authors' code does:
    films without the label still count in the mean, with zeroed outputs (an MSE of 0 for the
    outcome, ln 4 without gradient for classes). "mse_logits" is their loss of the outcome: the
    squared error of raw logits against the one-hot label.
    """
    losses = {}
    for task, output in said.items():
        labels = targets[task]
        known = labels.flatten(1).isfinite().all(1) if labels.ndim > 1 else labels.isfinite()
        if not known.any() and reduction == "per_task":
            continue
        each = _film_losses(task, output[known], labels[known], prognosis_loss)
        if reduction == "per_task":
            losses[task] = each.mean()
        else:
            regressed = task == "zones" or (task == "prognosis" and prognosis_loss == "mse_logits")
            idle = 0.0 if regressed else _chance(task, output)
            losses[task] = (each.sum() + idle * (~known).sum()) / len(known)
    return losses


def _chance(task: str, output: Tensor) -> float:
    """Cross-entropy of zeroed outputs: ln of the number of classes, for each lung."""
    per = torch.tensor(float(output.shape[-1])).log().item()
    return per * (2 if task == "lungs" else 1)


def _film_losses(task: str, output: Tensor, labels: Tensor, prognosis_loss: str) -> Tensor:
    """Loss of each film that has the label, (n,)."""
    if task == "zones":
        return ((output - labels) ** 2).mean(1)
    if task == "lungs":
        both = F.cross_entropy(output.flatten(0, 1), labels.long().flatten(), reduction="none")
        return both.view(-1, 2).sum(1)
    if task == "prognosis" and prognosis_loss == "mse_logits":
        return ((output - F.one_hot(labels.long(), 2)) ** 2).mean(1)
    return F.cross_entropy(output, labels.long(), reduction="none")


def total_loss(losses: Mapping[str, Tensor]) -> Tensor:
    """Sum over tasks; a task without films adds nothing.

    Raises
    ------
    ValueError
        No task has a film: there is nothing to learn from.
    """
    if not losses:
        raise ValueError("no film of the batch has a label")
    return torch.stack(list(losses.values())).sum()


def beta_average(
    ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], beta: float = 0.5
) -> dict[str, Tensor]:
    """Beta * ours + (1 - beta) * theirs for what both single-task nets have; the rest of each.

    Counters (whole numbers) are taken from `ours`.
    """
    mixed = dict(theirs) | dict(ours)
    for name in ours.keys() & theirs.keys():
        if ours[name].is_floating_point() and ours[name].shape == theirs[name].shape:
            mixed[name] = beta * ours[name] + (1 - beta) * theirs[name]
    return mixed


def take_fitting(model: nn.Module, state: Mapping[str, Tensor], leave: Sequence[str] = ()) -> None:
    """Put into a model what fits of a state by name and shape, but for names that begin as told."""
    own = model.state_dict()
    fits = {
        name: value
        for name, value in state.items()
        if name in own and own[name].shape == value.shape and not name.startswith(tuple(leave))
    }
    model.load_state_dict({**own, **fits})
