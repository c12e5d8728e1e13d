"""What a training leaves beside its checkpoint for the next start, and how long the last took.

``wish.json`` lies in the folder of the training and says what it was; ``training-times.json``
in the program's own folder keeps seconds and memory by model and method.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medview.domain.errors import OUT_OF_MEMORY, MedviewError, WriteError
from medview.domain.training import NETWORK_MB
from medview.io.atomic import own_file
from medview.io.limits import networks_at_once
from medview.services.session_values import Way
from medview.services.takes import may_have_gpu

WISH, COMPARED = "wish.json", "before_after.json"
TIMES = "training-times.json"
_NOTED = ("epochs", "cases", "seconds", "memory_mb")
_KEPT_RUNS = 4
_LESS = (
    "Close other programs, then start it again, or go on from the last whole epoch where there is "
    "one. Fewer cases in a step, fewer cases at all or a part of the network alone take less."
)


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a training takes, as far as trainings of its kind on this machine tell."""

    seconds: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Amount:
    """Of what kind a training is, and how much of it there is.

    `rounds` trainings are made one after the other, each of `at_once` networks. Networks that
    train side by side are of a kind of their own: all at once take as long as one of them.
    """

    kind: str
    rounds: int = 1
    at_once: int = 1

    @classmethod
    def of(cls, model: str, way: str, *, folds: int, threads: int | None, device: str) -> Amount:
        """Of a model trained in a way ("train" or a method), once for each fold and once more."""
        kind, networks = f"{model} {way}", 1 + folds if folds > 1 else 1
        place = "cpu" if device == "auto" and not may_have_gpu() else device
        each_mb = NETWORK_MB.get(model)
        at_once = networks_at_once(each_mb, threads, place) if each_mb else 1
        at_once = min(at_once, networks)
        if at_once == 1:
            return cls(kind, networks)
        return cls(f"{kind}, side by side", -(-networks // at_once), at_once)


def write_wish(folder: Path, wish: Mapping[str, Any]) -> None:
    """Keep what a training is; it goes on without where the disk refuses."""
    _write(folder / WISH, wish)


def read_wish(folder: Path) -> dict[str, Any]:
    """What an interrupted training was; empty where there is none."""
    return _read(folder / WISH)


def forget_wish(folder: Path) -> None:
    """Leave no word of what a training is; it stays where the disk refuses."""
    with suppress(OSError):
        (folder / WISH).unlink(missing_ok=True)


def read_compared(folder: Path) -> dict[str, Any]:
    """Old against new, as a training that is over left it; empty where there is none."""
    return _read(folder / COMPARED)


def note_time(
    home: Path, kind: str, *, seconds: float, epochs: int, cases: int, memory_mb: float
) -> None:
    """Keep what a training took, beside the few of its kind before it."""
    if epochs < 1 or cases < 1:
        return
    times = _read(home / TIMES)
    own = {"epochs": epochs, "cases": cases, "seconds": seconds, "memory_mb": memory_mb}
    _write(home / TIMES, {**times, kind: [*_runs(times, kind), own][-_KEPT_RUNS:]})


def read_times(home: Path) -> dict[str, Any]:
    """What trainings of each kind took here."""
    return _read(home / TIMES)


def expected(times: Mapping[str, Any], kind: str, *, epochs: int, cases: int) -> Expected | None:
    """What a training will take by such `times`; None where none of its kind has run here.

    It goes by the run that is nearest in amount (a short trial says little of a long training),
    the last one of several.
    """
    runs = _runs(times, kind)
    if not runs:
        return None
    share = [run["epochs"] * run["cases"] / (epochs * cases) for run in runs]
    near = min(reversed(range(len(runs))), key=lambda n: abs(math.log(share[n])))
    return Expected(runs[near]["seconds"] / share[near], runs[near]["memory_mb"])


def _runs(times: Mapping[str, Any], kind: str) -> list[dict[str, float]]:
    """Trainings of a kind that are noted, the last one at the end; what is damaged is left out."""
    found: Any = times.get(kind)
    runs = []
    for one in found if isinstance(found, list) else ():
        with suppress(TypeError, KeyError, ValueError):
            run = {name: float(one[name]) for name in _NOTED}
            if run["epochs"] >= 1 and run["cases"] >= 1:
                runs.append(run)
    return runs


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, value: Mapping[str, Any]) -> None:
    with suppress(WriteError), own_file(path) as draft:
        draft.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def advised(error: MedviewError, smaller: Callable[[], object] | None) -> tuple[Way, ...]:
    """Say what helps where memory ran out: a training works on all cases, not on one file.

    `smaller` starts it again with fewer cases in a step; None where there can be no fewer.
    """
    if error.code != OUT_OF_MEMORY:
        return ()
    error.do = _LESS
    return (Way("Smaller batch", smaller),) if smaller is not None else ()
