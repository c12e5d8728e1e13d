"""Cases of ICU data sets as encoded stays, ready for a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.learning.cases import find_subsets
from medview.learning.icu_fit import StaySet
from medview.learning.icu_grid import Floats, Grid, Normaliser, clean, discretise, encode
from medview.learning.icu_phenotypes import PHENOTYPES
from medview.learning.icu_series import Series
from medview.learning.icu_sets import ROLE, load_csv_folder
from medview.learning.icu_unit_told import unit_told
from medview.learning.icu_unmeasured import Unmeasured
from medview.learning.icu_variables import VariableMap, read_map, shipped_map
from medview.learning.subset import LeftOut, Subset, TrainCase

OUTPUTS = {
    "mortality": ("mortality",),
    "phenotypes": PHENOTYPES,
    "icu_admission": ("icu_admission",),
}
"""What is learnt together, and the cells that say it."""
JOINTLY = (*OUTPUTS["mortality"], *OUTPUTS["phenotypes"])
"""Death and phenotypes by one network."""


@dataclass(frozen=True, slots=True, eq=False)
class Stay:
    """A case in bins; `film` are the features of its film."""

    case: TrainCase
    grid: Grid
    film: Floats | None = None

    def labels(self, names: Sequence[str]) -> list[float]:
        """What is known of these labels, NaN for the others."""
        return [float(self.case.cells.get(name) or "nan") for name in names]


def find_stays(data: Iterable[str], model: str, variables: str | None = None) -> list[Subset]:
    """The sets under each ``[LAYOUT=]PATH``; with a map, plain paths are CSV folders.

    Raises
    ------
    UsageError, DataError
        As ``cases.find_subsets``; the map cannot be read.
    """
    if variables is None:
        return find_subsets(data, model)
    chosen = map_called(variables)
    folders = [spec.removeprefix("csv=") for spec in data if _is_csv(spec)]
    others = [spec for spec in data if not _is_csv(spec)]
    found = [load_csv_folder(Path(folder), chosen) for folder in folders]
    return found + (find_subsets(others, model) if others else [])


def _is_csv(spec: str) -> bool:
    return spec.startswith("csv=") or "=" not in spec


def map_called(name: str) -> VariableMap:
    """A shipped map by its name, or one in a file."""
    path = Path(name)
    return read_map(path) if path.suffix in (".yaml", ".yml") else shipped_map(name)


def to_bins(
    job: Progress,
    cases: Sequence[TrainCase],
    variables: VariableMap,
    odd: Counter[str] | None = None,
) -> tuple[list[Stay], list[LeftOut]]:
    """Every case in bins; those that cannot be are left out by name.

    `odd` takes in how many stays values were in a foreign unit, impossible or beyond their range,
    in the words of ``icu_grid.clean``.
    """
    stays, skipped = [], []
    for n, case in enumerate(cases):
        if n % 200 == 0:
            job.check()
            job.report(n, len(cases), f"stay {n + 1} / {len(cases)}")
        try:
            stays.append(_in_bins(case, variables, odd))
        except DataError as error:
            skipped.append(LeftOut(case.case, error.code, error.what))
    return stays, skipped


def _in_bins(case: TrainCase, variables: VariableMap, odd: Counter[str] | None) -> Stay:
    series = unit_told(cast(Series, case.rows[ROLE]), variables).series
    events, said = clean(series.events(variables), variables)
    if odd is not None:
        odd.update({*said, *series.converted(variables)})
    hours = case.cells.get("hours")
    return Stay(case, discretise(events, variables, float(hours) if hours else None))


def joined(grids: Sequence[Grid]) -> Grid:
    """Bins of many stays one below the other."""
    return Grid(*(np.concatenate([getattr(g, f.name) for g in grids]) for f in fields(Grid)))


def fit_normaliser(stays: Sequence[Stay], variables: VariableMap, rule: str) -> Normaliser:
    """Statistics of these stays, or the shipped ones."""
    if rule == "shipped":
        return Normaliser.shipped(variables)
    return Normaliser.fitted([stay.grid for stay in stays], variables)


def encoded(
    stays: Sequence[Stay], variables: VariableMap, normaliser: Normaliser, outputs: Sequence[str]
) -> StaySet:
    """Stays as tensors, padded with zeros to the longest; see ``StaySet``."""
    lengths = [len(stay.grid) for stay in stays]
    rows = encode(joined([stay.grid for stay in stays]), variables, normaliser)
    series = torch.zeros(len(stays), max(lengths), rows.shape[1])
    start = 0
    for n, length in enumerate(lengths):
        series[n, :length] = torch.from_numpy(rows[start : start + length])
        start += length
    film = _films(stays)
    seen = torch.tensor([bool(stay.grid.observed.any()) for stay in stays])
    with_film = torch.tensor([stay.film is not None for stay in stays])
    return StaySet(
        series,
        torch.tensor(lengths),
        torch.stack([seen, with_film], 1),
        torch.tensor([stay.labels(outputs) for stay in stays], dtype=torch.float32),
        film,
        unmeasured=Unmeasured.of(variables, normaliser),
    )


def _films(stays: Sequence[Stay]) -> Tensor | None:
    known = next((stay.film for stay in stays if stay.film is not None), None)
    if known is None:
        return None
    empty = np.zeros_like(known)
    rows = [empty if stay.film is None else stay.film for stay in stays]
    return torch.from_numpy(np.stack(rows))


def with_films(stays: Sequence[Stay], features: Mapping[Path, Floats]) -> list[Stay]:
    """The stays with the features of their films."""
    return [
        replace(stay, film=features.get(stay.case.images["film"]))
        if "film" in stay.case.images
        else stay
        for stay in stays
    ]


def imputed_share(grid: Grid, variables: VariableMap) -> float:
    """Share of the values that change in time that were imputed or carried forward."""
    return 1 - float(grid.observed[:, list(variables.dynamic)].mean())


def observed_until(grid: Grid, variables: VariableMap) -> NDArray[np.float64]:
    """Share of those values that were measured in all bins up to each, (bins,)."""
    observed = grid.observed[:, list(variables.dynamic)].mean(1)
    return np.asarray(observed.cumsum() / np.arange(1, len(observed) + 1), dtype=np.float64)
