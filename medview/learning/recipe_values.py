"""A recipe from the plain values of its file: what it does not know is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from medview.domain.errors import DataError

R = TypeVar("R")


def recipe_of(
    kind: type[R], values: Mapping[str, Any], tables: Mapping[str, type] | None = None
) -> R:
    """Make a recipe, a dataclass; of `tables` the settings that are dataclasses themselves.

    Raises
    ------
    DataError
        A key that no recipe has, or a table that cannot be used.
    """
    tables = tables or {}
    known = names_of(kind)
    made = dict(values)
    for name, value in values.items():
        if name not in known:
            raise odd_value(f"the recipe has no setting called {name}", known)
        if name in tables:
            try:
                made[name] = tables[name](**value)
            except TypeError as error:
                what = f"the recipe has a table {name} that cannot be used"
                raise odd_value(what, names_of(tables[name])) from error
    return kind(**made)


def names_of(kind: type) -> list[str]:
    """The settings of a recipe, or of a table of it, in the order of the alphabet."""
    return sorted(one.name for one in fields(kind))


def odd_value(what: str, known: list[str] | tuple[str, ...]) -> DataError:
    """A setting or a value that no recipe has, and what there is instead."""
    return DataError(what, do=f"Known are: {', '.join(known)}.", code="MV-DAT-020")
