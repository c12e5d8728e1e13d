"""ARMED round the ICU network: what a unit adds to the risk, apart from what holds everywhere.

The cluster of a stay is its site (of PhysioNet 2012 the ICU type). The base network is not told
it; ``medview ablate icu`` compares it with and without effects, and with the type as a column.
``icu-armed`` is a model of such networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from medview.domain.training import Method
from medview.learning.armed_rules import (
    Asked,
    Opponent,
    Resting,
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
from medview.learning.site_effects import learns
from medview.models.armed import Armed, ArmedOutput, LossWeights, watching
from medview.models.fusion import FusionNet, last_valid

UNIT_COLUMNS = ("ICUType",)
"""Variables of the maps that say the unit."""
LEARNS = learns("base.net.head.")
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


def armed_net(net: FusionNet, units: int, seed: int) -> Armed:
    """Adversary and effects of so many units round a network of one risk."""
    base = Asking(net)
    example = torch.zeros(1, net.options.width), torch.ones(1, 2, dtype=torch.bool)
    return put_round(base, units, base.hidden_layers(), example, lambda said: said[:, 0], seed)


def inside(whole: nn.Module) -> FusionNet:
    """The network that effects were put round, or the network itself."""
    net = cast(Asking, whole.base).net if isinstance(whole, Armed) else whole
    assert isinstance(net, FusionNet)
    return net


@torch.no_grad()
def ask(armed: Armed, stays: StaySet, shares: Tensor) -> ArmedOutput:
    """Logits after the last hour, without and with the effects of units in `shares` (N, K)."""
    net = inside(armed)
    armed.eval()
    found = []
    for rows in torch.split(torch.arange(len(stays)), BLOCK):
        part = stays.only(rows)
        states = last_valid(net.states(part.series), part.lengths)
        found.append(armed((states, part.present), shares[rows]))
    both = [torch.cat([getattr(o, n) for o in found]) for n in ("fixed", "mixed", "seen")]
    return ArmedOutput(both[0], both[1], both[2], found[0].kl)


@torch.no_grad()
def average_layer(armed: Armed, stays: StaySet) -> Tensor:
    """The mean over stays of what the random slopes multiply, (units - 1,)."""
    net, name = inside(armed), armed.options.slopes_of
    armed.eval()
    found = []
    for rows in torch.split(torch.arange(len(stays)), BLOCK):
        part = stays.only(rows)
        with watching(armed.base, (name,)) as layers:
            armed.base(last_valid(net.states(part.series), part.lengths), part.present)
        found.append(layers[name].flatten(1))
    return torch.cat(found).mean(0)


@dataclass(slots=True, eq=False)
class ArmedFit(Fit):
    """A training of one risk with an adversary against the units and with their effects.

    The network starts and is given the stays as without them. `count` are the units that have
    effects, 0: those of the stays.
    """

    weights: LossWeights = field(default_factory=LossWeights)
    count: int = 0
    armed: Armed = None  # type: ignore[assignment]  # made below
    _opponent: Opponent = None  # type: ignore[assignment]  # made below
    _resting: Resting = field(default_factory=lambda: Resting((), ()))

    @property
    def units(self) -> int:
        """How many units have effects."""
        return self.count or int(cast(Tensor, self.train.cluster).max()) + 1

    @property
    def whole(self) -> nn.Module:
        """The network with its effects and the adversary."""
        return self.armed

    def _put_round(self) -> None:
        self.armed = armed_net(self.net, self.units, self.seed)

    def _begin(self) -> None:
        self._opponent = Opponent(self.armed, self.weights, self.recipe.rate, self.seed)
        Fit._begin(self)

    def go_on_from(self, state: Mapping[str, Tensor], method: Method, head: Sequence[str]) -> None:
        """Begin with given weights, and let all of them, head and effects, or effects learn.

        The effects of units without stays rest.
        """
        learns = LEARNS[method]
        Fit.go_on_from(self, state, "full" if method == "full" else "head", learns)
        without = set(range(self.units)) - set(cast(Tensor, self.train.cluster).tolist())
        self._resting = Resting(self.armed.named_parameters(), without)

    def _step(self, batch: StaySet) -> tuple[float, float]:
        told = Fit._step(self, batch)
        self._resting.put_back()
        return told

    def state(self) -> dict[str, Any]:
        """Also the adversary's own steps."""
        return {**Fit.state(self), "opponent": self._opponent.state()}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from ``state()``."""
        Fit.restore(self, kept)
        self._opponent.load(kept["opponent"])

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

    def ask(self, stays: StaySet, shares: Tensor) -> ArmedOutput:
        """Logits after the last hour, without and with the effects of units in `shares` (N, K)."""
        return ask(self.armed, stays, shares)

    def asked(self, stays: StaySet) -> Scores:
        """Probabilities (N, 1) as the variant says them."""
        return self.risks(stays)["own"][:, None]

    def risks(self, stays: StaySet) -> dict[str, Scores]:
        """Probabilities (N,): "own", as the variant says them, and "average" over units."""
        units = cast(Tensor, stays.cluster)
        return risks(lambda shares: self.ask(stays, shares), units, self.units, self.weights)

    def fixed(self, stays: StaySet) -> Scores:
        """Probabilities (N, 1) without the effect of a unit."""
        said = self.ask(stays, torch.zeros(len(stays), self.units)).fixed
        return np.asarray(torch.sigmoid(said).double().numpy()[:, None])

    def read_out(self, stays: StaySet, names: Sequence[str]) -> dict[tuple[str, str], float]:
        """What the effects are and what they do to the risk of these stays."""
        units = cast(Tensor, stays.cluster)
        said = self.ask(stays, one_hot(units, self.units))
        return read_out(self.armed, said, units, names, "units")


def unit_columns(variables: VariableMap) -> tuple[int, ...]:
    """The columns that say the unit; a network with effects of units is not shown them."""
    found, start = list[int](), 0
    for variable in variables.variables:
        if variable.name in UNIT_COLUMNS:
            found += range(start, start + variable.width)
        start += variable.width
    return tuple(found)
