"""ARMED round the chest network: what a source adds to the odds of a severe course.

Adversary and effects are of the outcome alone, and zones are learnt as without them. First weights,
films and draws are those of the network without effects, so that the two can be compared
(``cxr_compared``); ``cxr-armed`` is a model of such networks.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.errors import DataError
from medview.domain.training import Method
from medview.learning.armed_rules import (
    Asked,
    Opponent,
    Resting,
    numbered,
    one_hot,
    put_round,
)
from medview.learning.cxr_folds import Index
from medview.learning.cxr_given import Given
from medview.learning.cxr_phase import Run
from medview.learning.cxr_recipe import CxrRecipe
from medview.learning.ranks import ALONE, Ranks
from medview.learning.site_effects import EFFECTS, joined
from medview.learning.subset import TrainCase
from medview.models.armed import Armed, ArmedOutput, LossWeights, watching
from medview.models.mdmt import Mdmt, task_losses
from medview.models.site_mdmt import OUTCOME, SiteMdmt, watched

NET = "net"
DRAWS = 200
"""Draws of the posterior for the interval of a site's effect."""


def source_of(case: TrainCase) -> str:
    """The data set, hospital or maker that a film comes from."""
    return case.site


ClusterOf = Callable[[TrainCase], str]


def clusters_of(cases: Sequence[TrainCase], cluster_of: ClusterOf) -> list[str]:
    """Clusters with an outcome, by name."""
    return sorted({cluster_of(case) for case in cases if case.cells.get(OUTCOME)})


class Whole(nn.Module):
    """The network from what is learnt of its encoder on, called with a batch of ``Given``."""

    def __init__(self, net: Mdmt, *, pooled: bool) -> None:
        super().__init__()
        self.net, self.pooled = net, pooled

    def forward(self, inputs: Tensor, shares: Tensor) -> dict[str, Tensor]:
        """Outputs by task."""
        said: dict[str, Tensor] = self.net(
            inputs if self.pooled else self.net.run_tail(inputs, shares)
        )
        return said


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Effects to learn: what each term of the loss counts, and of which clusters.

    Of weights to start from, `known` are their clusters, in their places, and `start` is the state.
    """

    weights: LossWeights
    cluster_of: ClusterOf = source_of
    known: tuple[str, ...] = ()
    start: Mapping[str, Tensor] = field(default_factory=dict)


class ArmedRun(Run):
    """The last phase of a training, with adversary and effects of the clusters of its films."""

    def __init__(
        self,
        recipe: CxrRecipe,
        given: Given,
        parts: tuple[Index, Index],
        model: Mdmt,
        phase: str,
        seed: int,
        folder: Path | None = None,
        ranks: Ranks = ALONE,
        learns: Method = "full",
        *,
        effects: Effects,
    ) -> None:
        cases, self.weights = given.films.cases, effects.weights
        here = clusters_of([cases[n] for n in parts[0]], effects.cluster_of)
        self.names = joined(effects.known, here)
        scored = learns != "site-effects" and any(cases[n].cells.get("brixia") for n in parts[0])
        if not self.names or not (any(here) or scored):
            raise DataError(
                "no film to train on has an outcome and a site, which effects of sites need",
                code="MV-DAT-156",
                do="Give such films, or train the model without effects of sites.",
            )
        self.clusters = numbered([effects.cluster_of(case) for case in cases], self.names)
        self.count = len(self.names)
        nobody = np.zeros(1, np.intp)
        self.armed: Armed = put_round(
            Whole(model, pooled=given.pooled is not None), self.count,
            tuple(f"{NET}.{layer}" for layer in watched(model.options)),
            given.batch(nobody, nobody), lambda said: said[OUTCOME][:, 1] - said[OUTCOME][:, 0],
            seed,
        )  # fmt: skip
        begin_with(self.armed, effects.start)
        without = (n for n, name in enumerate(self.names) if name not in here)
        self._resting = Resting(self.armed.named_parameters(), without)
        self._opponent = Opponent(self.armed, self.weights, recipe.rate, seed)
        super().__init__(recipe, given, parts, model, phase, seed, folder, ranks, learns)

    @property
    def network(self) -> SiteMdmt:
        """The network with its effects, as it answers."""
        with torch.random.fork_rng(devices=[]):  # who looks at it does not change the draws
            made = SiteMdmt(self.model.options, copy.deepcopy(self.model.tail), self.names)
        state = self.armed.state_dict()
        made.load_state_dict({n.removeprefix(f"base.{NET}."): v for n, v in state.items()})
        return made

    def _step(self) -> dict[str, float]:
        told = super()._step()
        self._resting.put_back()
        return told

    def _own_state(self) -> dict[str, Any]:
        return self._opponent.state()

    def _take_own(self, kept: Mapping[str, Any]) -> None:
        self._opponent.load(kept)

    @property
    def whole(self) -> nn.Module:
        """The network with its effects."""
        return self.armed

    def _learnt(self) -> list[nn.Parameter]:
        return [p for p in self.armed.main_parameters() if p.requires_grad]

    def ask(
        self, chosen: Index, copies: Index, shares: Tensor, noise: Tensor | None = None
    ) -> tuple[dict[str, Tensor], ArmedOutput]:
        """What is said of films by task, and of the outcome with effects of clusters (n, K)."""
        with watching(self.armed.base, (NET,)) as layers:
            armed: ArmedOutput = self.armed(self.given.batch(chosen, copies), shares, noise)
        heads: Mapping[str, Tensor] = layers[NET]  # type: ignore[assignment]  # outputs by task
        return dict(heads), armed

    def _losses(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> dict[str, Tensor]:
        cluster = self.clusters[torch.from_numpy(chosen)]
        shares = one_hot(cluster, self.count)
        said, armed = self.ask(chosen, copies, shares, self._opponent.noise())
        targets = self.given.targets(chosen, copies)
        losses = task_losses({t: rows for t, rows in said.items() if t != OUTCOME}, targets)
        truth = targets[OUTCOME]
        known = truth.isfinite() & (cluster >= 0)
        if known.any():
            only = ArmedOutput(armed.fixed[known], armed.mixed[known], armed.seen[known], armed.kl)
            losses[OUTCOME] = self._opponent.loss([Asked(1.0, only, truth[known], cluster[known])])
        elif not any(loss.requires_grad for loss in losses.values()):
            losses[OUTCOME] = 0.0 * armed.mixed.sum()  # nothing of the batch moves what learns
        return losses

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """As without effects; the outcome is judged as the variant will say it."""
        if not len(self.val):
            return {}
        self.armed.eval()
        plain = np.zeros(len(self.val), np.intp)
        cluster = self.clusters[torch.from_numpy(self.val)]
        said, armed = self.ask(self.val, plain, one_hot(cluster, self.count))
        logit = armed.fixed if self.weights.mixed == 0 else armed.mixed
        said[OUTCOME] = torch.stack([torch.zeros_like(logit), logit], 1)
        found = task_losses(said, self.given.targets(self.val, plain))
        return {task: value.item() for task, value in found.items()}


@torch.no_grad()
def begin_with(armed: Armed, start: Mapping[str, Tensor]) -> None:
    """Take effects and adversary from a state (``SiteMdmt``), whose clusters are the first ones.

    What is new, or of another size, keeps its start.
    """
    for name, value in armed.state_dict().items():
        old = start.get(name)
        if old is not None and name.startswith(EFFECTS):
            value[: len(old)] = old
        elif old is not None and old.shape == value.shape:
            value.copy_(old)


@torch.no_grad()
def what_sites_add(model: SiteMdmt, given: Given, seed: int) -> list[dict[str, object]]:
    """What each site adds to the log-odds of SEVERE, mean over all films with an outcome.

    With the 2.5th and 97.5th percentile over draws of the effects, and the films of the site;
    nothing without such films.
    """
    films = [n for n, case in enumerate(given.films.cases) if case.cells.get(OUTCOME)]
    if not films:
        return []
    chosen = np.array(films, np.intp)
    inputs, shares = given.batch(chosen, np.zeros(len(films), np.intp))
    pooled = inputs if given.pooled is not None else model.run_tail(inputs, shares)
    hidden = model.hidden(pooled).mean(0)
    dice = torch.Generator().manual_seed(seed)
    rows = Counter(given.films.cases[n].site for n in films)
    found: list[dict[str, object]] = []
    for k, site in enumerate(model.sites):
        slopes, shift = model.slopes, model.intercept
        noise = torch.randn(DRAWS, len(hidden), generator=dice)
        drawn = (slopes.mu[k] + slopes.sd[k] * noise) @ hidden
        drawn += shift.mu[k] + shift.sd[k] * torch.randn(DRAWS, generator=dice)
        low, high = np.percentile(drawn.numpy(), (2.5, 97.5)).tolist()
        middle = float(slopes.mu[k] @ hidden + shift.mu[k, 0])
        value = {"effect_log_odds": middle, "low": low, "high": high}
        found.append(
            {"site": site, "rows": rows[site], **{n: round(v, 3) for n, v in value.items()}}
        )
    return found
