"""What every training keeps on disk: its checkpoint and its curve, each whole or not at all."""

from __future__ import annotations

import ast
import csv
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medview.domain.errors import DataError
from medview.io.atomic import whole_file
from medview.io.event_file import EVENTS, write_events
from medview.learning.adapters import plain_state

CHECKPOINT = Path("checkpoint") / "last.pt"
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


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights as they are now, adapters added to what they belong to."""
    return {name: value.detach().clone().cpu() for name, value in plain_state(model).items()}


def write_checkpoint(folder: Path, kept: Mapping[str, Any]) -> None:
    """Write ``checkpoint/last.pt`` below a folder."""
    path = folder / CHECKPOINT
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        torch.save(dict(kept), draft)


def read_checkpoint(folder: Path, *, names: Sequence[str], run: str) -> dict[str, Any]:
    """Read the checkpoint of an interrupted run.

    Parameters
    ----------
    names : Sequence[str]
        What it must hold; "recipe" among them.
    run : str
        What its "recipe" must be: two runs that differ in it cannot go on from each other.

    Raises
    ------
    DataError
        No checkpoint there, a damaged one, or one of another recipe.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        raise DataError(
            "there is no checkpoint to go on from",
            file=folder.name,
            do="Start without --resume.",
        )
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        whole = set(kept) >= set(names)
    except (RuntimeError, EOFError, ValueError, TypeError, pickle.UnpicklingError) as error:
        raise _damaged(path) from error
    if not whole:
        raise _damaged(path)
    if kept["recipe"] != run:
        raise DataError(
            "the checkpoint belongs to another recipe",
            file=folder.name,
            do="Use the same settings, or train into another folder.",
            code="MV-DAT-022",
        )
    return kept


def plain_dict(text: str) -> dict[str, object]:
    """A dictionary of plain values from its ``str``, such as the state of numpy's generator."""
    value: dict[str, object] = ast.literal_eval(text)
    return value


def write_history(path: Path, rows: Sequence[HistoryRow]) -> None:
    """history.csv: epoch, part, name, value; beside it the same as TensorBoard's event file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft, draft.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("epoch", "part", "name", "value"))
        writer.writerows(rows)
    write_events(path.with_name(EVENTS), rows)


def _damaged(path: Path) -> DataError:
    return DataError(
        "the checkpoint is damaged or not one of this program",
        file=path.name,
        do="Start without --resume.",
        code="MV-DAT-023",
    )
