"""Outputs that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medview.domain.errors import WriteError


@contextmanager
def staged_file(out: Path) -> Iterator[Path]:
    """Give a path to write to; it is moved to `out` when the block ends without an error.

    The temporary file lies in the same folder, so the move is one step, and has the same
    suffixes, by which writers choose their format.

    Raises
    ------
    WriteError
        If the folder cannot be made or written, or `out` is a folder.
    """
    if out.is_dir():
        raise WriteError("is a folder", file=out.name, do="Name a file after --out.")
    with _workplace(out.parent, out) as place:
        draft = place / f"draft{''.join(out.suffixes)}"
        yield draft
        os.replace(draft, out)


@contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder to write into; its content is moved to `out` when all went well.

    What `out` held before stays, except files of the same name.

    Raises
    ------
    WriteError
        If the folder cannot be made or written, or `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise WriteError("is a file", file=out.name, do="Name a folder after --out.")
    with _workplace(out.parent, out) as place:
        draft = place / "draft"
        draft.mkdir()
        yield draft
        if out.exists():
            _move_into(draft, out)
        else:
            os.replace(draft, out)


def _move_into(draft: Path, out: Path) -> None:
    for item in sorted(draft.iterdir()):
        target = out / item.name
        if item.is_dir() and target.is_dir():
            _move_into(item, target)
        else:
            os.replace(item, target)


@contextmanager
def _workplace(parent: Path, out: Path) -> Iterator[Path]:
    """Make a hidden folder beside the output; folders made for it go with it on failure."""
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=".medview-", dir=parent))
    except OSError as error:
        _remove_empty(missing)
        raise WriteError(
            f"cannot be written ({error.strerror})",
            file=out.name,
            do="Choose a folder you may write to.",
        ) from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        _remove_empty(missing)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:  # innermost first
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
