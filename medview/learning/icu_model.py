"""The ICU model: its parts, how stays become its numbers, and what it says hour by hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.card import ModelCard
from medview.learning.icu_armed import armed_net, inside
from medview.learning.icu_grid import Floats, Grid, Normaliser, encode
from medview.learning.icu_recipe import ArmedRecipe, IcuRecipe
from medview.learning.icu_variables import VariableMap, map_of
from medview.learning.site_effects import GivenSite
from medview.learning.temperature import calmed
from medview.learning.weights import (
    card_of,
    fill,
    load_state,
    shipped,
    usable_settings,
)
from medview.models.armed import Armed
from medview.models.fusion import FILM, SERIES, FusionNet, FusionOptions, last_valid

TITLES = {
    IcuRecipe.MODEL: "the ICU model",
    ArmedRecipe.MODEL: "the ICU model with site effects",
}
"""What the models are called in a sentence."""
Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an alarm starts and by what logits are divided, chosen on stays left out."""

    threshold: float | None = None
    temperature: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Outputs that are learnt together, by networks of different seeds, the mean of which counts.

    `temperature` divides the logits of the networks' mean; `threshold` is where min(sensitivity,
    positive predictive value) was best, None where there is none: both are chosen on stays that
    were left out in training. `unavailable` says of an output why it must not be given out.
    `sites` have an effect each; `elsewhere` is what was chosen for the fixed effects alone.
    """

    name: str
    outputs: tuple[str, ...]
    networks: tuple[FusionOptions, ...]
    normaliser: Normaliser
    threshold: float | None = None
    unavailable: Mapping[str, str] | None = None
    temperature: float = 1.0
    sites: tuple[str, ...] = ()
    elsewhere: Cut = Cut()

    def at(self, site: GivenSite) -> Part:
        """The part as it speaks of a stay of this site."""
        if not self.sites or site.is_known:
            return self
        cut = self.elsewhere
        return replace(self, threshold=cut.threshold, temperature=cut.temperature)

    def calmed(self, probability: Probabilities) -> Probabilities:
        """Probabilities under the temperature of this part."""
        if self.temperature == 1.0:
            return probability
        return calmed(probability, self.temperature)

    @property
    def uses_film(self) -> bool:
        """Whether it has a film branch."""
        return any(one.film != "none" for one in self.networks)

    def to_card(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "name": self.name,
            "outputs": list(self.outputs),
            "networks": [asdict(one) for one in self.networks],
            "mean": [round(float(value), 6) for value in self.normaliser.mean],
            "sd": [round(float(value), 6) for value in self.normaliser.sd],
            "threshold": self.threshold,
            "temperature": self.temperature,
            "unavailable": dict(self.unavailable or {}),
            **(
                {"sites": list(self.sites), "elsewhere": asdict(self.elsewhere)}
                if self.sites
                else {}
            ),
        }

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> Part:
        """From the card's settings."""
        normaliser = Normaliser(
            np.array(values["mean"], np.float32), np.array(values["sd"], np.float32)
        )
        return cls(
            values["name"],
            tuple(values["outputs"]),
            tuple(
                FusionOptions(**{**one, "blank": tuple(one.get("blank", ()))})
                for one in values["networks"]
            ),
            normaliser,
            values["threshold"],
            dict(values["unavailable"]),
            float(values.get("temperature", 1.0)),
            tuple(values.get("sites", ())),
            Cut(**values.get("elsewhere", {})),
        )


def _fresh(part: Part) -> list[nn.Module]:
    nets = [FusionNet(one) for one in part.networks]
    return [armed_net(net, len(part.sites), 0) for net in nets] if part.sites else list(nets)


class IcuModel(nn.Module):
    """The networks of all parts; `clahe` says that they are given equalised films."""

    def __init__(
        self, variables: VariableMap, parts: Sequence[Part], *, clahe: bool = False
    ) -> None:
        super().__init__()
        self.variables, self.clahe = variables, clahe
        self.parts = {part.name: part for part in parts}
        self.nets = nn.ModuleDict({part.name: nn.ModuleList(_fresh(part)) for part in parts})

    def whole(self, part: str) -> list[nn.Module]:
        """The networks of a part, with effects of sites where it has them."""
        found = self.nets[part]
        assert isinstance(found, nn.ModuleList)
        return list(found)

    def members(self, part: str) -> list[FusionNet]:
        """The networks of a part, without effects of sites."""
        return [inside(net) for net in self.whole(part)]

    @property
    def uses_film(self) -> bool:
        """Whether any part has a film branch."""
        return any(part.uses_film for part in self.parts.values())

    def to_card(self) -> dict[str, Any]:
        """What the card's settings must hold to build it again."""
        return {
            "variables": dict(self.variables.body),
            "clahe": self.clahe,
            "parts": [part.to_card() for part in self.parts.values()],
        }


def model_of(settings: Mapping[str, Any]) -> IcuModel:
    """A model with random weights as a card's settings describe it."""
    parts = [Part.from_card(values) for values in settings["parts"]]
    variables = map_of(settings["variables"])
    return IcuModel(variables, parts, clahe=bool(settings.get("clahe", False)))


def load_icu(
    weights: Path | None, device: str = "cpu", name: str = IcuRecipe.MODEL
) -> tuple[IcuModel, ModelCard]:
    """The networks of ``icu`` or, by its `name`, ``icu-armed`` in evaluation mode; their card.

    Raises
    ------
    WeightsError
        Missing, damaged or foreign weights or card.
    """
    path = weights or shipped(name)
    card = card_of(path, name, TITLES[name])
    with usable_settings(path):
        model = model_of(card.settings)
    fill(model, load_state(path, card), path.name)
    return model.eval().to(device), card


def load_armed_icu(weights: Path | None) -> tuple[IcuModel, ModelCard]:
    """The networks of ``icu-armed``; as ``load_icu``."""
    return load_icu(weights, name=ArmedRecipe.MODEL)


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
