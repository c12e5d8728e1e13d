"""Who signed a report when, what stood in it, and what became different since."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

# What of an earlier wording is printed; the whole of it stands in the earlier report.
_MOST_LETTERS = 300


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a signature covers, such as the impression.

    `text` is empty where only the hash was kept: what is attached to a PDF names no words.
    """

    name: str
    text: str
    sha256: str

    @classmethod
    def of(cls, name: str, text: str) -> Statement:
        """A statement with the hash over its text."""
        return cls(name, text, hashlib.sha256(text.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Signature:
    """One signing of a report. `at` is an ISO time; empty means the time the report was made.

    `content_sha256` is that of the report first written with this signature; empty before.
    `about` names the pixels that the report is about, where the program knows them.
    """

    by: str
    role: str = ""
    at: str = ""
    report_id: str = ""
    statements: tuple[Statement, ...] = ()
    content_sha256: str = ""
    about: str = ""


def changes(before: tuple[Statement, ...], now: tuple[Statement, ...]) -> tuple[str, ...]:
    """What is different, one sentence for each statement, with the wording before."""
    old = {each.name: each for each in before}
    new = {each.name: each for each in now}
    said = []
    for name in dict.fromkeys((*old, *new)):
        was, became = old.get(name), new.get(name)
        if was is None or became is None or was.sha256 != became.sha256:
            said.append(_change(name, was))
    return tuple(said)


def _change(name: str, was: Statement | None) -> str:
    if was is None or was.sha256 == Statement.of(name, "").sha256:
        return f"{name} added."
    if not was.text:
        return f"{name} changed; the wording before is in the earlier report."
    text = " ".join(was.text.split())
    short = text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS].rstrip()} …"
    return f"{name} changed; before: “{short}”"
