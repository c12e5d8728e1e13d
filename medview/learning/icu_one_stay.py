"""One stay as the ICU networks take it, and what they say of it hour by hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.learning.icu_armed import inside
from medview.learning.icu_grid import Floats, Grid, encode
from medview.learning.icu_model import IcuModel, Part, Probabilities
from medview.models.armed import Armed
from medview.models.fusion import FILM, SERIES, FusionNet, last_valid


@dataclass(frozen=True, slots=True, eq=False)
class OneStay:
    """One stay as the networks of a part take it.

    `film` (1, F) are the features of a film taken at `film_hour`; None without one. `has_series`
    is False where nothing was measured or the series is left out on purpose.
    """

    series: Tensor
    film: Tensor | None
    film_hour: float = 0.0
    has_series: bool = True

    @classmethod
    def of(
        cls,
        grid: Grid,
        model: IcuModel,
        part: Part,
        film: Floats | None = None,
        film_hour: float = 0.0,
    ) -> OneStay:
        """Encode a stay for a part."""
        rows = torch.from_numpy(encode(grid, model.variables, part.normaliser))[None]
        features = None if film is None else torch.from_numpy(film)[None]
        return cls(rows, features, film_hour, bool(grid.observed.any()))

    def without(self, place: int) -> OneStay:
        """The same without its series or its film."""
        if place == FILM:
            return OneStay(self.series, None, 0.0, self.has_series)
        return OneStay(self.series, self.film, self.film_hour, False)


@dataclass(frozen=True, slots=True)
class Effects:
    """Those of the site of a number, their means or (`drawn`) one draw of what they may be; of -1
    there are none.
    """

    site: int = -1
    drawn: bool = False

    def shares(self, armed: Armed) -> Tensor:
        """The share of each site, (sites,)."""
        return torch.eye(armed.options.clusters)[self.site]

    def noise(self, armed: Armed) -> Tensor | None:
        """How far the effects of all sites are from their means, in standard deviations."""
        return torch.randn(armed.options.clusters, armed.units) if self.drawn else None


NONE = Effects()
MOST_STAND_INS = 12


def stand_ins(count: int) -> list[int]:
    """Numbers of the known sites, of `count`, that stand for one that is not known: all of them, or
    so many from the first to the last.
    """
    return [
        round(place) for place in np.linspace(0, count - 1, min(count, MOST_STAND_INS)).tolist()
    ]


@torch.no_grad()
def hourly(model: IcuModel, part: str, stay: OneStay, effects: Effects = NONE) -> Probabilities:
    """Probabilities after each bin, (members, bins, outputs). A film counts from its bin on."""
    bins = stay.series.shape[1]
    hours = np.arange(1, bins + 1) * model.variables.bin_hours
    present = torch.zeros(bins, 2, dtype=torch.bool)
    present[:, SERIES] = stay.has_series
    if stay.film is not None:
        present[:, FILM] = torch.from_numpy(hours >= min(stay.film_hour, hours[-1]))
    found = []
    for whole in model.whole(part):
        net = inside(whole)
        if isinstance(whole, Armed) and effects.site >= 0:
            states, shares = net.states(stay.series)[0], effects.shares(whole).expand(bins, -1)
            logits = whole((states, present), shares, effects.noise(whole)).mixed[:, None]
        else:
            logits = net.fuse(_tokens(net, stay, present), present)
        found.append(torch.sigmoid(logits))
    return torch.stack(found).double().numpy()


def _tokens(net: FusionNet, stay: OneStay, present: Tensor) -> Tensor:
    states = net.states(stay.series)[0]
    film = None
    if stay.film is not None:
        film = net.film_token(stay.film).expand(len(states), -1)
    return net.tokens(states, film, present)


@torch.no_grad()
def drawn(
    model: IcuModel, part: str, stay: OneStay, samples: int, seed: int, site: int = -1
) -> Probabilities:
    """Probabilities after each bin with dropout left on, (members x samples, bins, outputs).

    The effects of `site` are drawn, too; of a site that is not known each of the known ones
    stands for it in turn, so there are no fewer samples than these.
    """
    sites = [site] * samples
    if site < 0 and model.parts[part].sites:
        others = stand_ins(len(model.parts[part].sites))
        sites = (others * samples)[: max(samples, len(others))]
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    try:
        runs = [hourly(model, part, stay, Effects(one, drawn=True)) for one in sites]
    finally:
        model.eval()
    return np.concatenate(runs)


@torch.no_grad()
def attention(model: IcuModel, part: str, stay: OneStay) -> NDArray[np.float64]:
    """Share of attention on series and film after the last bin, (2,), mean over the members."""
    present = torch.tensor([[stay.has_series, stay.film is not None]])
    shares = []
    for net in model.members(part):
        if not net.options.fusing.startswith("attention"):
            continue
        state = last_valid(net.states(stay.series), None)
        film = None if stay.film is None else net.film_token(stay.film)
        shares.append(net.attention(net.tokens(state, film, present), present)[0])
    return torch.stack(shares).mean(0).double().numpy()


def shapley(model: IcuModel, part: str, stay: OneStay) -> tuple[float, float, float]:
    """How much series and film move the first output, and where it starts without both.

    Two players: four runs; the two shares and the start sum to the probability.
    """

    def risk(one: OneStay) -> float:
        mean = hourly(model, part, one)[:, -1, 0].mean(keepdims=True)
        return float(model.parts[part].calmed(mean)[0])

    whole, no_film, no_series = risk(stay), risk(stay.without(FILM)), risk(stay.without(SERIES))
    start = risk(stay.without(FILM).without(SERIES))
    series = ((no_film - start) + (whole - no_series)) / 2
    return series, (no_series - start + whole - no_film) / 2, start
