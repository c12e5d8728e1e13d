"""Whether a model knows any variable of the table of a stay, by its card."""

from __future__ import annotations

from collections.abc import Iterable

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.record import Record
from medview.learning.icu_readings import reading_of
from medview.learning.icu_variables import VariableMap, map_of

_SHOWN = 6
FOREIGN = "knows no column of the open table; it reads {names}"
READABLE = "Open a table with one of these columns."


def why_foreign(cards: Iterable[ModelCard], record: Record | None) -> str:
    """Why none of these versions of a model can use a record; empty where one can.

    A card that does not tell its variables, and a table without a record, are believed.
    """
    maps = [_map_of(card) for card in cards]
    if record is None or any(each is None or _knows(each, record) for each in maps):
        return ""
    return FOREIGN.format(names=_names(maps[0])) if maps and maps[0] is not None else ""


def _map_of(card: ModelCard) -> VariableMap | None:
    told = card.settings.get("variables")
    try:
        return map_of(told) if isinstance(told, dict) else None
    except DataError:
        return None


def _knows(variables: VariableMap, record: Record) -> bool:
    parts = {part.lower() for variable in variables.variables for part in variable.parts}
    names = (*(strip.name for strip in record.strips), *record.ignored)
    return any(name.lower() in parts or reading_of(name, variables).place >= 0 for name in names)


def _names(variables: VariableMap) -> str:
    names = [variable.name for variable in variables.variables]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
