"""How ages from brain measures with site effects are learnt: the recipe, and what may learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from medview.domain.errors import DataError
from medview.learning.site_effects import learns
from medview.models.age_net import AgeNetOptions

MODEL = "brain-age-armed"
LEARNS = learns("base.out.", "base.skip.")
"""Beginnings of the names of what each way of training changes."""


@dataclass(frozen=True, slots=True)
class AgeRecipe:
    """How the model is trained: the shipped recipe says what each value does.

    The ARMED paper has no ages: weights and priors are ours, of the standardised logarithm of the
    age with half the mean squared error as its loss.
    """

    epochs: int = 35
    batch: int = 128
    rate: float = 2e-3
    decay: float = 1e-2
    members: int = 4
    folds: int = 5
    leave_out: bool = True
    compare: bool = True
    mixed: float = 1.0
    fixed: float = 0.5
    adversary: float = 0.03
    kl: float = 2e-4
    prior_slope: float = 0.3
    prior_intercept: float = 0.5
    width: int = 128
    width_2: int = 64
    input_dropout: float = 0.1
    dropout: float = 0.3

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> AgeRecipe:
        """A recipe from plain values; what they do not say is the default.

        Raises
        ------
        DataError
            For a value that trains nothing.
        """
        known = {one.name for one in fields(cls)}
        recipe = cls(**{name: value for name, value in values.items() if name in known})
        if recipe.folds == 1 or min(recipe.members, recipe.width, recipe.width_2) < 1:
            raise DataError(
                "members and widths are at least 1, folds 0 or at least 2",
                code="MV-DAT-021",
                do="Correct the recipe.",
            )
        return recipe

    def with_inputs(self, inputs: int) -> AgeNetOptions:
        """The network for so many measures."""
        hidden = (self.width, self.width_2)
        return AgeNetOptions(inputs, hidden, self.input_dropout, self.dropout)
