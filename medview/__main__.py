"""``medview`` and ``python -m medview``: a command, or else the window."""

from __future__ import annotations

import sys
from importlib import import_module

from medview.cli import COMMANDS
from medview.cli import main as run_command


def main() -> int:
    """Run what was typed; a first word that is a command wins over a folder of that name."""
    words = sys.argv[1:]
    first = words[0] if words else ""
    if first in COMMANDS or first.startswith("-"):
        return run_command(words)
    # Named, not imported: a command must not load the window.
    return int(import_module("medview.main").open_window(words))


if __name__ == "__main__":
    sys.exit(main())
