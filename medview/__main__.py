"""``python -m medview``: a first word that is a command goes to the command line, all else
opens the window.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from medview.stopping import interruptible

_ALSO_COMMANDS = ("--version", "--help", "-h")


def main(argv: list[str] | None = None) -> int:
    """Start medview with what was typed after its name; return the exit code."""
    _with_all_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with interruptible():
            if words and _is_command(words[0]):
                from medview.cli import main as command

                return command(words)
    except KeyboardInterrupt:
        # Before the command could begin: its modules were still being read.
        from medview.cli.output import Voice

        return Voice.for_words(words).stopped()
    return _open(words[1:] if words[:1] == ["open"] else words)


def _is_command(word: str) -> bool:
    if word in _ALSO_COMMANDS:
        return True
    from medview.cli import COMMANDS

    return word in COMMANDS


def _with_all_streams() -> None:
    """Put the null device where input, output or messages were closed by whoever started us.

    Else the next file that is opened takes the place of, say, descriptor 1, and what a library
    prints goes into it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.dup2(null, number)
            os.close(null)
        stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 (it stays)
        setattr(sys, name, stream)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        from medview.domain.errors import UsageError

        raise UsageError(message, do='"medview open --help" shows how it is used.')


def _open(words: list[str]) -> int:
    from medview.cli.output import Voice
    from medview.domain.errors import UsageError

    voice = Voice.for_words(words)
    try:
        chosen = _understood(words)
    except UsageError as error:
        return voice.failed(error)
    # PySide reads the source of whatever is imported after it: what knows no Qt comes before.
    import medview.ui.app  # noqa: F401  # isort: skip

    # Qt takes a third of a second to import; commands do without.
    from medview.main import open_window

    return open_window(
        tuple(chosen.paths), chosen.screenshot, private=chosen.private, tell=voice.failed
    )


def _understood(words: list[str]) -> argparse.Namespace:
    """The words for the window; a path that is not there is told before an unknown option."""
    from medview.domain.errors import UsageError

    parser = _Parser(prog="medview open", description="Open the window. Research use only.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="folders or files")
    parser.add_argument(
        "--screenshot", type=Path, metavar="DIR", help="save window.png and pane_*.png, then end"
    )
    parser.add_argument(
        "--private", action="store_true", help="no name, id, birth date or path is shown"
    )
    known, unknown = parser.parse_known_args(words)
    for path in known.paths:
        if not path.exists():
            raise UsageError(
                "there is no such file, folder or command",
                file=path.name,
                do='Check the spelling, or see "medview --help".',
            )
    if known.screenshot is not None and not known.paths:
        # Nothing would ever be drawn, and the window would wait for it unseen.
        parser.error("--screenshot needs a path to open")
    if unknown:
        parser.error(f"No such option '{unknown[0]}'")
    return known


if __name__ == "__main__":
    sys.exit(main())
