"""How an age model is made, and how its members are trained: every setting of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from medview.learning.recipe_values import odd_value, recipe_of
from medview.models.mavae import LossWeights
from medview.models.priors import PRIORS


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How the members are trained.

    The rate rises for a tenth of the steps and falls to zero (the authors keep 2e-4). The moments
    are the authors', 0.9 and 0.99; the discriminator, which their program does not have, takes the
    usual 0.5 of adversaries for the first and no decay. A share
    `drop_modality` of the rows with both modalities is shown without one of them. `noise` is the
    standard deviation of noise added to the standardised features; `mix` the share of rows that
    are mixed with another one. `patience` counts epochs without gain on the rows left out; 0
    trains to the end, so that those rows stay unseen and calibrate the ensemble.
    """

    epochs: int = 60
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 0.1
    clip: float = 5.0
    drop_modality: float = 0.3
    noise: float = 0.7
    mix: float = 0.5
    patience: int = 0
    health_every: int = 10


@dataclass(frozen=True, slots=True)
class AgeRecipe:
    """How an age model is made; ``resources/recipes/brain-age.toml`` holds the shipped one.

    `members` networks are trained, each without another part of the rows. `features` is the most
    that a modality may have before a forest chooses; all of them are divided by the column
    `divide_by` where there is one. `target` is the age in "years" or its "log". `rows` says which
    rows are measured by folds: "all", "pairs" (only rows with both modalities are used at all) or
    "pairs+" (only those are measured, the others are always trained on). `strata` age groups are
    kept even over the `folds`, which are drawn with `fold_seed`; with `sites` each site is left
    out once, too. `modalities` may leave one out. Age and sex are read from "all" codes or the
    "shared" ones (`predictor`), and with `skip` from the features themselves, too. `prior` is
    what the codes are drawn to.
    """

    members: int = 5
    features: int = 800
    divide_by: str = "MUSE_702"
    target: str = "years"
    modalities: str = "smri+fmri"
    rows: str = "all"
    folds: int = 0
    strata: int = 5
    fold_seed: int = 0
    sites: bool = False
    predictor: str = "all"
    dropout: float = 0.4
    skip: bool = True
    prior: str = "normal"
    train: TrainOptions = field(default_factory=TrainOptions)
    loss: LossWeights = field(default_factory=LossWeights)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AgeRecipe:
        """Make a recipe from plain values, refusing names it does not know.

        Raises
        ------
        DataError
            A key that no recipe has, or a word that means nothing.
        """
        recipe = recipe_of(cls, values, {"train": TrainOptions, "loss": LossWeights})
        for name, words in _WORDS.items():
            if getattr(recipe, name) not in words:
                raise odd_value(f"{name} is {getattr(recipe, name)!r}", words)
        if recipe.members < 2:
            raise odd_value("an ensemble needs at least 2 members", ("members=5",))
        return recipe

    def plain(self) -> dict[str, Any]:
        """The recipe as plain values."""
        return asdict(self)


_WORDS = {
    "target": ("years", "log"),
    "modalities": ("smri+fmri", "smri", "fmri"),
    "rows": ("all", "pairs", "pairs+"),
    "predictor": ("all", "shared"),
    "prior": PRIORS,
}
