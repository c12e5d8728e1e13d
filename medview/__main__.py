"""``python -m medview``: a first word that is a command goes to the command line, all else
opens the window.
"""

from __future__ import annotations

import os
import sys

from medview.stopping import heeded, interruptible

_ALSO_COMMANDS = ("--version", "--help", "-h")


def main(argv: list[str] | None = None) -> int:
    """Start medview with what was typed after its name, or with `argv`; return the exit code.

    Without `argv` the process is taken to end with it.
    """
    _with_all_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with interruptible(for_good=argv is None), heeded():
            if words and _is_command(words[0]):
                from medview.cli import main as command

                return command(words)
            from medview.cli.opening import opened

            return opened(words[1:] if words[:1] == ["open"] else words)
    except KeyboardInterrupt:
        # Before command or window could begin: their modules were still being read.
        from medview.cli.output import Voice

        return Voice.for_words(words).stopped()


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


if __name__ == "__main__":
    sys.exit(main())
