"""Which unlabelled case to label next: the one of which a model is least sure, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SCORES: dict[str, str] = {
    "anomaly": "anomaly",
    "cxr": "severe",
    "cxr-armed": "severe",
    "icu": "mortality",
    "icu-armed": "mortality",
}
"""The score whose doubt ranks the cases of a model; the others have no label that a reader gives.
"""

WORTH: dict[str, str] = {
    "cxr": (
        "Tried on 121 patients with a known outcome, this order learnt little faster than random "
        "order (ROC AUC 0.01 higher, interval 0.01 to 0.02)."
    ),
}
"""What the order is worth, by ``medview cases cxr ../shared/data/cxr --trial --threads 1``."""
UNTRIED = "Whether this order learns faster than random order was not tried for this model."


@dataclass(frozen=True, slots=True)
class Doubt:
    """How unsure a model is of a case, the higher the sooner to label, and why in words."""

    value: float
    why: str


def doubt_of(
    model: str, value: float | None, low: float | None = None, high: float | None = None
) -> Doubt | None:
    """The doubt that a score with its ends tells of; None where it tells none.

    A probability of one network doubts most where it is even; where several networks or draws
    speak, the doubt is how far they are apart (epistemic).
    """
    rule = _RULES.get(model)
    return None if rule is None or value is None else rule(value, low, high)


def _even(value: float, _low: float | None, _high: float | None) -> Doubt:
    return Doubt(1 - abs(2 * value - 1), f"severe {value:.2f}, {abs(value - 0.5):.2f} from even")


def _apart(who: str) -> Callable[[float, float | None, float | None], Doubt | None]:
    """How far the answers of several networks or draws are apart, in the unit of the score."""

    def rule(_value: float, low: float | None, high: float | None) -> Doubt | None:
        if low is None or high is None:
            return None
        return Doubt(high - low, f"{who} say {low:.2f} to {high:.2f}")

    return rule


_RULES: dict[str, Callable[[float, float | None, float | None], Doubt | None]] = {
    "anomaly": _apart("draws"),
    "cxr": _even,
    "cxr-armed": _even,
    "icu": _apart("networks"),
    "icu-armed": _apart("networks"),
}
