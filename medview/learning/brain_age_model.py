"""An ensemble of M-AVAEs that tells ages: from named feature vectors to years with an interval.

The members are trained each without another part of the rows. On that part a member has not been
trained, so all rows together tell the bias with age and how wide an interval must be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from torch import Tensor, nn

from medview.learning.brain_age_table import Columns, Indices, Matrix, known_rows
from medview.learning.vectors import Vector
from medview.models.mavae import ROLES, Mavae, MavaeOptions, Rows

FARTHEST = 5.0
"""Standardised features are clipped to so many standard deviations."""
STANDARDISED = f"standardised by the training rows, clipped at {FARTHEST:.0f} standard deviations"
LOG_SHIFT = 2.0
"""Years added before the logarithm of an age is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """Which features of a modality a member uses, and their mean and spread: (width,) each."""

    keep: Indices
    mean: Vector
    scale: Vector

    def standardised(self, values: Matrix) -> NDArray[np.float32]:
        """Features (N, width), clipped; unknown ones are at their mean, 0."""
        found = (values[:, self.keep] - self.mean) / self.scale
        found = np.clip(found, -FARTHEST, FARTHEST)
        return np.where(np.isfinite(found), found, 0.0).astype(np.float32)


def fit_scaling(values: Matrix, ages: Vector, most: int, seed: int) -> Scaling:
    """Mean and spread of the training rows; above `most` features a random forest chooses.

    The forest ranks by importance for age, as the authors' filter does (its size is unpublished).
    """
    rows = known_rows(values)
    known, target = values[rows], ages[rows]
    # A column that nobody has is 0 everywhere, without a warning of numpy.
    some = np.isfinite(known).any(0)
    mean, scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
    mean[some], scale[some] = np.nanmean(known[:, some], 0), np.nanstd(known[:, some], 0)
    scale[scale < 1e-12] = 1.0
    keep = np.arange(values.shape[1])
    if most and values.shape[1] > most:
        filled = np.where(np.isfinite(known), known, mean)
        forest = RandomForestRegressor(
            200, max_features=0.1, min_samples_leaf=2, random_state=seed, n_jobs=1
        )
        importance = forest.fit(filled, target).feature_importances_
        keep = np.sort(np.argsort(-importance, kind="stable")[:most])
    return Scaling(keep, mean[keep], scale[keep])


def divided(values: Matrix, names: Sequence[str], by: str) -> Matrix:
    """Each column over the column `by` (the head's volume), which stays as it is.

    Nothing changes where there is no such column.
    """
    if by not in names:
        return values
    place = list(names).index(by)
    whole = values[:, [place]]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = values / np.where(whole > 0, whole, np.nan)
    found[:, place] = values[:, place]
    return found


@dataclass(frozen=True, slots=True)
class AgeSettings:
    """What turns the ensemble's answer into scores; kept in the card.

    Parameters
    ----------
    columns : Mapping
        Names of the features by role, in the order of the training.
    divide_by : str
        Column that all others are divided by; ignored where there is none.
    target : str
        "years", or "log": the network learns log(age + 2).
    bias : tuple
        Intercept and slope of the gap over the age, from rows left out of training.
    half_width : Mapping
        Half of the 95 % interval in years by what is given ("smri", "fmri", "smri+fmri").
    ages : tuple
        Lowest and highest age trained on.
    knows_sex : bool
        Whether both sexes were trained on.
    mean_age : float
        Of the training rows: what a guess without any feature says.
    ridge : Mapping
        Coefficients of the linear baseline: "intercept", "male", "smri" (one per column).
    reference : tuple
        Age and predicted age, by a member that had not seen them, of the controls.
    """

    columns: Columns
    divide_by: str = ""
    target: str = "years"
    bias: tuple[float, float] = (0.0, 0.0)
    half_width: Mapping[str, float] = field(default_factory=dict)
    ages: tuple[float, float] = (0.0, 120.0)
    knows_sex: bool = False
    mean_age: float = 0.0
    ridge: Mapping[str, Any] = field(default_factory=dict)
    reference: tuple[tuple[float, float], ...] = ()

    def to_years(self, told: Vector) -> Vector:
        """From the scale of the network's target to years."""
        return np.exp(told) - LOG_SHIFT if self.target == "log" else told

    def from_years(self, years: Vector) -> Vector:
        """From years to the scale of the network's target."""
        return np.log(years + LOG_SHIFT) if self.target == "log" else years

    def corrected(self, gap: Vector, age: Vector) -> Vector:
        """Gaps without the part that age alone explains (years)."""
        return gap - (self.bias[0] + self.bias[1] * age)


class AgeEnsemble(nn.Module):
    """Members with the scaling of each: buffers keep, mean and scale (K, width) by role."""

    def __init__(self, members: Sequence[Mavae], scalings: Mapping[str, Sequence[Scaling]]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.options = members[0].options
        for role in self.options.roles:
            for name in ("keep", "mean", "scale"):
                stacked = np.stack([getattr(each, name) for each in scalings[role]])
                self.register_buffer(f"{name}_{role}", torch.from_numpy(stacked).float())
        self.register_buffer("target", torch.tensor([[0.0, 1.0]]).repeat(len(members), 1))

    @classmethod
    def empty(cls, options: MavaeOptions, members: int) -> AgeEnsemble:
        """An ensemble to be filled from a file."""
        nothing = {
            role: [
                Scaling(np.zeros(width, np.intp), np.zeros(width), np.ones(width))
                for _ in range(members)
            ]
            for role in options.roles
            for width in (options.width(role),)
        }
        return cls([Mavae(options) for _ in range(members)], nothing)

    def scaling(self, role: str, member: int) -> Scaling:
        """The scaling of one member."""
        keep, mean, scale = (
            getattr(self, f"{name}_{role}")[member].double().numpy()
            for name in ("keep", "mean", "scale")
        )
        return Scaling(keep.astype(np.intp), mean, scale)

    def scale_of_target(self, member: int) -> tuple[float, float]:
        """Mean and spread of the target that a member was trained on."""
        mean, scale = (float(value) for value in self.target[member])  # type: ignore[index]  # a buffer
        return mean, scale

    def member_says(
        self, member: int, values: Mapping[str, Matrix], present: Mapping[str, NDArray[np.bool_]]
    ) -> tuple[Vector, Vector]:
        """What one member says of N rows: the target's scale, and the chance of female."""
        first = next(iter(values.values()))
        inputs: dict[str, Tensor] = {}
        here: dict[str, Tensor] = {}
        for role in self.options.roles:
            known = present.get(role, np.zeros(len(first), dtype=np.bool_))
            width = self.options.width(role)
            x = np.zeros((len(first), width), np.float32)
            if known.any():
                x[known] = self.scaling(role, member).standardised(values[role][known])
            inputs[role] = torch.from_numpy(x)
            here[role] = torch.from_numpy(known.astype(np.float32))
        unknown = torch.full((len(first),), torch.nan)
        with torch.inference_mode():
            out = self.members[member](Rows(inputs, here, unknown, unknown))
        mean, scale = self.scale_of_target(member)
        age = out.age.double().numpy() * scale + mean
        return age, torch.sigmoid(out.sex).double().numpy()

    def says(
        self, values: Mapping[str, Matrix], present: Mapping[str, NDArray[np.bool_]]
    ) -> tuple[Matrix, Matrix]:
        """What all members say: targets and chances of female, (K, N) each."""
        told = [self.member_says(n, values, present) for n in range(len(self.members))]
        return np.stack([age for age, _ in told]), np.stack([sex for _, sex in told])


@dataclass(frozen=True, slots=True, eq=False)
class AgeAnswer:
    """Ages (N,) in years with their interval, the members' spread and the chance of female."""

    age: Vector
    low: Vector
    high: Vector
    spread: Vector
    female: Vector


@dataclass(frozen=True, slots=True, eq=False)
class AgeModel:
    """An ensemble and the settings that turn what it says into years."""

    ensemble: AgeEnsemble
    settings: AgeSettings

    def answer(self, values: Mapping[str, Matrix]) -> AgeAnswer:
        """Ages of N rows of raw features (N, columns) by role; absent rows are all NaN."""
        ready = self.prepared(values)
        present = {role: known_rows(matrix) for role, matrix in ready.items()}
        told, sexes = self.ensemble.says(ready, present)
        years = np.stack([self.settings.to_years(one) for one in told])
        age = years.mean(0)
        half = np.array([self._half(present, row) for row in range(len(age))])
        return AgeAnswer(age, age - half, age + half, years.std(0), sexes.mean(0))

    def prepared(self, values: Mapping[str, Matrix]) -> dict[str, Matrix]:
        """Raw features after the steps that need no training."""
        settings = self.settings
        return {
            role: divided(values[role], settings.columns[role], settings.divide_by)
            for role in self.ensemble.options.roles
            if role in values
        }

    def _half(self, present: Mapping[str, NDArray[np.bool_]], row: int) -> float:
        kind = "+".join(role for role in ROLES if role in present and present[role][row])
        widths = self.settings.half_width
        return widths.get(kind, max(widths.values(), default=np.nan))


def settings_to_card(settings: AgeSettings, model: MavaeOptions, members: int) -> dict[str, Any]:
    """Settings as plain values of a card."""
    plain = asdict(settings)
    return {**plain, "network": asdict(model), "members": members}


def model_from_card(card_settings: Mapping[str, Any]) -> AgeModel:
    """An empty model as a card describes it.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        If the settings are not those of an age model.
    """
    network: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in card_settings["network"].items()
    }
    given = {name: card_settings[name] for name in AgeSettings.__slots__}
    given["columns"] = {role: tuple(names) for role, names in given["columns"].items()}
    given["bias"], given["ages"] = tuple(given["bias"]), tuple(given["ages"])
    given["reference"] = tuple((float(a), float(b)) for a, b in given["reference"])
    ensemble = AgeEnsemble.empty(MavaeOptions(**network), int(card_settings["members"]))
    return AgeModel(ensemble, AgeSettings(**given))
