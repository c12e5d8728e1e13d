"""What the reader may choose of a run of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from medview.domain.card import ModelCard
from medview.domain.prediction import Precision, Prediction
from medview.domain.study import Series

# What a result tells of the choices that it was made with, by the names of both.
_TOLD = ("samples", "alpha", "age_years", "sex", "site", "film_hour")

_MANY = (list, tuple, dict)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reader may choose of a run; None is the card's own or the settings' value, of the
    seed that of this start.

    `without` names inputs that are there and are left out, `batch` is how many slices are
    computed at once, `maps` names maps that are made only on demand. `site` "" is an unknown
    one, where None leaves it to the header.
    """

    samples: int | None = None
    alpha: float | None = None
    seed: int | None = None
    precision: Precision = "float32"
    device: str | None = None
    threads: int | None = None
    age_years: float | None = None
    sex: str | None = None
    site: str | None = None
    film_hour: float | None = None
    weights: str | None = None
    without: tuple[str, ...] = ()
    batch: int | None = None
    maps: tuple[str, ...] = ()


USUAL = Choices()
"""Nothing is chosen."""


def choices_of(made: Prediction, weights: str | None) -> Choices:
    """What was chosen for a result of an earlier start with these weights, as far as it tells."""
    told = {name: made.parameters.get(name) for name in _TOLD}
    maps = made.parameters.get("maps")
    return Choices(
        seed=made.seed,
        precision=made.dtype if made.dtype in get_args(Precision) else "float32",  # type: ignore[arg-type]  # one of its values
        weights=weights,
        maps=tuple(str(name) for name in maps) if isinstance(maps, list) else (),
        **{name: value for name, value in told.items() if value is not None},  # type: ignore[arg-type]  # as the runs tell them
    )


def site_of(chosen: str | None, card: ModelCard, series: Series | None) -> str | None:
    """The site of a run: the chosen one, else that of the header where the card knows it.

    "" is an unknown site; None leaves it to a feature table, and is an unknown one without. Case
    and blanks round a name do not matter.
    """
    if chosen is not None:
        return chosen
    told = card.settings.get("sites")
    known = {str(each).casefold(): str(each) for each in told} if isinstance(told, _MANY) else {}
    return known.get(series.institution.strip().casefold()) if series is not None else None
