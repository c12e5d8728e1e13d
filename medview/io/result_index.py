"""The index of stored results: one SQLite table that can be made again from the files."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.errors import MedviewError, ReadError
from medview.domain.prediction import Opinion, Prediction
from medview.io.atomic import sync

VERSION = 2
_BUSY_S = 5.0
_BAD = ".bad"


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored result: its folder, what it is bound to, and what the run took.

    `series` is "UID#STACK", `sha256` the hash over the pixels; `filed_at` an ISO time in UTC
    to the microsecond; `voxels` how many the input had, `samples` how many passes the model
    made (0: it makes none).
    """

    id: str
    study: str
    series: str
    sha256: str
    model: str
    version: str
    made_at: str
    filed_at: str
    device: str
    seconds: float
    peak_memory_mb: float
    voxels: int
    samples: int = 0

    @property
    def key(self) -> str:
        """Which version of which model it is of, as ``Prediction.key``."""
        return f"{self.model}@{self.version}"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a result is about: study, series ("UID#STACK") and the hash over its pixels."""

    study: str
    series: str
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A result that was read back, with what the reader has answered to it.

    `doubt` says why the answers could not be read.
    """

    entry: Entry
    prediction: Prediction
    card: ModelCard | None
    opinions: tuple[Opinion, ...]
    doubt: MedviewError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Results that were stored of some pixels, and why others cannot be shown."""

    kept: tuple[Kept, ...]
    errors: tuple[MedviewError, ...]


_COLUMNS = tuple(field.name for field in fields(Entry))
_MARKS = ", ".join("?" * len(_COLUMNS))
_MAKE = f"CREATE TABLE results ({', '.join(_COLUMNS)}, PRIMARY KEY (id))"


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the index for a few statements, in autocommit; each ``BEGIN`` is explicit.

    The journal is a file that is deleted at the commit, not a write-ahead log: the table has
    few rows, and this way is also safe on disks of a network.
    """
    with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as base:
        base.execute("PRAGMA synchronous = EXTRA")
        yield base


def is_sound(path: Path) -> bool:
    """Whether the index can be used.

    Raises
    ------
    ReadError
        If a newer version of the program has made it.
    """
    if not path.is_file():
        return False
    try:
        with connected(path) as base:
            (version,) = base.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise ReadError(
                    f"was made by a newer medview (version {version}, this one reads {VERSION})",
                    file=path.name,
                    do="Use the newer program; nothing was changed.",
                    code="MV-IO-320",
                )
            (answer,) = base.execute("PRAGMA quick_check").fetchone()
            known = [row[1] for row in base.execute("PRAGMA table_info(results)")]
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise
        return False
    except sqlite3.DatabaseError:
        return False
    return bool(version == VERSION and answer == "ok" and known == list(_COLUMNS))


def rebuild(path: Path, found: Iterable[Entry], at: Callable[[str], None]) -> None:
    """Make the index of these entries; a damaged one is kept beside it as ".bad"."""
    draft = path.with_name(path.name + ".new")
    for old in (draft, Path(f"{draft}-journal")):
        old.unlink(missing_ok=True)
    with connected(draft) as base:
        at("rebuild: made")
        base.execute("BEGIN")
        base.execute(_MAKE)
        base.executemany(f"INSERT INTO results VALUES ({_MARKS})", map(astuple, _newest(found)))
        base.execute(f"PRAGMA user_version = {VERSION}")
        at("rebuild: filled")
        base.execute("COMMIT")
    at("rebuild: committed")
    if path.exists():
        os.replace(path, f"{path}{_BAD}")
    # A journal of the damaged index must not be played into the new one.
    Path(f"{path}-journal").unlink(missing_ok=True)
    at("rebuild: damaged one aside")
    os.replace(draft, path)
    at("rebuild: renamed")
    sync(path.parent)


def _newest(found: Iterable[Entry]) -> list[Entry]:
    """Of several results of one version on the same pixels the one that was filed last."""
    newest: dict[tuple[str, str, str], Entry] = {}
    for each in sorted(found, key=lambda entry: entry.filed_at):
        newest[each.series, each.sha256, each.key] = each
    return list(newest.values())


def entries(base: sqlite3.Connection, where: str = "1", *values: str) -> tuple[Entry, ...]:
    """The rows for which `where` holds, in the order they were filed."""
    rows = base.execute(f"SELECT * FROM results WHERE {where} ORDER BY filed_at", values)
    return tuple(Entry(*row) for row in rows)


def insert(base: sqlite3.Connection, entry: Entry) -> None:
    """Add a row, or put it in the place of the one with its id."""
    base.execute(f"INSERT OR REPLACE INTO results VALUES ({_MARKS})", astuple(entry))


def remove(base: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Take rows out."""
    base.executemany("DELETE FROM results WHERE id = ?", [(each,) for each in ids])
