"""Series that were read once are kept on disk: reading text is the slow part of a large set."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import platformdirs

from medview.domain.errors import WriteError
from medview.io.atomic import whole_file
from medview.learning.icu_series import Series

_FORM = 1
"""Goes up when what is kept changes its meaning."""


def cache_folder() -> Path:
    """Where derived data are kept; deleting it only costs time."""
    chosen = os.environ.get("MEDVIEW_HOME")
    base = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("medview", False))
    return base / "cache"


def cached(
    name: str, sources: Sequence[Path], read: Callable[[], Mapping[str, Series]]
) -> Mapping[str, Series]:
    """What `read` gives, kept on disk until one of `sources` changes. Only for numbers."""
    path = cache_folder() / f"{name}-{_fingerprint(sources)}.npz"
    kept = _load(path)
    if kept is not None:
        return kept
    found = read()
    with suppress(WriteError):  # a full or read-only disk only costs the time of the next reading
        _store(path, found)
    return found


def _fingerprint(sources: Sequence[Path]) -> str:
    digest = hashlib.sha256(str(_FORM).encode())
    for path in sources:
        said = path.stat()
        digest.update(f"{path.absolute()} {said.st_size} {said.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _store(path: Path, series: Mapping[str, Series]) -> None:
    every = list(series.values())
    if any(one.words for one in every) or not every:
        return
    with whole_file(path) as draft:
        np.savez(
            draft,
            stays=np.array(list(series), dtype=str),
            names=np.array(every[0].names, dtype=str),
            lengths=np.array([len(one.hours) for one in every], np.int64),
            hours=np.concatenate([one.hours for one in every]),
            columns=np.concatenate([one.columns for one in every]),
            values=np.concatenate([one.values for one in every]),
        )


def _load(path: Path) -> dict[str, Series] | None:
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            ends = np.cumsum(kept["lengths"])
            names = tuple(str(name) for name in kept["names"])
            parts = [np.split(kept[key], ends[:-1]) for key in ("hours", "columns", "values")]
            stays = [str(stay) for stay in kept["stays"]]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    return {stay: Series(names, *columns) for stay, *columns in zip(stays, *parts, strict=True)}
