"""Networks with site effects that say an age together, and a fresh one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medview.learning.armed_age_recipe import AgeRecipe
from medview.learning.armed_age_table import Floats, Indices, Scale
from medview.models.age_net import AgeNet
from medview.models.armed import Armed, ArmedOptions


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """Ages (members, n) in years by an ensemble, without and with the effect of the site."""

    fixed: Floats
    mixed: Floats


def fresh(recipe: AgeRecipe, inputs: int, sites: int) -> Armed:
    """An untrained network with site effects round it."""
    network = recipe.with_inputs(inputs)
    layers = AgeNet.hidden_layers(network)
    options = ArmedOptions(
        sites,
        layers,
        "hidden",
        layers[-1],
        "gaussian",
        adversary=(32,),
        prior_slope=recipe.prior_slope,
        prior_intercept=recipe.prior_intercept,
        start_slope=0.01,
        start_intercept=0.01,
    )
    return Armed(AgeNet(network), options, (torch.zeros(1, inputs),))


class Ensemble(nn.Module):
    """Networks with site effects that answer together."""

    def __init__(self, models: Sequence[Armed]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    @property
    def sites(self) -> int:
        """Number of sites with an effect."""
        first = self.models[0]
        assert isinstance(first, Armed)
        return first.options.clusters

    @torch.no_grad()
    def ask(self, scale: Scale, x: Floats, site: Indices) -> Said:
        """Ages of rows of measures `x` (n, d); a site of -1 is unknown and has no effect."""
        known = torch.from_numpy(np.asarray(site >= 0))
        z = F.one_hot(torch.from_numpy(np.maximum(site, 0)), self.sites).float() * known[:, None]
        return self.ask_z(scale, x, z)

    @torch.no_grad()
    def ask_z(self, scale: Scale, x: Floats, z: Tensor) -> Said:
        """Ages of rows with any weights `z` (n, sites) of the sites' effects."""
        rows = torch.from_numpy(scale.inputs(x))
        said = [model((rows,), z) for model in self.models]
        fixed = np.stack([one.fixed.double().numpy() for one in said])
        mixed = np.stack([one.mixed.double().numpy() for one in said])
        return Said(scale.years(fixed), scale.years(mixed))


def together(said: Floats) -> Floats:
    """The age of an ensemble: the geometric mean of its members, (n,)."""
    return np.asarray(np.exp(np.log(said).mean(0)))
