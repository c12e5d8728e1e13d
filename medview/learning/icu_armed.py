"""ARMED round the ICU network: what a unit adds to the risk, apart from what holds everywhere.

The cluster of a stay is its site (of PhysioNet 2012 the ICU type). The base network is not told
it; ``medview ablate icu`` compares it with and without effects, and with the type as a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from medview.learning.checkpoint import refuse_not_finite
from medview.learning.icu_asked import states_at
from medview.learning.icu_fit import Fit, StaySet
from medview.learning.icu_stays import Stay
from medview.learning.icu_variables import VariableMap
from medview.models.armed import Armed, ArmedOptions, ArmedOutput, LossWeights, main_loss
from medview.models.fusion import FusionNet, last_valid

Scores = NDArray[np.float64]
UNIT_COLUMNS = ("ICUType",)
"""Variables of the maps that say the unit."""
UNKNOWN = -100
"""Number of a unit without effects; losses of the adversary pass over it."""
BLOCK = 256


# Variant -> the weights of its loss, none: no effects and no adversary. The unit is a column in
# none of them. Priors and the weight of the KL term are those of the paper's tabular task.
RULES: dict[str, LossWeights | None] = {
    "no-type": None,
    "armed": LossWeights(1.0, 1.0, 0.1, 1e-3),
    "armed-no-adversary": LossWeights(1.0, 1.0, 0.0, 1e-3),
    "adversary-only": LossWeights(0.0, 1.0, 0.1, 0.0),
}


class Asking(nn.Module):
    """The network from the state of the series on, its hidden layers by name for the adversary."""

    def __init__(self, net: FusionNet) -> None:
        super().__init__()
        self.net, self.state = net, nn.Identity()

    def forward(self, states: Tensor, present: Tensor) -> Tensor:
        """Logits (B, 1) of states (B, width)."""
        tokens = self.net.tokens(self.state(states), None, present)
        return self.net.fuse(tokens, present)

    def hidden_layers(self) -> tuple[str, ...]:
        """Names of the layers before the head, the last one last."""
        blocks = self.net.options.blocks if self.net.options.fusing == "attention" else 0
        return ("state", *(f"net.transformer.{n}" for n in range(blocks)))


@dataclass(slots=True, eq=False)
class ArmedFit(Fit):
    """A training of one risk with an adversary against the units and with their effects.

    The network starts and is given the stays as without them.
    """

    weights: LossWeights = field(default_factory=LossWeights)
    armed: Armed = None  # type: ignore[assignment]  # made below
    _resist: torch.optim.Optimizer = None  # type: ignore[assignment]  # made below
    _dice: torch.Generator = None  # type: ignore[assignment]  # made below

    @property
    def units(self) -> int:
        """How many units have effects."""
        return int(cast(Tensor, self.train.cluster).max()) + 1

    def _begin(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.armed = self._round(self.net)
        self._dice = torch.Generator().manual_seed(self.seed)
        self._resist = torch.optim.Adam(self.armed.adversary.parameters(), self.recipe.rate)
        Fit._begin(self)

    def _round(self, net: FusionNet) -> Armed:
        base = Asking(net).eval()
        layers = base.hidden_layers()
        options = ArmedOptions(
            self.units, layers, "hidden", layers[-1], adversary=(32,),
            prior_slope=0.15, prior_intercept=0.1, start_slope=0.01, start_intercept=0.01,
        )  # fmt: skip
        example = torch.zeros(1, net.options.width), torch.ones(1, 2, dtype=torch.bool)
        return Armed(base, options, example, read=lambda said: said[:, 0])

    def _learnt(self) -> list[nn.Parameter]:
        return self.armed.main_parameters()

    def _learn(self, batch: StaySet) -> Tensor:
        """First the adversary learns from the layers as they are, then all the others."""
        noise = torch.randn(self.units, self.armed.units, generator=self._dice)
        asked = list(self._armed(batch, noise))
        resisted = [
            share * self._guessed(said.seen.detach(), units) for share, said, _, units in asked
        ]
        self._resist.zero_grad()
        torch.autograd.backward(torch.stack(resisted).sum())
        self._resist.step()
        parts = []
        for share, said, truth, units in asked:
            guess = self.armed.adversary(said.seen)
            parts.append(share * main_loss("binary", said, guess, truth, units, self.weights))
        loss = torch.stack(parts).sum()
        refuse_not_finite(loss, self.done + 1)
        torch.autograd.backward(loss)
        return loss.detach()

    def _guessed(self, seen: Tensor, units: Tensor) -> Tensor:
        return F.cross_entropy(self.armed.adversary(seen), units)

    def _armed(
        self, batch: StaySet, noise: Tensor
    ) -> Iterator[tuple[float, ArmedOutput, Tensor, Tensor]]:
        """What the last hour and the earlier ones count, say, should say, and their units."""
        states, before = states_at(
            self.net, batch.series, batch.lengths, lambda: self._earlier(batch)
        )
        yield self._one(batch, 1.0, states, 1, noise)
        if self.recipe.rungs:
            share, rungs = self.recipe.rungs_share, self.recipe.rungs
            yield self._one(batch, share, before().flatten(0, 1), rungs, noise)

    def _one(
        self, batch: StaySet, share: float, states: Tensor, each: int, noise: Tensor
    ) -> tuple[float, ArmedOutput, Tensor, Tensor]:
        present, truth, units = (
            one.repeat_interleave(each, 0)
            for one in (batch.present, batch.labels[:, 0], cast(Tensor, batch.cluster))
        )
        said = self.armed((states, present), one_hot(units, self.units), noise)
        return share, said, truth, units

    @torch.no_grad()
    def ask(self, stays: StaySet, shares: Tensor) -> ArmedOutput:
        """Logits after the last hour, without and with the effects of units in `shares` (N, K)."""
        self.net.eval()
        self.armed.eval()
        found = []
        for rows in torch.split(torch.arange(len(stays)), BLOCK):
            part = stays.only(rows)
            states = last_valid(self.net.states(part.series), part.lengths)
            found.append(self.armed((states, part.present), shares[rows]))
        both = [torch.cat([getattr(o, n) for o in found]) for n in ("fixed", "mixed", "seen")]
        return ArmedOutput(both[0], both[1], both[2], found[0].kl)

    def risks(self, stays: StaySet) -> dict[str, Scores]:
        """Probabilities (N,): as the variant says them (a unit without effects has none), and
        "average": as every unit in turn would.
        """
        own = self.ask(stays, one_hot(cast(Tensor, stays.cluster), self.units)).mixed
        each = [torch.sigmoid(self.ask(stays, one.expand(len(stays), -1)).mixed)
                for one in torch.eye(self.units)]  # fmt: skip
        if self.weights.mixed == 0:  # the effects have learnt nothing
            own = self.ask(stays, torch.zeros(len(stays), self.units)).fixed
        return {"own": torch.sigmoid(own).double().numpy(),
                "average": torch.stack(each).mean(0).double().numpy()}  # fmt: skip

    def read_out(self, stays: StaySet, names: Sequence[str]) -> dict[tuple[str, str], float]:
        """By unit its random intercept and what it adds to the log-odds of its stays, (mean); of
        all the spread of the slopes over units, the share of effects in the variance of the
        log-odds, and how often the adversary guesses the unit, beside the commonest one.
        """
        units = cast(Tensor, stays.cluster)
        known = units >= 0
        said = self.ask(stays, one_hot(units, self.units))
        added = said.mixed - said.fixed
        found = {}
        for k, name in enumerate(names):
            found[name, "random_intercept"] = float(self.armed.intercept.mu[k, 0].detach())
            if (units == k).any():
                found[name, "added_log_odds"] = float(added[units == k].mean())
        found["units", "slope_spread"] = float(self.armed.slopes.mu.detach().std(0).mean())
        if known.any():
            share = added.var() / (added.var() + said.fixed.var())
            found["units", "effect_share"] = float(share)
            guess = self.armed.adversary(said.seen).argmax(1)
            found["units", "adversary_right"] = float((guess == units)[known].float().mean())
            counts = torch.bincount(units[known])
            found["units", "commonest_unit"] = float(counts.max() / counts.sum())
        return found


def one_hot(units: Tensor, count: int) -> Tensor:
    """Units (n,) as rows (n, count); one without effects is all zeros."""
    known = units >= 0
    return F.one_hot(torch.where(known, units, 0), count).float() * known[:, None]


def numbered(stays: Sequence[Stay], names: Sequence[str]) -> Tensor:
    """The number of each stay's unit among `names`, (N,)."""
    place: dict[str, Any] = {name: n for n, name in enumerate(names)}
    return torch.tensor([place.get(stay.case.site, UNKNOWN) for stay in stays])


def untold(stays: StaySet, variables: VariableMap) -> StaySet:
    """The stays with the columns that say the unit blanked."""
    series, start = stays.series.clone(), 0
    for variable in variables.variables:
        if variable.name in UNIT_COLUMNS:
            series[:, :, start : start + variable.width] = 0.0
        start += variable.width
    return replace(stays, series=series)
