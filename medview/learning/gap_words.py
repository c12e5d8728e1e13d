"""How an age gap depends on age, in words: by the sign of its slope, which is no law of nature."""

from __future__ import annotations

_FLAT = 0.005
"""Years a year that are printed as 0.00."""


def gap_by_age(slope: float) -> str:
    """What a raw gap (age found less true age) does with age, from its slope in years a year."""
    if abs(slope) < _FLAT:
        return "on average it does not depend on age"
    young, old = ("older", "younger") if slope < 0 else ("younger", "older")
    return f"on average the young come out {young} and the old {old} than they are"
