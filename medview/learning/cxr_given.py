"""Films as a training is given them, and what a network says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.progress import Progress
from medview.learning.cxr_recipe import ALL
from medview.learning.film_set import FilmSet, mirror_targets, pooled_features, targets_of
from medview.learning.site_effects import FIXED, GivenSite
from medview.models.backbones import Backbone
from medview.models.mdmt import Mdmt, refuse_foreign
from medview.models.site_mdmt import SiteMdmt


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What the trained part sees of n films in c copies, and their labels.

    `pooled` (n, c, 7, F) where the encoder is frozen; else `maps` (n, c, C, h, w) before the
    first trained stage. `labels` and `turned` (of mirrored copies) by task.
    """

    films: FilmSet
    backbone: Backbone
    frozen: int
    labels: dict[str, Tensor]
    turned: dict[str, Tensor]
    pooled: Tensor | None = None
    maps: Tensor | None = None

    @property
    def n(self) -> int:
        """Number of films."""
        return len(self.films.cases)

    def batch(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> tuple[Tensor, ...]:
        """Inputs of chosen films, one copy each, and their zone shares."""
        source = self.pooled if self.pooled is not None else self.maps
        assert source is not None
        rows, columns = torch.from_numpy(chosen), torch.from_numpy(copies)
        shares = torch.from_numpy(self.films.shares[chosen, copies]).float()
        return source[rows, columns].float(), shares

    def targets(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> dict[str, Tensor]:
        """Labels of chosen films as their copies show them."""
        turned = torch.from_numpy(self.films.mirrored[chosen, copies])
        rows = torch.from_numpy(chosen)
        return {
            task: torch.where(
                turned.view(-1, *(1,) * (labels.ndim - 1)), self.turned[task][rows], labels[rows]
            )
            for task, labels in self.labels.items()
        }


def make_given(job: Progress, films: FilmSet, backbone: Backbone, frozen: int) -> Given:
    """Run the frozen stages once over all films and copies."""
    found = targets_of(films.cases)
    labels = {task: torch.from_numpy(values) for task, values in found.items()}
    turned = {t: torch.from_numpy(v) for t, v in mirror_targets(found).items()}
    refuse_foreign(labels)
    if frozen in (ALL, len(backbone.stages)):
        pooled = torch.from_numpy(pooled_features(job, films, backbone)).float()
        return Given(films, backbone, ALL, labels, turned, pooled=pooled)
    maps = _maps(job, films, backbone, frozen)
    return Given(films, backbone, frozen, labels, turned, maps=maps)


@torch.inference_mode()
def _maps(job: Progress, films: FilmSet, backbone: Backbone, frozen: int) -> Tensor:
    """What the first `frozen` stages give, float16."""
    stages = nn.Sequential(*list(backbone.stages)[:frozen]).eval()
    rows = []
    for n, copies in enumerate(films.squares):
        job.check()
        job.report(n, len(films.squares), "first stages of the encoder")
        grey = torch.from_numpy(copies).float() / 255
        rows.append(stages(backbone.normalised(grey)).half())
    return torch.stack(rows).clone()


def answers(
    model: Mdmt,
    given: Given,
    chosen: NDArray[np.intp],
    copies: NDArray[np.intp],
    network: nn.Module | None = None,
) -> dict[str, Tensor]:
    """What a network says of chosen films; `network` is the model joined with other processes."""
    inputs, shares = given.batch(chosen, copies)
    pooled = inputs if given.pooled is not None else model.run_tail(inputs, shares)
    said: dict[str, Tensor] = (network or model)(pooled)
    return said


@torch.no_grad()
def predict(model: Mdmt, given: Given, chosen: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
    """Scores of films, each seen as it is: ``severe`` (n,), ``zones`` (n, 6), ``severity`` (n,).

    Those that the network has heads for; ``severity`` is the most likely class, or that of the
    summed zones.
    """
    model.eval()
    inputs, shares = given.batch(chosen, np.zeros(len(chosen), np.intp))
    pooled = inputs if given.pooled is not None else model.run_tail(inputs, shares)
    return scores_at(model, pooled, [given.films.cases[n].site for n in chosen])


def scores_at(
    model: Mdmt, pooled: Tensor, sites: Sequence[str | None]
) -> dict[str, NDArray[np.float64]]:
    """Scores of films (B, 7, F).

    Where the network has effects of sites, ``severe`` has that of each film's own site, if it is
    known, and ``fixed`` is the same without it.
    """
    found = scores_of({task: out.cpu() for task, out in model(pooled).items()})
    if isinstance(model, SiteMdmt):
        numbers = [GivenSite(site, model.sites).number for site in sites]
        logits = model.outcome_at(pooled, torch.tensor(numbers, device=pooled.device)).cpu()
        return {**found, FIXED: found["severe"], **scores_of({"prognosis": logits})}
    return found


def scores_of(said: Mapping[str, Tensor]) -> dict[str, NDArray[np.float64]]:
    """Outputs of the heads as scores."""
    found: dict[str, NDArray[np.float64]] = {}
    if "prognosis" in said:
        found["severe"] = torch.softmax(said["prognosis"], 1)[:, 1].double().numpy()
    if "zones" in said:
        found["zones"] = said["zones"].clamp(0, 3).double().numpy()
        found["severity"] = np.digitize(found["zones"].sum(1), (4.5, 9.5, 14.5)).astype(np.float64)
    if "severity" in said:
        found["severity"] = said["severity"].argmax(1).double().numpy()
    if "lungs" in said:
        found["lungs"] = said["lungs"].argmax(2).double().numpy()
    return found
