"""Frozen records as plain JSON values, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

Record = TypeVar("Record")


def plain(value: Any) -> Any:
    """Turn a value into what JSON knows; NaN and infinity become None, tuples lists."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def record_of(kind: type[Record], item: Mapping[str, Any]) -> Record:
    """Make a record from plain values: lists become tuples, unknown keys are ignored.

    Raises
    ------
    TypeError
        If a field without a default is missing.
    """
    known: dict[str, Any] = {}
    for field in fields(cast(Any, kind)):
        if field.name in item:
            value = item[field.name]
            known[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**known)
