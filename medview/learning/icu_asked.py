"""What a step of training asks of a fusion network: the end of each stay, and hours before it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medview.learning.ranks import repeated
from medview.models.fusion import FusionNet, last_valid


class AskedHours(nn.Module):
    """A network with all that a step asks of it in one call.

    Several processes need that: gradients are added up when the one call of a step goes back.
    """

    def __init__(self, net: FusionNet, rungs: int) -> None:
        super().__init__()
        self.net, self.rungs = net, rungs

    def forward(
        self,
        series: Tensor,
        film: Tensor | None,
        present: Tensor,
        lengths: Tensor,
        earlier: Callable[[], Tensor],
    ) -> tuple[Tensor, Tensor | None]:
        """Logits after the last hour, (B, K), and at earlier ones, (B, rungs, K); these only
        without films. `earlier` draws the hours, (B, rungs).
        """
        token = None if film is None else self.net.film_token(film)
        last, before = states_at(self.net, series, lengths, earlier)
        said = self._fused(last, token, present)
        if not self.rungs or film is not None:
            return said, None
        with repeated(self.net, self.rungs):
            states, there = before().flatten(0, 1), present.repeat_interleave(self.rungs, 0)
            rungs = self._fused(states, None, there)
        return said, rungs.view(len(series), self.rungs, rungs.shape[1])

    def _fused(self, states: Tensor, film: Tensor | None, present: Tensor) -> Tensor:
        return self.net.fuse(self.net.tokens(states, film, present), present)


def states_at(
    net: FusionNet, series: Tensor, lengths: Tensor, earlier: Callable[[], Tensor]
) -> tuple[Tensor, Callable[[], Tensor]]:
    """States after the last hour, (B, width), and what gives those of earlier hours, (B, hours,
    width). An encoder of single hours sees only the hours that are asked.
    """
    rows = torch.arange(len(series), device=series.device)[:, None]
    if net.options.encoder == "hourly":
        hours = torch.cat([lengths[:, None], earlier()], 1)
        found = net.states(series[rows, hours - 1])
        return found[:, 0], lambda: found[:, 1:]
    states = net.states(series)
    return last_valid(states, lengths), lambda: states[rows, earlier() - 1]
