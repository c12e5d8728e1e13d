"""``python -m medview``: a first word that is a command goes to the command line, all else
opens the window.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_ALSO_COMMANDS = ("--version", "--help", "-h")


def main(argv: list[str] | None = None) -> int:
    """Start medview with what was typed after its name; return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and _is_command(words[0]):
        from medview.cli import main as command

        return command(words)
    return _open(words[1:] if words[:1] == ["open"] else words)


def _is_command(word: str) -> bool:
    if word in _ALSO_COMMANDS:
        return True
    from medview.cli import COMMANDS

    return word in COMMANDS


def _open(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="medview open", description="Open the window. Research use only."
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="folders or files")
    parser.add_argument(
        "--screenshot", type=Path, metavar="DIR", help="save window.png and pane_*.png, then end"
    )
    chosen = parser.parse_args(words)
    for path in chosen.paths:
        if not path.exists():
            print(
                f"medview: {path.name}: there is no such file, folder or command. "
                'Check the spelling, or see "medview --help".',
                file=sys.stderr,
            )
            return 2
    # Qt takes a third of a second to import; commands do without.
    from medview.main import open_window

    return open_window(tuple(chosen.paths), chosen.screenshot)


if __name__ == "__main__":
    sys.exit(main())
