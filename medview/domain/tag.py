"""One line of a file's header, as it can be read by a person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """A header entry: `level` counts the sequences it lies in.

    `tag` is "(0010,0010)" or empty where the format has none; `tells_who` says that the
    confidentiality profile (PS3.15 E.1) takes it out, so that it is hidden in private mode.
    """

    level: int
    tag: str
    name: str
    kind: str
    value: str
    tells_who: bool = False
