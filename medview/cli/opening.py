"""``medview open``, or no command at all: the words for the window, and how its end is told."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import NoReturn

from medview.cli.contract import DEVICE, Reply
from medview.cli.output import Voice, stdout_kept_clean
from medview.domain.errors import UsageError

# What the field of the seed in the window can hold.
_LARGEST_SEED = 2**31 - 1


def opened(words: list[str]) -> int:
    """Open the window as `words` say; return the exit code once it is closed.

    With --json one object is printed then: the names of the pictures that were saved.
    """
    voice = Voice.for_words(words)
    try:
        chosen = _understood(words)
    except UsageError as error:
        return voice.failed(error)
    if chosen.debug:
        os.environ["MEDVIEW_DEBUG"] = "1"
    # PySide reads the source of whatever is imported after it: what knows no Qt comes before.
    import medview.ui.app  # noqa: F401  # isort: skip

    # Qt takes a third of a second to import; commands do without.
    from medview.main import Speech, open_window
    from medview.services.settings import Asked

    def answer(pictures: tuple[Path, ...]) -> int:
        names = [path.name for path in pictures]
        return voice.answer(Reply({"schema": "medview.open/1", "files": names}, "", 0))

    with_answer = Speech(voice.failed, answer, stdout_kept_clean)
    return open_window(
        tuple(chosen.paths),
        chosen.screenshot,
        private=chosen.private,
        asked=Asked(chosen.device, chosen.threads, chosen.seed),
        speech=with_answer if voice.json else Speech(voice.failed),
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, do='"medview open --help" shows how it is used.')


def _understood(words: list[str]) -> argparse.Namespace:
    """The words for the window; a path that is not there is told before an unknown option."""
    parser = _parser()
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


def _parser() -> argparse.ArgumentParser:
    made = _Parser(
        prog="medview open",
        description="Open the window. Research use only.",
        allow_abbrev=False,
    )
    add = made.add_argument
    add("paths", nargs="*", type=Path, metavar="PATH", help="folders or files")
    add("--screenshot", type=Path, metavar="DIR", help="save window.png and pane_*.png, then end")
    add(
        "--device",
        type=_device,
        metavar="auto|cpu|cuda[:N]",
        help="where models run that are started in the window; your settings stay as they are",
    )
    add("--threads", type=_threads, metavar="N", help="processor threads for these models")
    add("--seed", type=_seed, default=0, metavar="N", help="start of their random draws (0)")
    add("--quiet", action="store_true", help="no messages but errors, as always with the window")
    add("--json", action="store_true", help="print one JSON object when the window is closed")
    add("--private", action="store_true", help="no name, id, birth date or path is shown")
    add("--debug", action="store_true", help="show where in the program an error arose")
    return made


def _device(text: str) -> str:
    if not re.fullmatch(DEVICE, text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of auto, cpu, cuda, cuda:N")
    return text


def _threads(text: str) -> int:
    return _whole(text, 1, "threads are a whole number from 1")


def _seed(text: str) -> int:
    return _whole(text, 0, f"a seed is a whole number from 0 to {_LARGEST_SEED}")


def _whole(text: str, least: int, expected: str) -> int:
    number = int(text) if re.fullmatch(r"\d{1,10}", text) else -1
    if not least <= number <= _LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r} is none: {expected}")
    return number
