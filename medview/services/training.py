"""Trainings: which models have one, and what is left behind by one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medview.domain.errors import UsageError, WriteError
from medview.domain.training import BEGUN_WITH, CHECKPOINTS, Method
from medview.io.atomic import write_error

# Model -> the work function of the train lane.
TRAINERS: dict[str, str] = {
    "anomaly": "medview.learning.anomaly_training:fit",
    "brain-age": "medview.learning.brain_age_training:fit",
    "brain-age-armed": "medview.learning.armed_age_training:fit",
    "icu": "medview.learning.icu_training:fit",
    "icu-armed": "medview.learning.icu_training:fit_armed",
    "cxr": "medview.learning.cxr_training:fit",
    "cxr-armed": "medview.learning.cxr_training:fit_armed",
    "region-net": "medview.learning.region_training:fit",
    "lung-net": "medview.learning.lung_training:fit",
}
TRAIN_ON = "medview.learning.descent:train_on"
"""The same from weights that are there: with the request it takes one of the above."""
OF_SITES: tuple[Method, ...] = ("full", "head", "site-effects")
"""What can learn of a model with effects of sites."""
METHODS: dict[str, tuple[Method, ...]] = {
    "anomaly": ("full", "head", "adapter"),
    "brain-age": ("full", "head", "calibrate"),
    "brain-age-armed": OF_SITES,
    "cxr": ("full", "head", "adapter", "calibrate"),
    "cxr-armed": OF_SITES,
    "icu": ("full", "head", "adapter", "calibrate"),
    "icu-armed": OF_SITES,
}
"""What of a model can learn from local cases."""
TRIALS: dict[str, str] = {"cxr": "medview.learning.choice_trial:trial"}
"""Trials of the order of labelling, by model: a training must be short to be repeated so often."""


def trainer_of(model: str) -> str:
    """The work function that trains a model.

    Raises
    ------
    UsageError
        If there is no such model or no training for it.
    """
    if model not in TRAINERS:
        raise UsageError(
            f"there is no training of a model called {model}",
            do=f"Choose one of: {', '.join(TRAINERS)}.",
        )
    return TRAINERS[model]


@contextmanager
def only_checkpoints_stay(out: Path, *, option: str = " with --resume") -> Iterator[None]:
    """Make a folder, and leave nothing new in it when the block fails but a "checkpoint".

    Tables that were there before get their former words back. `option` is what goes on from a
    checkpoint; empty where nothing needs to be given.

    Raises
    ------
    WriteError
        If `out` is a file, or the folder cannot be made. One of the block says whether there is a
        checkpoint to go on from.
    """
    if out.exists() and not out.is_dir():
        raise WriteError("is a file", file=out.name, do="Name a folder instead.")
    before = {path: _table(path) for path in out.rglob("*") if path.is_file()}
    missing = [folder for folder in (out, *out.absolute().parents) if not folder.exists()]
    try:
        _make(out)
        yield
    except BaseException as error:
        _tidy(out, before)
        if isinstance(error, WriteError):
            _say_how_to_go_on(error, out, option)
        for folder in missing:  # innermost first; one that holds a checkpoint stays
            with suppress(OSError):
                folder.rmdir()
        raise


def _say_how_to_go_on(error: WriteError, out: Path, option: str) -> None:
    """What is told of a disk that refused a single file, said of the training it ended."""
    if any(out.rglob(CHECKPOINTS)):
        error.still_works = "what was trained up to the checkpoint"
        way = f"go on from the checkpoint{option}"
    else:
        way = "start again"
    first = error.do.partition(" and write it again")[0].rstrip(".")
    error.do = f"{first}, then {way}."


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(out, error) from error


def _table(path: Path) -> bytes | None:
    """What a table says; None for other files, which are never changed in place."""
    return path.read_bytes() if path.suffix == ".csv" else None


def _tidy(out: Path, before: dict[Path, bytes | None]) -> None:
    everything = sorted(out.rglob("*"), reverse=True)
    kept = {path for path in everything if CHECKPOINTS in path.relative_to(out).parts}
    if {path.name for path in kept} <= {CHECKPOINTS, BEGUN_WITH}:
        kept = set()  # nothing to go on from
    for path in everything:
        if path in kept:
            continue
        with suppress(OSError):
            if path.is_dir():
                path.rmdir()
            elif path not in before:
                path.unlink()
            elif before[path] is not None:
                path.write_bytes(before[path] or b"")
