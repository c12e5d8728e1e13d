"""Variables of a stay hidden as if nobody had ever measured them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from medview.learning.icu_grid import Events, Normaliser, discretise, encode
from medview.learning.icu_variables import VariableMap

BEDSIDE = (
    "DiasABP", "FiO2", "GCS", "HR", "MAP", "MechVent", "NIDiasABP", "NIMAP", "NISysABP",
    "RespRate", "SysABP", "Temp", "Weight",
)  # fmt: skip
"""What a table of laboratory values and urine alone does not have, such as the MIMIC-III demo."""


@dataclass(frozen=True, slots=True, eq=False)
class Unmeasured:
    """What the columns of a bin say of variables that were never measured.

    `row` (columns,) is a bin of a stay without any value, `owners` (columns,) the place in
    `names` of the variable that a column tells of, the number of names where it does not change
    in time: that is never hidden.
    """

    names: tuple[str, ...]
    row: Tensor
    owners: Tensor

    @classmethod
    def of(cls, variables: VariableMap, normaliser: Normaliser) -> Unmeasured:
        """As ``icu_grid.encode`` puts it."""
        empty = discretise(Events.of([]), variables, variables.bin_hours)
        row = torch.from_numpy(encode(empty, variables, normaliser))[0]
        dynamic = {place: n for n, place in enumerate(variables.dynamic)}
        others = len(dynamic)
        owners = [
            dynamic.get(place, others)
            for place, variable in enumerate(variables.variables)
            for _ in range(variable.width)
        ]
        owners += [*dynamic.values()] * (len(variables.features) - 1)
        names = tuple(variables.variables[place].name for place in dynamic)
        return cls(names, row, torch.tensor(owners))

    def drawn(self, series: Tensor, chance: float) -> Tensor:
        """The series (B, T, columns), of every stay each variable hidden by this chance."""
        return self._hidden(series, torch.rand(len(series), len(self.names)) < chance)

    def without(self, series: Tensor, names: Collection[str]) -> Tensor:
        """The series (B, T, columns) without some variables."""
        here = torch.tensor([name in names for name in self.names])
        return self._hidden(series, here[None])

    def _hidden(self, series: Tensor, variables: Tensor) -> Tensor:
        kept = torch.zeros(len(variables), 1, dtype=torch.bool)
        columns = torch.cat([variables, kept], 1)[:, self.owners]
        return torch.where(columns[:, None], self.row, series)
