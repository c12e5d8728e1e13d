"""How the columns of a table of a stay are read: which variable they are of, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medview.domain.lab_units import named_unit, turned
from medview.learning.icu_grid import Floats
from medview.learning.icu_variables import UnitRule, VariableMap


@dataclass(frozen=True, slots=True)
class Reading:
    """How a column is read: the place of its variable in a map (-1: none), the unit that it says
    in brackets, and by which scale and shift its values get the unit of the map.

    `wanted` is that unit where the one that is said is not known.
    """

    place: int
    told: str = ""
    scale: float = 1.0
    shift: float = 0.0
    wanted: str | None = None

    @property
    def is_other(self) -> bool:
        """Whether values change."""
        return (self.scale, self.shift) != (1.0, 0.0)

    def turned(self, values: Floats, variables: VariableMap) -> Floats:
        """Values in the unit of the map, and none that would pass for another unit there."""
        variable = variables.variables[self.place]
        found = (values * self.scale + self.shift).astype(np.float32)
        for rule in (one for one in variable.units if not one.whole):
            foreign = (found >= rule.first) & (found <= rule.last)
            found[foreign] = np.clip(found[foreign], *variable.clip)
        return found

    def guessed(self, values: Floats, variables: VariableMap) -> UnitRule | None:
        """The unit that a column's values can only be in, where the column says none."""
        if self.place < 0 or self.told:
            return None
        rules = variables.variables[self.place].units
        return next((rule for rule in rules if rule.fits(values)), None)


def reading_of(name: str, variables: VariableMap) -> Reading:
    """How a map reads a column: by its name, or by its name in front of a unit in brackets."""
    place = _place(name, variables)
    if place >= 0:
        return Reading(place)
    base, told = named_unit(name)
    place = _place(base, variables) if told else -1
    if place < 0:
        return Reading(-1)
    variable = variables.variables[place]
    factors = None if variable.levels else turned(told, variable.unit, variable.name)
    if factors is None:
        return Reading(-1, told, wanted=variable.unit)
    return Reading(place, told, *factors)


def _place(name: str, variables: VariableMap) -> int:
    """The place of a variable by a name in any case; programs write "heart_rate"."""
    low = name.lower()
    return variables.codes.get(low, variables.codes.get(low.replace("_", " ").strip(), -1))
