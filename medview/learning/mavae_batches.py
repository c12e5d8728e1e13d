"""What the members of an ensemble of M-AVAEs learn from: each its own rows, drawn and changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medview.learning.brain_age_recipe import TrainOptions
from medview.models.mavae import Rows
from medview.models.priors import Prior, draws

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """What one member learns from and what it is asked about.

    `inputs` by role (N, width) are its own standardised features of all N rows, zero where absent;
    `age` (N,) is standardised by its own training rows; `train` and `held` are row numbers.
    """

    inputs: Mapping[str, NDArray[np.float32]]
    age: NDArray[np.float32]
    train: Indices
    held: Indices
    years: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """Rows of all members, all over the same N.

    `present` by role (N,) says whether a row has that modality, `sex` (N,) is 1 for female, 0 for
    male, NaN unknown. `rng` decides order, noise, what is left out and what is mixed.
    """

    members: tuple[Member, ...]
    roles: tuple[str, ...]
    present: Mapping[str, NDArray[np.bool_]]
    sex: NDArray[np.float32]
    options: TrainOptions
    rng: np.random.Generator
    _data: Mapping[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        stacked = {
            role: torch.from_numpy(np.stack([m.inputs[role] for m in self.members]))
            for role in self.roles
        }
        object.__setattr__(self, "_data", stacked)

    @property
    def steps(self) -> int:
        """Steps in an epoch: one pass over the rows of the largest member."""
        most = max(member.train.size for member in self.members)
        return -(-most // min(self.options.batch, most))

    def order(self, member: Member) -> Indices:
        """A new order of a member's rows, as long for all members."""
        size = min(self.options.batch, max(m.train.size for m in self.members))
        wanted = self.steps * size
        rounds = -(-wanted // member.train.size)
        order = np.concatenate([self.rng.permutation(member.train) for _ in range(rounds)])
        return np.asarray(order[:wanted], dtype=np.intp)

    def drawn(self, chosen: Indices) -> Rows:
        """Rows `chosen` (K, B) of each member, changed as in training."""
        whose = np.arange(len(chosen))[:, None]
        inputs = {role: values[whose, chosen] for role, values in self._data.items()}
        age = torch.from_numpy(np.stack([m.age for m in self.members])[whose, chosen])
        sex = torch.from_numpy(self.sex[chosen])
        given = {role: self.present[role][chosen] for role in self.roles}
        present = {
            role: torch.from_numpy(values.astype(np.float32))
            for role, values in self._dropped(given).items()
        }
        if self.options.noise > 0:
            inputs = {r: x + self.options.noise * self.normal(x.shape) for r, x in inputs.items()}
        if self.options.mix > 0:
            inputs, present, age, sex = self._mixed(inputs, present, age, sex)
        inputs = {role: x * present[role][:, :, None] for role, x in inputs.items()}
        return Rows(inputs, present, age, sex)

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Standard normal noise."""
        return self.of_prior("normal", shape)

    def of_prior(self, prior: Prior, shape: Sequence[int]) -> Tensor:
        """Draws of a prior of the codes."""
        return torch.from_numpy(draws(prior, self.rng, tuple(shape)))

    def _dropped(self, given: dict[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
        """Modalities left after some rows with both have lost one of them."""
        if len(given) < 2 or self.options.drop_modality <= 0:
            return given
        first, second = given.values()
        drawn = self.rng.random(first.shape)
        both, half = first & second, self.options.drop_modality / 2
        lost = (both & (drawn < half), both & (drawn > 1 - half))
        return {r: v & ~gone for (r, v), gone in zip(given.items(), lost, strict=True)}

    def _mixed(
        self, inputs: dict[str, Tensor], present: dict[str, Tensor], age: Tensor, sex: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor, Tensor]:
        """Some rows become a point between themselves and the next row of the batch."""
        share = self.rng.beta(2.0, 2.0, age.shape)
        share = np.where(self.rng.random(age.shape) < self.options.mix, share, 1.0)
        same = torch.ones(age.shape, dtype=torch.bool)
        for values in present.values():  # only rows that have the same modalities
            same &= values == values.roll(1, 1)
        part = torch.where(same, torch.from_numpy(share.astype(np.float32)), torch.ones(()))

        def between(x: Tensor, p: Tensor) -> Tensor:
            mixed = p * x + (1 - p) * x.roll(1, 1)
            return torch.where(p == 1, x, mixed)  # an unknown neighbour spoils mixed rows only

        mixed_inputs = {role: between(x, part[:, :, None]) for role, x in inputs.items()}
        return mixed_inputs, present, between(age, part), between(sex, part)

    def of_member(self, number: int, chosen: Indices) -> Rows:
        """Rows as a member sees them, unchanged."""
        present = {
            role: torch.from_numpy(self.present[role][chosen].astype(np.float32))
            for role in self.roles
        }
        inputs = {
            role: self._data[role][number, chosen] * present[role][:, None] for role in self.roles
        }
        age = torch.from_numpy(self.members[number].age[chosen])
        return Rows(inputs, present, age, torch.from_numpy(self.sex[chosen]))
