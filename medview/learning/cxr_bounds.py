"""How far scores of zones were off on films left out in training, as a card keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from medview.learning.chest_rows import HIGHEST

HIGHEST_OF_A_ZONE = 3


def zone_bounds(value: float, settings: Mapping[str, object]) -> tuple[float | None, float | None]:
    """The score of a zone with the 2.5th and 97.5th percentile of errors on left-out films."""
    return _bounds(value, settings.get("zone_errors"), HIGHEST_OF_A_ZONE)


def total_bounds(value: float, settings: Mapping[str, object]) -> tuple[float | None, float | None]:
    """The same of the sum of the six zones."""
    return _bounds(value, settings.get("total_errors"), HIGHEST)


def _bounds(value: float, errors: object, highest: int) -> tuple[float | None, float | None]:
    """The value with both errors, kept in range; nothing where value or errors are missing."""
    if not isinstance(errors, list) or len(errors) != 2 or math.isnan(value):
        return None, None
    low, high = (min(max(value + float(error), 0.0), float(highest)) for error in errors)
    return low, high
