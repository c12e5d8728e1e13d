"""The audit trail: an append-only file of lines, each sealed with the hash of the one before.

A line that is changed, taken out or put in breaks the chain there. What the trail names is a
pseudonym of the study and hashes, never a patient.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from medview.domain.errors import ReadError
from medview.domain.progress import Progress
from medview.io.atomic import own_folder, write_error

if os.name != "nt":
    import fcntl

FIRST = "0" * 64
"""What the first line names as the hash of the line before."""
_LONGEST_LINE = 1 << 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds; `broken` is the number of the first line (from 1) that does not."""

    lines: int
    broken: int | None = None
    what: str = ""

    @property
    def holds(self) -> bool:
        """True when no line is broken."""
        return self.broken is None


def append(path: Path, what: str, detail: Mapping[str, Any], who: str = "") -> str:
    """Add a line and return its hash; it is on the disk when this returns.

    Raises
    ------
    WriteError
        If the disk refuses.
    """
    try:
        own_folder(path.parent)
        with _locked(path) as file:
            body = {
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "who": who,
                "what": what,
                "detail": dict(detail),
                "before": _last_hash(path),
            }
            seal = _hash(body)
            line = json.dumps({**body, "hash": seal}, ensure_ascii=False, sort_keys=True)
            os.write(file, _end_of_torn(file) + line.encode() + b"\n")
            os.fsync(file)
            return seal
    except OSError as error:
        raise write_error(path, error) from error


def verify(path: Path) -> Verdict:
    """Go through the chain from its first line.

    Raises
    ------
    ReadError
        If there is no trail.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ReadError(
            "there is no audit trail that can be read",
            file=path.name,
            do="It begins with the first study that is opened or run.",
            code="MV-AUD-001",
        ) from error
    before = FIRST
    for number, line in enumerate(lines, start=1):
        why = _what_is_wrong(line, before)
        if why:
            return Verdict(len(lines), number, why)
        before = json.loads(line)["hash"]
    return Verdict(len(lines))


def entries(path: Path) -> list[dict[str, Any]]:
    """All lines that can be read, oldest first; none where there is no trail."""
    if not path.is_file():
        return []
    return [entry for line in path.read_bytes().splitlines() if (entry := _entry(line))]


def look(job: Progress, path: Path, newest: int = 500) -> tuple[list[dict[str, Any]], Verdict]:
    """The newest lines, oldest first, and whether the whole chain holds; for a child process."""
    job.report(0, 1, "checking the trail")
    if not path.is_file():
        return [], Verdict(0)
    newest_lines = path.read_bytes().splitlines()[-newest:]
    # A line that cannot be read keeps its place: the others have their numbers by it.
    return [_entry(line) or {"what": "cannot be read"} for line in newest_lines], verify(path)


def _entry(line: bytes) -> dict[str, Any]:
    """What a line says; nothing where it cannot be read."""
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):
        return {}


def _what_is_wrong(line: bytes, before: str) -> str:
    try:
        body = dict(json.loads(line))
        seal = body.pop("hash")
    except (ValueError, TypeError, KeyError):
        return "is not a line of the trail"
    if body.get("before") != before:
        return "does not follow the line before it"
    return "" if _hash(body) == seal else "was changed after it was written"


def _hash(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _last_hash(path: Path) -> str:
    """The hash in the last line; a torn last line is sealed in as it is."""
    size = path.stat().st_size
    if not size:
        return FIRST
    with path.open("rb") as file:
        file.seek(max(0, size - _LONGEST_LINE))
        last = file.read().splitlines()[-1]
    try:
        return str(json.loads(last)["hash"])
    except (ValueError, TypeError, KeyError):
        return hashlib.sha256(last).hexdigest()


def _end_of_torn(file: int) -> bytes:
    """What ends a line that a program which was killed has not: else ours would be part of it."""
    size = os.fstat(file).st_size
    if not size:
        return b""
    os.lseek(file, -1, os.SEEK_END)
    return b"" if os.read(file, 1) == b"\n" else b"\n"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file opened for appending, by one process at a time, for the owner's eyes only."""
    file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
    try:
        if os.name != "nt":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
