"""Frozen records as plain JSON values and back; what does not fit is refused, not guessed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
# Neither inf nor nan is below, nor a whole number that no float can be.
_LARGEST = sys.float_info.max


def to_plain(value: object) -> Any:
    """A record, and all that is in it, as dictionaries, lists, words and numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [to_plain(each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(kind: type[T], value: object) -> T:
    """The record of that kind again; fields that are not there have their defaults.

    Raises
    ------
    ValueError
        If a value is not of the type that its field has, or a field without default is missing.
    """
    made: T = _made(kind, value)
    return made


def _made(kind: Any, value: object) -> Any:
    origin = get_origin(kind)
    if origin is UnionType:
        return _one_of(get_args(kind), value)
    if origin is Literal:
        return _checked(value in get_args(kind), value)
    if origin is tuple:
        return _tuple(get_args(kind), value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if is_dataclass(kind):
        return _record(kind, value)
    if kind is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(_checked(is_number and abs(value) <= _LARGEST, value))  # type: ignore[arg-type]  # a number
    return _checked(type(value) is kind, value)


def _one_of(kinds: tuple[Any, ...], value: object) -> Any:
    if value is None and type(None) in kinds:
        return None
    return _made(next(kind for kind in kinds if kind is not type(None)), value)


def _tuple(kinds: tuple[Any, ...], value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"a list was expected, not {type(value).__name__}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_made(kinds[0], each) for each in value)
    return tuple(_made(kind, each) for kind, each in zip(kinds, value, strict=True))


def _record(kind: Any, value: object) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{kind.__name__} was expected, not {type(value).__name__}")
    hints = get_type_hints(kind)
    known = {f.name: _made(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value}
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"{kind.__name__} is incomplete") from error


def _checked(fits: bool, value: object) -> object:
    if not fits:
        raise ValueError(f"{value!r} does not fit")
    return value
