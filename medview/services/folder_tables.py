"""The table of a stay in a folder that was named for a model of time series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.errors import UsageError

SERIES = "series"
_SUFFIX = ".csv"
_WORDS = (_SUFFIX, ".txt", ".md", ".json", ".yaml")
_SHOWN = 3


def table_in(card: ModelCard, folders: Sequence[Path]) -> Path | None:
    """The only table in these folders; None where there is none or the model takes no series.

    Raises
    ------
    UsageError
        If there are several.
    """
    if not any(spec.role == SERIES for spec in card.inputs):
        return None
    inside = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    tables = [path for path in inside if path.suffix.lower() == _SUFFIX and path.is_file()]
    if len(tables) > 1:
        some = ", ".join(path.name for path in tables[:_SHOWN])
        more = f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else ""
        raise UsageError(
            f"{len(tables)} tables would fit: {some}{more}",
            file=folders[0].name,
            do=f'Name one of them, or run them all with "medview batch {card.id}".',
        )
    return tables[0] if tables else None


def may_hold_images(path: Path) -> bool:
    """Whether anything but tables and words lies in a folder; True for a file."""
    if not path.is_dir():
        return True
    files = (each for each in path.rglob("*") if each.is_file() and each.name[0] != ".")
    return any(file.suffix.lower() not in _WORDS for file in files)
