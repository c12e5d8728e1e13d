"""The settings of a chest film training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from medview.domain.errors import DataError
from medview.learning.recipe_values import recipe_of
from medview.models.armed import LossWeights
from medview.models.mdmt import OUTCOMES, SEVERITIES

METHODS = ("mdmt", "ft", "stl-prognosis", "stl-severity")
DEEP: dict[str, Any] = {"outcome": "deep", "shrinkage": 1e-4}
"""The head of the outcome as the paper has it."""
ALL = -1
"""`frozen` of an encoder that is not trained at all."""


@dataclass(frozen=True, slots=True)
class CxrRecipe:
    """How the chest model is trained; ``resources/recipes/cxr.toml`` says what each means.

    The paper's values where it has some; on a CPU the encoder is frozen and a narrow shared
    layer (`adapter`) is trained beside its features.
    """

    backbone: str = "efficientnet_lite0"
    method: str = "mdmt"
    severity: str = "pooled"
    outcome: str = "linear"
    size: int = 224
    copies: int = 3
    frozen: int = ALL
    adapter: int = 32
    beta: float = 0.5
    prognosis_loss: str = "ce"
    reduction: str = "per_task"
    select: str = "all"
    epochs: int = 60
    steps: int = 3
    batch: int = 64
    rate: float = 1e-3
    weight_decay: float = 1e-4
    shrinkage: float = 0.03
    warmup: int = 15
    patience: int = 20
    plateau: int = 8
    factor: float = 0.65
    least_rate: float = 1e-8
    val_share: float = 0.15
    folds: int = 0

    outcomes: ClassVar[tuple[str, ...]] = OUTCOMES

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> CxrRecipe:
        """Make a recipe from plain values.

        Raises
        ------
        DataError
            A key that no recipe has, or a word that is no choice.
        """
        made = recipe_of(cls, values)
        for name, choices in (
            ("method", METHODS),
            ("severity", SEVERITIES),
            ("outcome", cls.outcomes),
            ("prognosis_loss", ("ce", "mse_logits")),
            ("reduction", ("per_task", "whole_batch")),
            ("select", ("all", "prognosis")),
        ):
            if getattr(made, name) not in choices:
                raise DataError(
                    f'{name} "{getattr(made, name)}" is no choice',
                    do=f"Choose one of: {', '.join(choices)}.",
                    code="MV-DAT-020",
                )
        if made.size % 32:
            raise DataError("size must be a multiple of 32", do="Use 224.", code="MV-DAT-020")
        return made


@dataclass(frozen=True, slots=True)
class SiteRecipe(CxrRecipe):
    """The same with effects of sites: what each term of the loss of the outcome counts.

    The weights of the ARMED paper's network of pictures. Effects multiply hidden layers: the head
    is the deep one.
    """

    outcome: str = DEEP["outcome"]
    shrinkage: float = DEEP["shrinkage"]
    outcomes: ClassVar[tuple[str, ...]] = (DEEP["outcome"],)
    mixed: float = 1.0
    fixed: float = 1.0
    adversary: float = 0.1
    kl: float = 1e-3

    @property
    def weights(self) -> LossWeights:
        """As the loss takes them."""
        return LossWeights(self.mixed, self.fixed, self.adversary, self.kl)


RECIPES: dict[str, type[CxrRecipe]] = {"cxr": CxrRecipe, "cxr-armed": SiteRecipe}
"""Model -> what its recipe says."""


def same_run(recipe: CxrRecipe) -> str:
    """What two runs must share so that one can go on from the other's checkpoint."""
    return str(asdict(replace(recipe, folds=0)))
