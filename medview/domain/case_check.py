"""What is wrong with cases of a training, as it is found one by one before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

TAKE_OUT = "Take it out of the cases"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a case: which file, in words, what of it still works, what to do."""

    key: str
    case: str
    what: str
    file: str = ""
    still: str = ""
    do: str = ""

    @property
    def text(self) -> str:
        """All of it in a line, without the name of the case."""
        parts = (f"{self.file}: {self.what}" if self.file else self.what, self.still, self.do)
        return " ".join(part if part.endswith(".") else f"{part}." for part in parts if part)


@dataclass(frozen=True, slots=True)
class Tried:
    """Handed over before a case is read and, with `is_over` and what was wrong, after it."""

    key: str
    case: str
    is_over: bool = False
    fault: Fault | None = None
