"""Where the files lie that a case list names, also a list that was written on another system."""

from __future__ import annotations

import os
import re
from pathlib import Path, PureWindowsPath

from medview.domain.errors import ReadError
from medview.io.codes import Code

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_IS_DRIVE = re.compile(r"[A-Za-z]:\Z")


def file_named(folder: Path, text: str) -> Path:
    """The file that a cell of a list in `folder` names.

    Where backslashes part no folders, those of a list from Windows do, unless there is a file
    with one in its name.
    """
    plain = folder / text
    if os.sep == "\\" or "\\" not in text or is_elsewhere(text) or lies_there(plain):
        return plain
    return folder.joinpath(*PureWindowsPath(text).parts)


def lies_there(path: Path) -> bool:
    """Whether a path exists; one whose name is longer than any can be does not."""
    try:
        return path.exists()
    except OSError:
        return False


def is_elsewhere(text: str) -> bool:
    """Whether a cell names a drive, or another computer, of Windows, and this is none."""
    return os.sep != "\\" and (bool(_DRIVE.match(text)) or text.startswith("\\"))


def refuse_elsewhere(path: Path) -> None:
    """Refuse a path that does not exist because it is one of Windows.

    Raises
    ------
    ReadError
        If its last part is such a path, or a part is a drive as of one with slashes; only the
        name of the file is told.
    """
    if is_elsewhere(path.name) or (os.sep != "\\" and any(map(_IS_DRIVE.match, path.parts))):
        raise ReadError(
            "is named by a full path of Windows, which is none on this computer",
            code=Code.NO_SUCH_PATH,
            file=PureWindowsPath(path.name).name,
            do="Name it as it lies from the folder of the list.",
        )


def not_there(folder: Path, text: str) -> str:
    """Why the file of a cell cannot be read, behind its row and column; only its name is told."""
    name = PureWindowsPath(text).name if is_elsewhere(text) else file_named(folder, text).name
    if not (is_elsewhere(text) or Path(text).is_absolute()):
        return f'"{name}" is not there'
    kind = "of Windows" if is_elsewhere(text) else "that is not on this computer"
    return (
        f'"{name}" is named by a full path {kind}; name it as it lies from the folder of the list'
    )
