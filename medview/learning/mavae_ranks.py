"""Members of an ensemble dealt to several processes: each trains its own, and all know all.

Members do not touch each other, so that no gradient is exchanged. Every process draws the numbers
of all members, as one process would, and takes those of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from medview.domain.errors import UsageError
from medview.learning.ranks import Ranks
from medview.models.mavae import Rows


@dataclass(frozen=True, slots=True)
class Deal:
    """Which of `count` members this process trains.

    Raises
    ------
    UsageError
        If there are more processes than members.
    """

    ranks: Ranks
    count: int

    def __post_init__(self) -> None:
        if self.ranks.world > self.count:
            raise UsageError(
                f"{self.count} networks cannot be dealt to {self.ranks.world} processes",
                do=f'Start at most {self.count}, or train more (setting "members").',
            )

    @property
    def own(self) -> slice:
        """Its members."""
        return self.ranks.rows

    def rows(self, every: Rows) -> Rows:
        """The rows of its members of those (K, B, ...) of all."""
        inputs, present = (
            {role: value[self.own] for role, value in part.items()}
            for part in (every.inputs, every.present)
        )
        return Rows(inputs, present, every.age[self.own], every.sex[self.own])

    def average(self, values: Tensor) -> Tensor:
        """Of values (k,) of its members what, averaged over processes, is the mean of all."""
        return values.mean() * (len(values) * self.ranks.world / self.count)

    def gathered(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Values (K, ...) of all members from those (k, ...) of each process."""
        return {n: self.ranks.whole(value.detach(), self.count) for n, value in state.items()}

    def gathered_optimiser(self, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
        """The state of an optimiser of all members; counts of steps are the same in all."""
        kept = optimiser.state_dict()
        state = {
            n: {k: v if v.dim() == 0 else self.ranks.whole(v, self.count) for k, v in one.items()}
            for n, one in kept["state"].items()
        }
        return {**kept, "state": state}

    def load_optimiser(self, optimiser: torch.optim.Optimizer, kept: Mapping[str, Any]) -> None:
        """Take the part of its members."""
        state = {
            n: {k: v if v.dim() == 0 else v[self.own].clone() for k, v in one.items()}
            for n, one in kept["state"].items()
        }
        optimiser.load_state_dict({**kept, "state": state})

    def spread(self, network: nn.Module) -> None:
        """Replace dropouts in place: each draws for all members and takes those of its own."""
        if self.ranks.world < 2:
            return
        for parent in list(network.modules()):
            for name, part in list(parent.named_children()):
                if type(part) is nn.Dropout:
                    setattr(parent, name, MemberDropout(part.p, self))


class MemberDropout(nn.Dropout):
    """Dropout of stacked members whose draws are those of all members in one process."""

    def __init__(self, p: float, deal: Deal) -> None:
        super().__init__(p)
        self._deal = deal

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) of one member, under ``vmap`` over the members of this process."""
        if not self.training or self.p == 0:
            return x
        kept: Tensor = _Kept.apply(x.detach(), self.p, self._deal)  # type: ignore[no-untyped-call]  # torch has none
        return x * kept


class _Kept(torch.autograd.Function):
    """What is kept of activations, 1 / (1 - p) or 0; only ``vmap`` knows whose they are."""

    @staticmethod
    def forward(x: Tensor, p: float, deal: Deal) -> Tensor:
        """Of activations (k, B, ...) of the members of this process."""
        every = x.new_empty((deal.count, *x.shape[1:]))
        return every.bernoulli_(1 - p).div_(1 - p)[deal.own]

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: object) -> None:
        """Nothing is kept: no gradient goes through."""

    @staticmethod
    def vmap(
        info: object, in_dims: tuple[int | None, ...], x: Tensor, p: float, deal: Deal
    ) -> tuple[Tensor, int]:
        """All members at once."""
        return _Kept.forward(x.movedim(in_dims[0] or 0, 0), p, deal), 0
