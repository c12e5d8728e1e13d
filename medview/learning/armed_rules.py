"""ARMED round a network that is trained here: its variants, its steps, and what it says.

A cluster is a number from 0 on; ``UNKNOWN`` is one without effects, which gets what holds
everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from medview.domain.ablation import Scored
from medview.learning.site_effects import EFFECTS
from medview.models.armed import Armed, ArmedOptions, ArmedOutput, LossWeights, main_loss

Scores = NDArray[np.float64]
UNKNOWN = -100
"""Number of a cluster without effects; losses of the adversary pass over it."""
# Variant -> the weights of its loss, those of the paper's network of pictures. Its tabular task has
# 5 for the adversary; a large weight may send a small network to one answer for all. The priors (in
# `put_round`) are those of the tabular task; effects start nearer to none, at 0.01 instead of 0.1.
RULES: dict[str, LossWeights] = {
    "armed": LossWeights(1.0, 1.0, 0.1, 1e-3),
    "armed-no-adversary": LossWeights(1.0, 1.0, 0.0, 1e-3),
    "adversary-only": LossWeights(0.0, 1.0, 0.1, 0.0),
}


def put_round(
    base: nn.Module,
    clusters: int,
    layers: tuple[str, ...],
    example: tuple[Any, ...],
    read: Callable[[Any], Tensor],
    seed: int,
) -> Armed:
    """Adversary and effects round a network of one risk; its own start is not disturbed.

    The adversary reads `layers`; random slopes multiply the last of them. The other words are
    those of ``Armed``.
    """
    options = ArmedOptions(
        clusters, layers, "hidden", layers[-1], adversary=(32,),
        prior_slope=0.15, prior_intercept=0.1, start_slope=0.01, start_intercept=0.01,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Armed(base.eval(), options, example, read=read)


class Resting:
    """Effects of clusters without cases, which a training leaves as they are.

    Nothing is learnt of them, but their prior draws them to 0, and Adam's steps are as long for
    that small a slope as for any.

    Parameters
    ----------
    named : iterable of (str, Tensor)
        Parameters of a network; of the effects among them `along` is the axis of the clusters.
    clusters : iterable of int
        Those without cases.
    """

    def __init__(
        self, named: Iterable[tuple[str, Tensor]], clusters: Iterable[int], along: int = 0
    ) -> None:
        self._along = along
        self._clusters = torch.tensor(sorted(clusters), dtype=torch.long)
        self._kept = [
            (value.detach(), value.detach().index_select(along, self._clusters))
            for name, value in named
            if name.startswith(EFFECTS)
        ]

    def put_back(self) -> None:
        """Set them to what they were."""
        for value, kept in self._kept:
            value.index_copy_(self._along, self._clusters, kept)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Rows that count a `share` of the loss: what is said of them, their truth and cluster (n,)."""

    share: float
    said: ArmedOutput
    truth: Tensor
    cluster: Tensor


class Opponent:
    """The adversary's own steps, and the draws of the effects, in a training of `armed`."""

    def __init__(self, armed: Armed, weights: LossWeights, rate: float, seed: int) -> None:
        self.armed, self.weights = armed, weights
        self._dice = torch.Generator().manual_seed(seed)
        self._resist = torch.optim.Adam(armed.adversary.parameters(), rate)

    def noise(self) -> Tensor:
        """One draw of the effects, for all rows of a step."""
        return torch.randn(self.armed.options.clusters, self.armed.units, generator=self._dice)

    def state(self) -> dict[str, Any]:
        """What is needed to go on: the adversary's optimiser, and the next draw."""
        return {"resist": self._resist.state_dict(), "dice": self._dice.get_state()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self._resist.load_state_dict(state["resist"])
        self._dice.set_state(state["dice"])

    def loss(self, asked: Sequence[Asked]) -> Tensor:
        """Let the adversary learn from the layers as they are; the loss of all the others.

        It looks at rows of known clusters only, and stands still where the layers do.
        """
        guess = self.armed.adversary
        resisted = [
            one.share * F.cross_entropy(*_told(guess(one.said.seen.detach()), one.cluster))
            for one in asked
        ]
        if resisted[0].requires_grad:
            self._resist.zero_grad()
            torch.autograd.backward(torch.stack(resisted).sum())
            self._resist.step()
        parts = []
        for one in asked:
            guesses, cluster = _told(guess(one.said.seen), one.cluster)
            main = main_loss("binary", one.said, guesses, one.truth, cluster, self.weights)
            parts.append(one.share * main)
        return torch.stack(parts).sum()


def _told(guess: Tensor, cluster: Tensor) -> tuple[Tensor, Tensor]:
    """Guesses (n, K) and clusters (n,) of the rows whose cluster is known.

    Without any a guess that says nothing: the mean of no losses is no number.
    """
    known = cluster >= 0
    if known.all():
        return guess, cluster
    if known.any():
        return guess[known], cluster[known]
    return guess[:1] * 0.0, torch.zeros_like(cluster[:1])


def one_hot(clusters: Tensor, count: int) -> Tensor:
    """Clusters (n,) as rows (n, count); one without effects is all zeros."""
    known = clusters >= 0
    return F.one_hot(torch.where(known, clusters, 0), count).float() * known[:, None]


def numbered(clusters: Iterable[str], names: Sequence[str]) -> Tensor:
    """The number of each cluster among `names`, (n,)."""
    place = {name: n for n, name in enumerate(names)}
    return torch.tensor([place.get(one, UNKNOWN) for one in clusters])


def risks(
    ask: Callable[[Tensor], ArmedOutput], clusters: Tensor, count: int, weights: LossWeights
) -> dict[str, Scores]:
    """Probabilities (n,): "own" as the variant says them (a cluster without effects has none), and
    "average": as every cluster in turn would. `ask` is given shares of the clusters (n, count).
    """
    own = ask(one_hot(clusters, count)).mixed
    each = [torch.sigmoid(ask(one.expand(len(clusters), -1)).mixed) for one in torch.eye(count)]
    if weights.mixed == 0:  # the effects have learnt nothing
        own = ask(torch.zeros(len(clusters), count)).fixed
    return {"own": torch.sigmoid(own).double().numpy(),
            "average": torch.stack(each).mean(0).double().numpy()}  # fmt: skip


def read_out(
    armed: Armed, said: ArmedOutput, clusters: Tensor, names: Sequence[str], whole: str
) -> dict[tuple[str, str], float]:
    """By cluster its random intercept and what it adds to the log-odds of its rows, (mean); of
    all (named `whole`) the spread of the slopes over clusters, the share of effects in the variance
    of the log-odds, and how often the adversary guesses the cluster, beside the commonest one.
    """
    known = clusters >= 0
    added = said.mixed - said.fixed
    found = {}
    for k, name in enumerate(names):
        found[name, "random_intercept"] = float(armed.intercept.mu[k, 0].detach())
        if (clusters == k).any():
            found[name, "added_log_odds"] = float(added[clusters == k].mean())
    if len(names) > 1:
        found[whole, "slope_spread"] = float(armed.slopes.mu.detach().std(0).mean())
    if known.any():
        found[whole, "effect_share"] = float(added.var() / (added.var() + said.fixed.var()))
        guess = armed.adversary(said.seen).argmax(1)
        found[whole, "adversary_right"] = float((guess == clusters)[known].float().mean())
        counts = torch.bincount(clusters[known])
        found[whole, "commonest_unit"] = float(counts.max() / counts.sum())
    return found


def effect_rows(found: dict[tuple[str, str], float], subset: str, fold: str) -> list[Scored]:
    """Effects as figures: one value a run."""
    who = (f"fold {fold}",)
    return [
        Scored(cluster, (name,), who, who, (0.0,), (value,), subset, "effect")
        for (cluster, name), value in found.items()
    ]
