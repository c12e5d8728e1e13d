"""Where the files that ship with the program are."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def resource(*parts: str) -> Path:
    """Path of a shipped file or folder, such as ``resource("fonts", "Inter-Regular.otf")``.

    A checkout keeps them in ``resources/`` beside the package, an installed program inside
    it. The path may not exist; the caller says what that means.
    """
    inside = _PACKAGE / "resources"
    beside = _PACKAGE.parent / "resources"
    return (inside if inside.is_dir() else beside).joinpath(*parts)
