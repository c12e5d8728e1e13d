"""Where bytes come from: files and members of ZIP archives, never anything that can block.

A DICOM file that gzip has packed is given as if it were not packed.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from medview.domain.errors import ReadError
from medview.io import archives
from medview.io.codes import Code
from medview.io.gzipped import grows_beyond, unpack
from medview.io.limits import memory_cap
from medview.io.named_files import refuse_elsewhere

# A folder tree deeper than this is a loop or an attack.
MAX_FOLDER_DEPTH = 64
# A packed DICOM file is held unpacked; one that grows further is no such file but an attack (A6).
MOST_UNPACKED = 2**30
ALWAYS_UNPACKED = 256 * 2**20
MOST_GROWTH = 200
# Preamble and mark of a DICOM file; old files begin with the first group of the data set.
_DICOM_HEAD = 132
_OLD_DICOM = b"\x08\x00"


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Give every regular file under the paths once, sorted by name within each folder.

    A path that is a ZIP archive stands for its members; archives within folders are given as
    files, and so is a path of a member. Links are followed as far as they lead to regular files
    or to folders not yet seen; pipes, sockets and devices are left out without being opened. A
    folder that may not be read is given as if it were a file: whoever opens it is told why.

    Raises
    ------
    ReadError
        If one of the paths itself does not exist or is no file or folder.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            if isinstance(error, NotADirectoryError) and is_there(path):
                yield path
                continue
            refuse_elsewhere(path)
            raise ReadError(
                "does not exist or may not be read",
                code=Code.NO_SUCH_PATH,
                file=path.name,
                do="Check the name and choose it again.",
            ) from error
        if stat.S_ISDIR(mode):
            yield from _walk(path, seen, 0)
        elif stat.S_ISREG(mode):
            yield from archives.members(path) if archives.is_archive(path) else (path,)
        else:
            raise ReadError(
                "is no file but a device or a pipe",
                code=Code.NOT_A_FILE,
                file=path.name,
                do="Choose a file or a folder.",
            )


def _walk(folder: Path, seen: set[tuple[int, int]], depth: int) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    if (status.st_dev, status.st_ino) in seen or depth > MAX_FOLDER_DEPTH:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in entries:
        try:
            if entry.is_dir():
                yield from _walk(Path(entry.path), seen, depth + 1)
            elif entry.is_file():
                yield Path(entry.path)
        except OSError:
            continue


def open_binary(path: Path) -> BinaryIO:
    """Open a regular file or a member of an archive; refuse what could block or never end.

    Raises
    ------
    ReadError
        If it is gone, may not be read, is no regular file, or a packed one that is damaged or
        holds too much.
    """
    unpacked = _unpacked(path)
    return _open_as_it_is(path) if unpacked is None else io.BytesIO(unpacked)


def _open_as_it_is(path: Path) -> BinaryIO:
    try:
        # O_NONBLOCK: opening a pipe would wait for a writer before fstat could be asked.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except NotADirectoryError as error:
        member = archives.open_member(path)
        if member is None:
            raise _unreadable(path, error) from error
        return member
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ReadError(
            "is no regular file", code=Code.NOT_A_FILE, file=path.name, do="Choose a file."
        )
    return os.fdopen(descriptor, "rb", buffering=0)


def size_of(path: Path) -> int:
    """Number of bytes of a file, or that a member of an archive declares."""
    unpacked = _unpacked(path)
    return _packed_size(path) if unpacked is None else len(unpacked)


def _unpacked(path: Path) -> bytes | None:
    """What a packed DICOM file holds; None for any other file."""
    if path.suffix.lower() != ".gz":
        return None
    owner = archives.split(path)
    try:
        status = (owner[0] if owner else path).stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return _dicom_within(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2)
def _dicom_within(path: Path, _size: int, _changed: int) -> bytes | None:
    """As `_unpacked`; size and time tell a file from a later one under its name."""
    with _open_as_it_is(path) as file:
        try:
            head = unpack(file, _DICOM_HEAD).data
            if not (head.endswith(b"DICM") or head.startswith(_OLD_DICOM)):
                return None
            file.seek(0)
            packed = _packed_size(path)
            most = min(max(ALWAYS_UNPACKED, MOST_GROWTH * packed), MOST_UNPACKED, memory_cap())
            if grows_beyond(file, most):
                raise _too_large(path, most, packed)
            file.seek(0)
            data, end = unpack(file, most)
        except archives.MEMBER_ERRORS as error:
            raise _unreadable(path, error) from error
    if end == "damaged":
        raise ReadError(
            "is damaged: what it holds does not fit its checksum",
            code=Code.ARCHIVE_DAMAGED,
            file=path.name,
            do="Copy the file again.",
        )
    return data


def _too_large(path: Path, most: int, packed: int) -> ReadError:
    return ReadError(
        f"unpacks to more than {most / 2**20:.0f} MB from {packed / 2**20:.1f} MB",
        code=Code.ARCHIVE_TOO_LARGE,
        file=path.name,
        do="Unpack it by itself if you know where it comes from, and open what comes out.",
    )


def _packed_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except NotADirectoryError as error:
        size = archives.member_size(path)
        if size is None:
            raise _unreadable(path, error) from error
        return size
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def is_there(path: Path) -> bool:
    """Say whether there is a file, or a member of an archive, under this path."""
    try:
        size_of(path)
    except ReadError:
        return False
    return True


def read_head(path: Path, size: int) -> bytes:
    """Read at most the first `size` bytes."""
    with open_binary(path) as file:
        return read_from(file, path, 0, size)


def read_into(file: BinaryIO, path: Path, offset: int, out: memoryview) -> int:
    """Fill `out` from `offset` on; return how many bytes there were."""
    done = 0
    try:
        file.seek(offset)
        while done < len(out) and (count := _readinto(file, out[done:])):
            done += count
    except OSError as error:
        raise _unreadable(path, error) from error
    except archives.MEMBER_ERRORS as error:
        raise archives.damaged(path) from error
    return done


def _readinto(file: BinaryIO, out: memoryview) -> int:
    """Files have ``readinto``, which the type of open binary files does not promise."""
    return int(cast(io.RawIOBase, file).readinto(out) or 0)


def read_from(file: BinaryIO, path: Path, offset: int, size: int) -> bytes:
    """Read up to `size` bytes at `offset`; fewer only at the end of the file."""
    try:
        file.seek(offset)
        parts = []
        while size > 0 and (part := file.read(size)):
            parts.append(part)
            size -= len(part)
    except OSError as error:
        raise _unreadable(path, error) from error
    except archives.MEMBER_ERRORS as error:
        raise archives.damaged(path) from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _unreadable(path: Path, error: Exception) -> ReadError:
    reason = getattr(error, "strerror", None) or "not readable"
    return ReadError(
        f"cannot be read ({reason.lower()})",
        code=Code.NOT_ALLOWED,
        file=path.name,
        do="Check the disk and your rights, then open it again.",
    )
