"""The unit that the table of a stay tells in a column of its own, as a site of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from medview.learning.icu_armed import UNIT_COLUMNS
from medview.learning.icu_readings import reading_of
from medview.learning.icu_series import Series
from medview.learning.icu_variables import VariableMap

TYPE = "ICU type "
"""How the sites of PhysioNet 2012 begin; the number of the type follows."""


@dataclass(frozen=True, slots=True)
class UnitTold:
    """A stay whose `series` can be read by its map, and the sites that its columns of the unit
    name, in the order in which they are told; of a unit that the map does not know its cell.
    """

    series: Series
    sites: tuple[str, ...] = ()

    def among(self, known: Sequence[str]) -> str | None:
        """The site for networks that know these; None where the table says nothing of such.

        A stay in several units is of none of them.
        """
        if not self.sites or not any(site.startswith(TYPE) for site in known):
            return None
        return " and ".join(self.sites)


def unit_told(series: Series, variables: VariableMap) -> UnitTold:
    """Which units a table names; those that the map does not know become columns it ignores."""
    codes = {variables.codes.get(name.lower(), -1) for name in UNIT_COLUMNS} - {-1}
    own = [n for n, name in enumerate(series.names) if reading_of(name, variables).place in codes]
    told, names, columns = dict[str, None](), list(series.names), series.columns.copy()
    for n in np.flatnonzero(np.isin(series.columns, own)).tolist():
        column = int(series.columns[n])
        cell = series.words.get(n, f"{series.values[n]:g}").strip()
        variable = variables.variables[reading_of(series.names[column], variables).place]
        level = variable.number(cell)
        if level == level:
            told[f"{TYPE}{variable.levels[int(level)]}"] = None
            continue
        told[f"{TYPE}{cell}" if cell.isdigit() else cell] = None
        odd = f"{series.names[column]} {cell}"
        if odd not in names:
            names.append(odd)
        columns[n] = names.index(odd)
    return UnitTold(replace(series, names=tuple(names), columns=columns), tuple(told))
