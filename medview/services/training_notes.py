"""What a training leaves beside its checkpoint for the next start, and how long the last took.

``wish.json`` lies in the folder of the training and says what it was; ``training-times.json``
in the program's own folder keeps seconds and memory by model and method.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.domain.errors import WriteError
from medview.io.atomic import own_file

WISH = "wish.json"
TIMES = "training-times.json"


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a training takes, as far as trainings of its kind on this machine tell."""

    seconds: float
    memory_mb: float


def write_wish(folder: Path, wish: Mapping[str, Any]) -> None:
    """Keep what a training is; it goes on without where the disk refuses."""
    _write(folder / WISH, wish)


def read_wish(folder: Path) -> dict[str, Any]:
    """What an interrupted training was; empty where there is none."""
    return _read(folder / WISH)


def note_time(
    home: Path, kind: str, *, seconds: float, epochs: int, cases: int, memory_mb: float
) -> None:
    """Keep what a training took, in place of what one of its kind took before."""
    if epochs < 1 or cases < 1:
        return
    own = {"seconds_per_case_epoch": seconds / epochs / cases, "memory_mb": memory_mb}
    _write(home / TIMES, {**_read(home / TIMES), kind: own})


def read_times(home: Path) -> dict[str, Any]:
    """What trainings of each kind took here."""
    return _read(home / TIMES)


def expected(times: Mapping[str, Any], kind: str, *, epochs: int, cases: int) -> Expected | None:
    """What a training will take by such `times`; None where none of its kind has run here."""
    found: Any = times.get(kind)
    try:
        return Expected(
            float(found["seconds_per_case_epoch"]) * epochs * cases, float(found["memory_mb"])
        )
    except (TypeError, KeyError, ValueError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, value: Mapping[str, Any]) -> None:
    with suppress(WriteError), own_file(path) as draft:
        draft.write_text(json.dumps(value, indent=1) + "\n", "utf-8")
