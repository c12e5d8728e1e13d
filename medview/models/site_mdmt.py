"""MDMT with effects of sites on its outcome, as ARMED adds them (``models.armed``)."""

from __future__ import annotations

from typing import Self, cast

import torch
from torch import Tensor, nn

from medview.models.armed import RandomEffects, perceptron
from medview.models.mdmt import Mdmt, MdmtOptions

OUTCOME = "prognosis"
GUESSING = (32,)
"""Widths of the adversary's hidden layers."""
OWN = ("slopes.", "intercept.", "adversary.")
"""How the names of the parameters begin that a network without effects does not have."""


def watched(options: MdmtOptions) -> tuple[str, ...]:
    """Layers from which the adversary guesses the site; random slopes multiply the last one.

    Both hidden layers of the head of the outcome (``mdmt.deep_head``), after their ReLU; the small
    head of single-task nets has none, and what is given to it stands in for them.
    """
    if options.single:
        return ("adapter",)
    return tuple(f"heads.{OUTCOME}.{n}" for n in (1, 4))


class SiteMdmt(Mdmt):
    """A network whose log-odds of SEVERE have a random slope for each value of the last hidden
    layer and a random intercept, of each site that it was trained on.

    Called like ``Mdmt`` it says what holds everywhere (the fixed effects). The adversary, which
    guesses the site, is there for a training that goes on.
    """

    def __init__(
        self, options: MdmtOptions, tail: nn.Sequential | None, sites: tuple[str, ...]
    ) -> None:
        super().__init__(options, tail)
        self.sites = sites
        head = cast(nn.Sequential, self.heads[OUTCOME])
        linear = [part for part in head if isinstance(part, nn.Linear)]
        width = linear[-1].in_features
        seen = width if options.single else sum(part.out_features for part in linear[:-1])
        self.adversary = perceptron((seen, *GUESSING, len(sites)))
        # Priors count in a training only, which brings its own (``learning.armed_rules``).
        self.slopes = RandomEffects(len(sites), width, 1.0, 0.0)
        self.intercept = RandomEffects(len(sites), 1, 1.0, 0.0)

    def like(self, tail: nn.Sequential) -> Self:
        """An untrained network of the same parts and sites with another ``tail``."""
        return type(self)(self.options, tail, self.sites)

    @torch.no_grad()
    def at(self, site: int) -> Mdmt:
        """The network of one site (its place among ``sites``), or of none (-1).

        The effects multiply and shift what the last layer of the head does anyway: they are added
        to its weights of SEVERE, so that maps and scores come from one ordinary network.
        """
        made = Mdmt(self.options, self.tail)
        state = {n: v for n, v in self.state_dict().items() if not n.startswith(OWN)}
        made.to(self.get_buffer("mean").device).load_state_dict(state)
        if site >= 0:
            last = cast(nn.Linear, cast(nn.Sequential, made.heads[OUTCOME])[-1])
            last.weight[1] += self.slopes.mu[site]
            last.bias[1] += self.intercept.mu[site, 0]
        return made.eval()

    def hidden(self, pooled: Tensor) -> Tensor:
        """The last hidden layer of the head of the outcome, (B, h), of films (B, 7, F)."""
        head = cast(nn.Sequential, self.heads[OUTCOME])
        found: Tensor = head[:-1](self.adapter(self.standardised(pooled)[:, 0]))
        return found

    def outcome_at(self, pooled: Tensor, sites: Tensor) -> Tensor:
        """Logits of the outcome (B, 2) of films (B, 7, F), with the effects of `sites` (B,)."""
        hidden = self.hidden(pooled)
        z = (sites[:, None] == torch.arange(len(self.sites), device=sites.device)).float()
        added = (self.slopes(z) * hidden).sum(1) + self.intercept(z).squeeze(-1)
        logits = cast(nn.Sequential, self.heads[OUTCOME])[-1](hidden)
        return torch.stack([logits[:, 0], logits[:, 1] + added], 1)
