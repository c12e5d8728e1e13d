"""Losses over several yes-or-no labels, any of which may be unknown for a case (NaN)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from medview.models.task_weights import averaged_weights, weights_by_count

Weighting = Literal[
    "bce", "uncertainty", "focal", "learned-focal", "counts", "dwa", "gradnorm", "pcgrad"
]
MOST = 5.0
"""The learned logarithms stay within this, so that no label's weight runs away."""
RARE = 0.1
"""Labels rarer than this get the focal loss."""
GAMMA = 2.0
WEIGHED = ("counts", "dwa", "gradnorm")
"""Rules that multiply each label's loss by a weight."""


def label_bce(logits: Tensor, labels: Tensor, soften: Tensor | None = None) -> Tensor:
    """Cross-entropy of each label over the cases that know it, (K,); NaN where none does.

    `logits` and `labels` (B, K); `soften` (B, K) multiplies the terms.
    """
    known = labels.isfinite()
    filled = torch.where(known, labels, 0.0)
    terms = nn.functional.binary_cross_entropy_with_logits(logits, filled, reduction="none")
    if soften is not None:
        terms = terms * soften
    counts = known.sum(0)
    means = (terms * known).sum(0) / counts.clamp_min(1)
    return torch.where(counts > 0, means, torch.nan)


class LabelLoss(nn.Module):
    """Mean over labels, weighted by a rule.

    "uncertainty" is (1/C) sum_k [exp(-s_k) BCE_k + s_k / 2] with s_k = log sigma_k^2 learned
    from 0 (paper, section 3.3); for a fixed BCE_k its best weight is 1 / (2 BCE_k). "focal" has
    gamma 2 on labels rarer than 0.1; "learned-focal" learns log gamma_k and adds half its mean.
    "counts", "dwa" (the dynamic weight average, see `end_epoch`) and "gradnorm" multiply each label
    by one of `weights`; "pcgrad" changes gradients, not weights (``models/task_weights.py``).

    Parameters
    ----------
    labels : int
        Number of labels.
    weighting : Weighting
        The rule.
    prevalence : Sequence[float]
        Share of positives of each label, which "focal" and "gradnorm" need.
    counts : Sequence[int]
        How many cases know each label, which "counts" needs.
    """

    weights: Tensor
    first: Tensor
    curve: Tensor
    asked: Tensor

    def __init__(
        self,
        labels: int,
        weighting: Weighting = "uncertainty",
        prevalence: Sequence[float] = (),
        counts: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.weighting = weighting
        self.learned = nn.Parameter(torch.zeros(labels))
        rare = torch.tensor([share < RARE for share in prevalence] or [True] * labels)
        self.register_buffer("rare", rare)
        if weighting in WEIGHED:
            by_count = weighting == "counts" and bool(counts)
            known = torch.tensor(counts or [1] * labels, dtype=torch.float32)
            self.register_buffer("weights", weights_by_count(known if by_count else known * 0 + 1))
        if weighting == "gradnorm":
            share = torch.tensor(prevalence or [0.5] * labels).clamp(0.01, 0.99)
            self.register_buffer("first", torch.special.entr(share) + torch.special.entr(1 - share))
        if weighting == "dwa":
            self.register_buffer("curve", torch.full((2, labels), torch.nan))
            self.register_buffer("asked", torch.zeros(2, labels))

    @property
    def s(self) -> Tensor:
        """The learned logarithms, kept within +-5."""
        return self.learned.clamp(-MOST, MOST)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of logits and labels (B, K), scalar; labels that nobody knows do not count."""
        self._bring_back()
        full = label_bce(logits, labels, self._softening(logits, labels))
        known = full.isfinite()
        each, s = full[known], self.s[known]
        if self.weighting == "uncertainty":
            return (torch.exp(-s) * each + s / 2).mean()
        if self.weighting == "learned-focal":
            return each.mean() + s.mean() / 2
        if self.weighting == "dwa" and self.training:
            self.asked += torch.stack([torch.where(known, full.detach(), 0.0), known.float()])
        if self.weighting in WEIGHED:
            return (self.weights[known] * each).mean()
        return each.mean()

    def _bring_back(self) -> None:
        """Set logarithms that a step has carried beyond the bounds onto them.

        Beyond them there is no gradient: a label would keep its weight whatever its loss became.
        """
        if self.training and bool((self.learned.detach().abs() > MOST).any()):
            with torch.no_grad():
                self.learned.clamp_(-MOST, MOST)

    def end_epoch(self) -> None:
        """Weigh the next epoch by the losses of the last two, where the rule is "dwa".

        The first two epochs weigh all labels alike.
        """
        if self.weighting != "dwa":
            return
        losses = self.asked[0] / self.asked[1]
        self.curve.copy_(torch.stack([losses, self.curve[0]]))
        self.asked.zero_()
        if self.curve[1].isfinite().any():
            self.weights.copy_(averaged_weights(self.curve[0], self.curve[1]))

    def _softening(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        if not self.weighting.endswith("focal"):
            return None
        # Chance of the other answer, to a power, by way of its logarithm: the power itself has no
        # finite gradient where float32 takes that chance for 0, from logits of about 17 on.
        log_wrong = nn.functional.logsigmoid(torch.where(labels == 1, -logits, logits))
        if self.weighting == "learned-focal":
            return torch.exp(torch.exp(self.s) * log_wrong)
        rare = self.get_buffer("rare")
        return torch.where(rare, torch.exp(GAMMA * log_wrong), torch.ones_like(log_wrong))
