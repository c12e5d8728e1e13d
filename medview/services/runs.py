"""Trainings that were made: what each was set to, how it went, and in what they differ.

``run.json`` beside ``history.csv`` says what a training was; it names no file and no patient.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.domain.errors import DataError, WriteError
from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.io.atomic import whole_file
from medview.services.histories import Curves, main_curves, main_names, read_curves

RUN, HISTORY = "run.json", "history.csv"
RUNS = "runs"
MOST_KEPT = 40


@dataclass(frozen=True, slots=True)
class Best:
    """The lowest point of the curve that stands for a training."""

    part: str
    name: str
    epoch: int
    value: float


@dataclass(frozen=True, slots=True)
class Run:
    """A training: its settings as text by name, its curves, and figures (name, old, new).

    `model` is empty and `settings` are unknown where only the curve is there.
    """

    name: str
    folder: Path
    model: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    curves: Curves = field(default_factory=dict)
    seconds: float | None = None
    made_at: str = ""
    weights_sha256: str = ""
    figures: tuple[tuple[str, float | None, float | None], ...] = ()

    @property
    def best(self) -> Best | None:
        """The lowest validation, else training, value."""
        names, points = main_names(self.curves), main_curves(self.curves)
        part = next((part for part in ("val", "train") if part in points), None)
        if part is None:
            return None
        epoch, value = min(points[part], key=lambda point: point[1])
        return Best(part, names[part], epoch, value)

    @property
    def epochs(self) -> int:
        """How many epochs the curve has."""
        return max((points[-1][0] for points in self.curves.values()), default=0)


def write_run(folder: Path, model: str, request: TrainRequest, body: Mapping[str, Any]) -> None:
    """Say beside the curve what a training was; without where the disk refuses."""
    rows = body.get("before_after", {}).get("metrics", ())
    told = {
        "schema": "medview.trained/1",
        "model": model,
        "settings": {
            **_flat(request.recipe),
            # A recipe may have a method, too: how its networks are trained, not what learns.
            **({"recipe": str(request.recipe["method"])} if "method" in request.recipe else {}),
            "method": request.method,
            "seed": str(request.seed),
        },
        "seconds": body.get("seconds"),
        "weights_sha256": body.get("weights_sha256", ""),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": _figures(rows),
    }
    with suppress(WriteError), whole_file(folder / RUN) as draft:
        draft.write_text(json.dumps(told, indent=1, default=str) + "\n", "utf-8")


def keep_run(home: Path, folder: Path) -> None:
    """Copy curve and settings of a training to the runs that are kept; the oldest ones go."""
    kept = home / RUNS
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    with suppress(OSError):
        (kept / name).mkdir(parents=True)
        for file in (RUN, HISTORY):
            if (folder / file).is_file():
                shutil.copyfile(folder / file, kept / name / file)
        for old in sorted(kept.iterdir())[:-MOST_KEPT]:
            shutil.rmtree(old, ignore_errors=True)


def count_runs(kept: Path) -> int:
    """How many trainings are kept."""
    return sum(1 for _ in kept.iterdir()) if kept.is_dir() else 0


def read_all(job: Progress, folders: tuple[Path, ...]) -> tuple[Run, ...]:
    """The same as ``read_runs``, in a child."""
    job.check()
    return read_runs(folders)


def read_runs(folders: Iterable[Path]) -> tuple[Run, ...]:
    """Trainings in folders, or in the folders inside them.

    Raises
    ------
    DataError
        If a folder holds no training.
    """
    found: list[Run] = []
    for folder in folders:
        inside = (
            [folder]
            if _is_run(folder)
            else sorted(each for each in folder.glob("*") if _is_run(each))
        )
        if not inside:
            raise DataError(
                "there is no training in it" if folder.is_dir() else "does not exist",
                file=folder.name,
                do=f"Name a folder that a training has written ({HISTORY} is in it).",
            )
        found += [read_run(each) for each in inside]
    return tuple(found)


def _is_run(folder: Path) -> bool:
    return (folder / HISTORY).is_file() or (folder / RUN).is_file()


def read_run(folder: Path) -> Run:
    """One training; what cannot be read of it is left empty."""
    curves = read_curves(folder / HISTORY)
    bare = Run(folder.name, folder, curves=curves)
    try:
        told = json.loads((folder / RUN).read_text("utf-8"))
        return Run(
            folder.name, folder, str(told["model"]),
            {str(name): str(text) for name, text in told["settings"].items()}, curves,
            told["seconds"], str(told["made_at"]), str(told["weights_sha256"]),
            tuple((str(name), old, new) for name, old, new in told["figures"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return bare


def differing(runs: Sequence[Run]) -> tuple[str, ...]:
    """Names of settings that are not the same in all runs that tell theirs."""
    told = [run.settings for run in runs if run.settings]
    names = dict.fromkeys(name for settings in told for name in settings)
    return tuple(name for name in names if len({settings.get(name, "") for settings in told}) > 1)


def write_curves(runs: Sequence[Run], path: Path) -> None:
    """Every curve of every run in one table: run, epoch, part, name, value. Raises WriteError."""
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("run", "epoch", "part", "name", "value"))
        for run in runs:
            for (part, name), points in run.curves.items():
                writer.writerows((run.name, epoch, part, name, value) for epoch, value in points)


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Settings of tables inside tables as table.name; without what is nothing."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        elif value is not None:
            flat[f"{before}{name}"] = str(value)
    return flat


def _figures(rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Old and new of each figure on what was held out."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["group"] in ("validation", "cross-fitted"):
            level = "" if row["level"] == "case" else f"{row['level']} "
            key = f"{row['task']} {level}{row['name'].replace('_', ' ')}"
            found.setdefault(key, {})[row["predictor"]] = row["value"]
    return [[key, told.get("old"), told.get("new")] for key, told in found.items()]
