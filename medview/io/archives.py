"""Members of ZIP archives, read where they are: nothing is ever unpacked to the disk.

A member has the path ``archive.zip/its/name``, in which the name is only a label: cleaned,
and never used to open or write a file. Members are inflated only as far as they are read.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from medview.domain.errors import ReadError
from medview.io.codes import Code

MAX_MEMBERS = 200_000
# What reading a damaged, locked or oddly packed member may raise.
MEMBER_ERRORS = (zipfile.BadZipFile, RuntimeError, zlib.error, EOFError, OSError, ValueError)


def is_archive(path: Path) -> bool:
    """Say whether a file is a ZIP archive by its name and its first bytes."""
    if path.suffix.lower() != ".zip":
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


def members(archive: Path) -> Iterator[Path]:
    """Give the path of every file in an archive, by name.

    Raises
    ------
    ReadError
        If the archive is damaged, or has more members than can be listed.
    """
    yield from sorted(archive / name for name in _table(archive))


def split(path: Path) -> tuple[Path, str] | None:
    """Part a member's path into archive and label; None for any other path."""
    for parent in path.parents:
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def member_size(path: Path) -> int | None:
    """Size that a member declares; None when the path is none of a member."""
    place = split(path)
    return None if place is None else _entry(path, *place).file_size


def open_member(path: Path) -> BinaryIO | None:
    """Open a member; None when the path is none of a member.

    Raises
    ------
    ReadError
        If it is encrypted, packed in an unknown way, or not there.
    """
    place = split(path)
    if place is None:
        return None
    entry = _entry(path, *place)
    if entry.flag_bits & 1:
        raise ReadError(
            "is encrypted in its archive",
            code=Code.ARCHIVE_LOCKED,
            file=path.name,
            do="Unpack the archive with its password and open the folder.",
        )
    try:
        return cast(BinaryIO, _opened(place[0]).open(entry))
    except MEMBER_ERRORS as error:
        raise damaged(path) from error


def damaged(path: Path) -> ReadError:
    """The error for a member that cannot be unpacked."""
    return ReadError(
        "is damaged in its archive",
        code=Code.ARCHIVE_DAMAGED,
        file=path.name,
        do="Copy the archive again, or unpack it and open the folder.",
    )


def _entry(path: Path, archive: Path, label: str) -> zipfile.ZipInfo:
    entry = _table(archive).get(label)
    if entry is None:
        raise ReadError(
            "is not in its archive",
            code=Code.NO_SUCH_PATH,
            file=path.name,
            do="Open the archive again.",
        )
    return entry


def _table(archive: Path) -> dict[str, zipfile.ZipInfo]:
    return _labels(*_identity(archive))


def _opened(archive: Path) -> zipfile.ZipFile:
    return _zip(*_identity(archive))


def _identity(archive: Path) -> tuple[Path, int, int]:
    """What tells an archive from another one under the same name."""
    try:
        status = archive.stat()
    except OSError as error:
        raise damaged(archive) from error
    return archive, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)
def _zip(archive: Path, size: int, changed: int) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except MEMBER_ERRORS as error:
        raise damaged(archive) from error


# Processes that decode side by side would move each other's place in one open file.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_zip.cache_clear)


@lru_cache(maxsize=4)
def _labels(archive: Path, size: int, changed: int) -> dict[str, zipfile.ZipInfo]:
    """Members by a clean label; two of the same name get different ones."""
    entries = [entry for entry in _zip(archive, size, changed).infolist() if not entry.is_dir()]
    if len(entries) > MAX_MEMBERS:
        raise ReadError(
            f"holds {len(entries)} files, more than can be listed",
            code=Code.ARCHIVE_TOO_LARGE,
            file=archive.name,
            do="Unpack it and open the folder.",
        )
    table: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
        clean = [part for part in parts if part not in ("/", "..", ".")] or ["member"]
        label = "/".join(clean)
        n = 1
        while label in table:
            n += 1
            label = "/".join([*clean[:-1], f"{n} {clean[-1]}"])
        table[label] = entry
    return table
