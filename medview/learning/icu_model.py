"""The ICU model: its parts and networks, from training and from a card; see ``icu_one_stay``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from medview.domain.card import ModelCard
from medview.learning.icu_armed import armed_net, inside
from medview.learning.icu_grid import Normaliser
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
from medview.models.fusion import FusionNet, FusionOptions

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
