"""What every training keeps on disk: its checkpoint and its curve, each whole or not at all."""

from __future__ import annotations

import ast
import csv
import pickle
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from medview.domain.errors import DataError, MedviewError
from medview.domain.training import CHECKPOINTS, Method
from medview.io.atomic import DRAFT, whole_file
from medview.io.event_file import EVENTS, write_events
from medview.learning.adapters import plain_state

LAST = "last.pt"
CHECKPOINT = Path(CHECKPOINTS) / LAST
_BY = " by the method "
KEEP_S = 1.0
"""Where epochs are shorter, a training that is killed loses so many seconds at the most."""
HistoryRow = tuple[int, str, str, float]
"""Epoch, part, name and value: a line of history.csv."""


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What one epoch came to: figures by (part, name), the same rows as in history.csv."""

    epoch: int
    epochs: int
    figures: dict[tuple[str, str], float]
    seconds: float
    best: bool

    def value(self, part: str, name: str) -> float:
        """One figure, such as ``value("val", "elbo")``."""
        return self.figures[part, name]


@dataclass(slots=True)
class Due:
    """Says after which epochs the checkpoint is due, from its making on.

    After each one; but where an epoch takes less than ``KEEP_S``, only before so much work would
    be lost: writing to the disk for good takes longer than an epoch of a small network.
    """

    clock: Callable[[], float] = time.perf_counter
    _kept: float = field(init=False)
    _seen: float = field(init=False)

    def __post_init__(self) -> None:
        self._kept = self._seen = self.clock()

    def after_epoch(self) -> bool:
        """Whether to write it now, an epoch having ended."""
        now = self.clock()
        epoch_s, self._seen = now - self._seen, now
        if now - self._kept + epoch_s < KEEP_S:
            return False
        self._kept = now
        return True


def refuse_not_finite(loss: Tensor | float, epoch: int) -> None:
    """Stop a training whose loss (of any shape) is no number any more.

    Raises
    ------
    MedviewError
        Naming the epoch.
    """
    if not torch.isfinite(torch.as_tensor(loss)).all():
        raise MedviewError(
            f"the loss is not finite in epoch {epoch}",
            do="Lower the learning rate.",
            code="MV-TRN-001",
        )


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights as they are now, adapters added to what they belong to."""
    return {name: value.detach().clone().cpu() for name, value in plain_state(model).items()}


def write_checkpoint(folder: Path, kept: Mapping[str, Any], name: str = LAST) -> None:
    """Write ``checkpoint/<name>`` below a folder."""
    with whole_file(folder / CHECKPOINTS / name) as draft:
        store(kept, draft)


def keep_run(folder: Path | None, kept: Mapping[str, Any], name: str = LAST) -> None:
    """Write the curve (``kept["history"]``) and the checkpoint, where there is a folder."""
    if folder is not None:
        write_history(folder / "history.csv", kept["history"])
        write_checkpoint(folder, kept, name)


def all_but_folds(recipe: Any) -> dict[str, Any]:
    """What of a recipe (a dataclass) its last network depends on: folds only measure."""
    return {name: value for name, value in asdict(recipe).items() if name != "folds"}


def store(kept: Mapping[str, Any], path: Path) -> None:
    """Write tensors and plain values; a disk that refuses is an OSError, as of any file."""
    with path.open("wb") as file:
        told = _Told(file)
        try:
            torch.save(dict(kept), told)  # type: ignore[arg-type]  # it only writes and flushes
        except RuntimeError:
            # torch says only that a position is not the one it has expected.
            if told.error is not None:
                raise told.error from None
            raise


@dataclass(slots=True)
class _Told:
    """A file that remembers why it could not be written."""

    file: BinaryIO
    error: OSError | None = None

    def write(self, part: bytes) -> int:
        """Pass it on."""
        try:
            return self.file.write(part)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Nothing is kept here."""


def of_method(run: str, method: Method) -> str:
    """What two runs must share, and what of the network learns; a training from nothing is full."""
    return run if method == "full" else f"{run}{_BY}{method}"


def refuse_other_method(kept: str, run: str, folder: Path) -> None:
    """Refuse to go on from a checkpoint of which something else of the network learnt.

    Raises
    ------
    DataError
        Naming both methods.
    """
    theirs, ours = (text.partition(_BY)[2] or "full" for text in (kept, run))
    if theirs != ours:
        raise DataError(
            f"the training to go on with is by the method {theirs}, not by {ours}",
            file=folder.name,
            do=f"Go on with the method {theirs}, or start a new training.",
            code="MV-DAT-022",
        )


def read_checkpoint(
    folder: Path, *, names: Sequence[str], run: str | None, name: str = LAST
) -> dict[str, Any]:
    """Read the checkpoint of an interrupted run; drafts that a killed one left behind go.

    Parameters
    ----------
    names : Sequence[str]
        What it must hold; "recipe" among them.
    run : str | None
        What its "recipe" must be: two runs that differ in it cannot go on from each other. None
        where the caller looks.

    Raises
    ------
    DataError
        No checkpoint there, a damaged one, or one of another recipe or method.
    """
    for draft in (*folder.glob(f"{DRAFT}*"), *(folder / CHECKPOINTS).glob(f"{DRAFT}*")):
        shutil.rmtree(draft, ignore_errors=True)
    path = folder / CHECKPOINTS / name
    if not path.is_file():
        raise DataError(
            "there is no checkpoint to go on from",
            file=folder.name,
            do="Start a new training.",
        )
    kept = _loaded(path)
    if not set(kept) >= set(names):
        raise _damaged(path)
    if run is not None:
        refuse_other_method(kept["recipe"], run, folder)
    if run is not None and kept["recipe"] != run:
        raise DataError(
            "the checkpoint belongs to another recipe",
            file=folder.name,
            do="Use the same settings, or train into another folder.",
            code="MV-DAT-022",
        )
    return kept


def _loaded(path: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return dict(kept)
    except (RuntimeError, EOFError, ValueError, TypeError, pickle.UnpicklingError) as error:
        raise _damaged(path) from error


def plain_dict(text: str) -> dict[str, object]:
    """A dictionary of plain values from its ``str``, such as the state of numpy's generator."""
    value: dict[str, object] = ast.literal_eval(text)
    return value


def write_history(path: Path, rows: Sequence[HistoryRow]) -> None:
    """history.csv: epoch, part, name, value; beside it the same as TensorBoard's event file."""
    with whole_file(path) as draft, draft.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("epoch", "part", "name", "value"))
        writer.writerows(rows)
    write_events(path.with_name(EVENTS), rows)


def _damaged(path: Path) -> DataError:
    return DataError(
        "the checkpoint is damaged or not one of this program",
        file=path.name,
        do="Start a new training.",
        code="MV-DAT-023",
    )
