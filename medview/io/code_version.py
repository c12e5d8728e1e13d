"""Which code a result was made with: the version and, where it is known, the commit."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from medview import __version__

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_SHORT = 7
_ARCHIVED = Path("packaging") / "commit.txt"
"""``git archive`` writes the commit into this file; in a checkout it holds a placeholder."""


@cache
def code_version() -> str:
    """The program's version, as "0.1.0+g1a2b3c4" where the commit is known."""
    return version_of(Path(__file__).resolve().parents[2])


def version_of(folder: Path) -> str:
    """The same for a copy of the program in some folder.

    Files are read, no git is run: it need not be installed.
    """
    commit = _checked_out(folder) or _found(_read(folder / _ARCHIVED))
    return f"{__version__}+g{commit[:_SHORT]}" if commit else __version__


def _checked_out(folder: Path) -> str:
    """The commit of a checkout, or of a work tree beside it; empty if it is neither."""
    git = folder / ".git"
    if git.is_file():  # a work tree: "gitdir: PATH"
        git = (folder / _read(git).partition("gitdir:")[2].strip()).resolve()
    head = _read(git / "HEAD").strip()
    name = head.removeprefix("ref:").strip()
    if name == head:
        return _found(head)
    common = (git / (_read(git / "commondir").strip() or ".")).resolve()
    loose = next((text for root in (git, common) if (text := _read(root / name))), "")
    return _found(loose) or _packed(_read(common / "packed-refs"), name)


def _packed(table: str, name: str) -> str:
    lines = (line.split() for line in table.splitlines() if not line.startswith(("#", "^")))
    return next((_found(line[0]) for line in lines if len(line) == 2 and line[1] == name), "")


def _found(text: str) -> str:
    return text.strip() if _COMMIT.fullmatch(text.strip()) else ""


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
