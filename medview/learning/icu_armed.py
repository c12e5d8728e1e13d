"""ARMED round the ICU network: what a unit adds to the risk, apart from what holds everywhere.

The cluster of a stay is its site (of PhysioNet 2012 the ICU type). The base network is not told
it; ``medview ablate icu`` compares it with and without effects, and with the type as a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import Tensor, nn

from medview.learning.armed_rules import (
    Asked,
    Opponent,
    Scores,
    one_hot,
    put_round,
    read_out,
    risks,
)
from medview.learning.checkpoint import refuse_not_finite
from medview.learning.icu_asked import states_at
from medview.learning.icu_fit import Fit, StaySet
from medview.learning.icu_variables import VariableMap
from medview.models.armed import Armed, ArmedOutput, LossWeights
from medview.models.fusion import FusionNet, last_valid

UNIT_COLUMNS = ("ICUType",)
"""Variables of the maps that say the unit."""
BLOCK = 256


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
    _opponent: Opponent = None  # type: ignore[assignment]  # made below

    @property
    def units(self) -> int:
        """How many units have effects."""
        return int(cast(Tensor, self.train.cluster).max()) + 1

    def _begin(self) -> None:
        base = Asking(self.net)
        example = torch.zeros(1, self.net.options.width), torch.ones(1, 2, dtype=torch.bool)
        self.armed = put_round(
            base, self.units, base.hidden_layers(), example, lambda said: said[:, 0], self.seed
        )
        self._opponent = Opponent(self.armed, self.weights, self.recipe.rate, self.seed)
        Fit._begin(self)

    def _learnt(self) -> list[nn.Parameter]:
        return self.armed.main_parameters()

    def _learn(self, batch: StaySet) -> Tensor:
        """First the adversary learns from the layers as they are, then all the others."""
        loss = self._opponent.loss(list(self._armed(batch, self._opponent.noise())))
        refuse_not_finite(loss, self.done + 1)
        torch.autograd.backward(loss)
        return loss.detach()

    def _armed(self, batch: StaySet, noise: Tensor) -> Iterator[Asked]:
        """What the last hour and the earlier ones count, say, should say, and their units."""
        states, before = states_at(
            self.net, batch.series, batch.lengths, lambda: self._earlier(batch)
        )
        yield self._one(batch, 1.0, states, 1, noise)
        if self.recipe.rungs:
            share, rungs = self.recipe.rungs_share, self.recipe.rungs
            yield self._one(batch, share, before().flatten(0, 1), rungs, noise)

    def _one(self, batch: StaySet, share: float, states: Tensor, each: int, noise: Tensor) -> Asked:
        present, truth, units = (
            one.repeat_interleave(each, 0)
            for one in (batch.present, batch.labels[:, 0], cast(Tensor, batch.cluster))
        )
        said = self.armed((states, present), one_hot(units, self.units), noise)
        return Asked(share, said, truth, units)

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
        """Probabilities (N,): "own", as the variant says them, and "average" over units."""
        units = cast(Tensor, stays.cluster)
        return risks(lambda shares: self.ask(stays, shares), units, self.units, self.weights)

    def read_out(self, stays: StaySet, names: Sequence[str]) -> dict[tuple[str, str], float]:
        """What the effects are and what they do to the risk of these stays."""
        units = cast(Tensor, stays.cluster)
        said = self.ask(stays, one_hot(units, self.units))
        return read_out(self.armed, said, units, names, "units")


def untold(stays: StaySet, variables: VariableMap) -> StaySet:
    """The stays with the columns that say the unit blanked."""
    series, start = stays.series.clone(), 0
    for variable in variables.variables:
        if variable.name in UNIT_COLUMNS:
            series[:, :, start : start + variable.width] = 0.0
        start += variable.width
    return replace(stays, series=series)
