"""What the cards of all models say in the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medview.domain.card import Figure, TrainedOn
from medview.learning.subset import Subset

UNMEASURED = "These weights have not been measured on patients they never saw."
_NON_COMMERCIAL = ("research", "NC", "non-commercial", "unstated")


def licence_of(subsets: Sequence[Subset | TrainedOn]) -> str:
    """The licences of all sets trained on, and the mark of the strictest."""
    named = list(dict.fromkeys(s.licence for s in subsets if s.licence))
    strict = any(mark in licence for licence in named for mark in _NON_COMMERCIAL)
    words = "; ".join(named) or "not stated"
    return f"research, non-commercial (data: {words})" if strict else words


def measured_in(folds: int, figures: Sequence[Figure]) -> tuple[str, ...]:
    """Where the figures of a card come from; nothing where there are none."""
    told = f"Figures come from {folds} folds by patient; these weights are a refit on all."
    return (told,) if figures else ()


def figure_of(row: Mapping[str, Any], command: str) -> Figure:
    """A metric row of ``medview.metrics/1`` as a figure of a card."""
    rest = dict(row)
    named = ("name", "value", "low", "high", "n", "predictor", "level", "group")
    fields = {name: rest.pop(name) for name in named if name in rest}
    return Figure(on=str(rest.pop("subset")), command=command, extra=rest, **fields)
