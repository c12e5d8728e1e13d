"""Programs that start at the same moment; a child can import this, not a file of tests."""

import os
from contextlib import suppress

from medview.io.installation import SECRET, keyed

KINDS, ROUNDS = ("new", "torn", "unlinked"), 15


def met_at(barrier):
    """The programs of a pool wait for each other there."""
    global together  # a barrier can only be handed on when a program starts
    together = barrier


def starting(root):
    """A program that starts at the same moment as others, over and over; the key of each home."""
    link, keys = os.link, set()
    for kind in KINDS:
        os.link = without_links if kind == "unlinked" else link
        for number in range(ROUNDS):
            folder = root / f"{kind} {number}"
            if kind == "torn":
                with suppress(FileExistsError):
                    folder.mkdir()
                    (folder / SECRET).write_bytes(b"ab")
            os.environ["MEDVIEW_HOME"] = str(folder)
            together.wait(60)
            keys.add((folder.name, keyed(b"x")))
    return keys


def without_links(*_):
    raise PermissionError
