"""Losses over several yes-or-no labels, any of which may be unknown for a case (NaN)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Weighting = Literal["bce", "uncertainty", "focal", "learned-focal"]
MOST = 5.0
"""The learned logarithms stay within this, so that no label's weight runs away."""
RARE = 0.1
"""Labels rarer than this get the focal loss."""
GAMMA = 2.0


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
    """Mean over labels, weighted by one of four rules.

    "uncertainty" is (1/C) sum_k [exp(-s_k) BCE_k + s_k / 2] with s_k = log sigma_k^2 learned
    from 0 (paper, section 3.3); for a fixed BCE_k its best weight is 1 / (2 BCE_k). "focal" has
    gamma 2 on labels rarer than 0.1; "learned-focal" learns log gamma_k and adds half its mean.

    Parameters
    ----------
    labels : int
        Number of labels.
    weighting : Weighting
        The rule.
    prevalence : Sequence[float]
        Share of positives of each label, which "focal" needs.
    """

    def __init__(
        self, labels: int, weighting: Weighting = "uncertainty", prevalence: Sequence[float] = ()
    ) -> None:
        super().__init__()
        self.weighting = weighting
        self.learned = nn.Parameter(torch.zeros(labels))
        rare = torch.tensor([share < RARE for share in prevalence] or [True] * labels)
        self.register_buffer("rare", rare)

    @property
    def s(self) -> Tensor:
        """The learned logarithms, kept within +-5."""
        return self.learned.clamp(-MOST, MOST)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of logits and labels (B, K), scalar; labels that nobody knows do not count."""
        each = label_bce(logits, labels, self._softening(logits, labels))
        known = each.isfinite()
        each, s = each[known], self.s[known]
        if self.weighting == "uncertainty":
            return (torch.exp(-s) * each + s / 2).mean()
        if self.weighting == "learned-focal":
            return each.mean() + s.mean() / 2
        return each.mean()

    def _softening(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        if not self.weighting.endswith("focal"):
            return None
        p = torch.sigmoid(logits)
        wrong = torch.where(labels == 1, 1 - p, p)
        if self.weighting == "learned-focal":
            return wrong ** torch.exp(self.s)
        return torch.where(self.get_buffer("rare"), wrong**GAMMA, torch.ones_like(wrong))
