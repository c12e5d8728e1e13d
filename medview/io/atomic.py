"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medview.domain.errors import WriteError

if sys.platform != "win32":
    import fcntl

DRAFT = ".medview-"
"""How hidden folders begin that hold what is not whole yet."""
_OLD = "old"
# As the library that makes them calls them.
_CALLED = re.compile(re.escape(DRAFT) + "[a-z0-9_]{8}")
# A draft is held from the moment after it is made.
_NEW_S = 2.0
_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space and write it again."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space and write it again."),
    errno.EACCES: ("may not be written here", "Choose a folder you may write to."),
    errno.EPERM: ("may not be written here", "Choose a folder you may write to."),
    errno.EROFS: ("lies on a disk that cannot be written", "Choose another folder."),
    errno.ENAMETOOLONG: ("has too long a name", "Choose a shorter one."),
    errno.ENOTDIR: ("lies below a file, not a folder", "Choose another folder."),
    errno.EEXIST: ("lies below a file, not a folder", "Choose another folder."),
}


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; it becomes `path` when the block ends well.

    Raises
    ------
    WriteError
        If the folder cannot be written, the disk is full or `path` is a folder. Nothing new
        stands at `path` then, and what stood there is untouched.
    """
    if path.is_dir():
        raise WriteError("is a folder", file=path.name, do="Name a file instead.")
    with _workplace(path) as place:
        draft = place / f"draft{''.join(path.suffixes)}"
        try:
            yield draft
        except WriteError as error:
            # Whoever filled the draft knows it by that name only.
            error.file = path.name if error.file == draft.name else error.file
            raise
        sync(draft)
        os.replace(draft, path)
        sync(path.parent)


@contextmanager
def filled_folder(path: Path) -> Iterator[None]:
    """Have a folder for what is finished one by one; gone if the block fails with nothing in it.

    Raises
    ------
    WriteError
        If the folder cannot be made, or `path` is a file.
    """
    _refuse_file(path)
    missing = [part for part in (path, *path.absolute().parents) if not part.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
    try:
        yield
    except BaseException:
        _clear(None, missing)
        raise


def own_folder(folder: Path) -> None:
    """Make a folder that only its owner may look into; so are those above it that are missing.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    folder = folder.absolute()
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def own_file(path: Path) -> Iterator[Path]:
    """As ``whole_file``, for the eyes of its owner alone."""
    with suppress(OSError):  # what is wrong is said when the file is written
        own_folder(path.parent)
    with whole_file(path) as draft:
        draft.touch(mode=0o600)
        yield draft


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill; its entries stand at `path` when the block ends well.

    What `path` held before stays, but entries of the same name are replaced together: if one of
    them cannot be, the old ones are put back. Where the disk refuses that, too, they stay in a
    hidden folder beside `path`, which the error names.

    Raises
    ------
    WriteError
        As for ``whole_file``, or if `path` is a file.
    """
    _refuse_file(path)
    with _workplace(path) as place:
        draft = place / "draft"
        draft.mkdir()
        yield draft
        for item in (*sorted(draft.rglob("*")), draft):
            sync(item)
        if path.exists():
            _replace_entries(draft, path, place / _OLD)
            sync(path)
        else:
            os.replace(draft, path)
        sync(path.parent)


def _refuse_file(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise WriteError("is a file", file=path.name, do="Name a folder instead.")


def _replace_entries(draft: Path, target: Path, old: Path) -> None:
    """Move every entry of `draft` into `target`, and all back when one does not move."""
    old.mkdir()
    done: list[str] = []
    names = sorted(item.name for item in draft.iterdir())
    try:
        for name in names:
            if (target / name).exists():
                os.replace(target / name, old / name)
            done.append(name)
            os.replace(draft / name, target / name)
    except BaseException as error:
        for name in done:
            with suppress(OSError):
                os.replace(target / name, draft / name)
        for item in old.iterdir():
            with suppress(OSError):
                os.replace(item, target / item.name)
        if _holds_old(old.parent):
            raise WriteError(
                f"could not be written, and what it held not be put back: that is in "
                f"{old.parent.name}/{old.name} beside it",
                file=target.name,
                do="Move it back from there.",
            ) from error
        raise


@contextmanager
def _workplace(path: Path) -> Iterator[Path]:
    """Make a hidden folder beside `path`, gone at the end; on failure new parents go, too."""
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    place: Path | None = None
    held: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole, as it is handed to children, which may work in another folder.
        place = Path(tempfile.mkdtemp(prefix=DRAFT, dir=path.parent.absolute()))
        held = _hold(place)
        yield place
    except OSError as error:
        _clear(place, missing)
        raise write_error(path, error) from error
    except WriteError as error:
        _clear(place, missing)
        error.file = error.file or path.name  # a child knows the disk, not what it writes for
        raise
    except BaseException:
        _clear(place, missing)
        raise
    finally:
        if held is not None:
            os.close(held)
    shutil.rmtree(place, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove the drafts in a folder that a process which was killed has left.

    One that a living process holds stays, and so does one with what a killed process had moved
    out of the way, or with anything that no draft has. Where files cannot be held nothing is
    removed.
    """
    for place in folder.glob(f"{DRAFT}*"):
        with suppress(OSError):
            is_new = time.time() - place.stat().st_mtime < _NEW_S
            if is_new or place.is_symlink() or not _is_draft(place):
                continue
            held = _hold(place)
            if held is not None:
                shutil.rmtree(place, ignore_errors=True)
                os.close(held)


def _is_draft(place: Path) -> bool:
    """Whether a folder is called as a draft is, and holds nothing else."""
    if not _CALLED.fullmatch(place.name) or not place.is_dir():
        return False
    return all(item.name.startswith(("draft", DRAFT)) for item in place.iterdir())


def _hold(place: Path) -> int | None:
    """Hold a folder until the handle is closed or the process ends; None where that fails."""
    if sys.platform == "win32":
        return None
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _holds_old(place: Path) -> bool:
    """Whether what was moved out of the way is still there."""
    old = place / _OLD
    return old.is_dir() and any(old.iterdir())


def _clear(place: Path | None, missing: list[Path]) -> None:
    if place is not None and not _holds_old(place):
        shutil.rmtree(place, ignore_errors=True)
    for folder in missing:  # innermost first
        with suppress(OSError):
            folder.rmdir()


def written_at(path: Path) -> int:
    """When a file was written, in ns; 0 where it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def write_error(path: Path, error: OSError) -> WriteError:
    """What a reader is told when the disk refuses `path`."""
    known = _from_the_system(error) or error
    what, do = _REASONS.get(
        known.errno or 0,
        (f"could not be written ({known.strerror or 'unknown reason'})", "Try another folder."),
    )
    return WriteError(what, file=path.name, do=do)


def full_disk(error: BaseException) -> WriteError | None:
    """What a reader is told of an error that says that a disk is full; None of any other."""
    known = _from_the_system(error)
    if known is None or known.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    return write_error(Path(), known)


def _from_the_system(error: BaseException | None) -> OSError | None:
    """The error with the system's number: this one, or the one it came of.

    pydicom raises errors of the system anew with more words, and without the number.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return error
        error = error.__cause__ or error.__context__
    return None


def sync(path: Path) -> None:
    """Put a file or folder on the disk for good, where the system can do that."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no handle on a folder
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
