"""What a training of an earlier start has left, taken up: to go on, to begin anew, or to keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.services.training_folder import Left
from medview.services.training_request import as_begun, epochs_wished
from medview.services.tuned import Tuned
from medview.services.versions import Version

GOES_ON = "A training was interrupted. It can go on from its last whole epoch: panel Training."
LOST = (
    "A training was interrupted before its first epoch ended, and nothing of it is left. It can be "
    "started again: panel Training."
)
FINISHED = "A training was finished, and neither kept nor rejected: panel Training."


@dataclass(frozen=True, slots=True, eq=False)
class TakenUp:
    """The fields of ``Tuned`` that a training is shown by, and what the reader is told."""

    fields: dict[str, Any]
    words: str


def taken_up(left: Left, versions: Iterable[Version], weights: Path) -> TakenUp | None:
    """How to offer what is left of a training, whose new weights are those; None: nothing is.

    A training of a version that is gone cannot be taken up.
    """
    begun = as_begun(left.begun)
    name = begun["wish"].version if begun else ""
    base = next((each.weights for each in versions if each.name == name), None)
    if base is None:
        return None
    known: dict[str, Any] = {"curves": left.curves, **begun}
    shown = Tuned(**known)
    known["epochs"] = max(epochs_wished(shown), shown.epoch)
    if left.can_go_on:
        return TakenUp({"phase": "stopped", **known}, GOES_ON)
    if left.is_lost:
        return TakenUp({"phase": "ready", **known}, LOST)
    if not left.compared:
        return None
    outcome = {**left.begun.get("outcome", {}), "before_after": left.compared}
    made = {"outcome": outcome, "base": base, "preview": weights, "lines": left.lines}
    return TakenUp({"phase": "done", **made, **known}, FINISHED)
