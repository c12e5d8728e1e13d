"""One line on stderr that says how far the work is and how long it may still take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

# In a log, a line every few seconds is enough; the first one only for work that takes long.
LOG_INTERVAL_S = 10.0
TERMINAL_INTERVAL_S = 0.1


@dataclass(slots=True)
class ProgressLine:
    """Shows progress in place on a terminal, and as sparse whole lines in a log.

    `stream` None shows nothing; `clock` gives seconds.
    """

    stream: TextIO | None
    on_terminal: bool
    clock: Callable[[], float] = time.monotonic
    _began: float = field(default=0.0, init=False)
    _first: int = field(default=0, init=False)
    _shown: float = field(default=0.0, init=False)
    _done: int = field(default=-1, init=False)
    _total: int = field(default=-1, init=False)
    _width: int = field(default=0, init=False)

    @classmethod
    def for_stderr(cls, *, quiet: bool) -> ProgressLine:
        """Speak on stderr, in place when that is a terminal."""
        return cls(None if quiet else sys.stderr, sys.stderr.isatty())

    def report(self, done: int, total: int, text: str = "") -> None:
        """Show that `done` of `total` is done, unless something was shown just before."""
        now = self.clock()
        if total != self._total or done < self._done:
            self._began, self._first = now, done
            if not self.on_terminal:
                self._shown = now
        self._done, self._total = done, total
        interval = TERMINAL_INTERVAL_S if self.on_terminal else LOG_INTERVAL_S
        if now - self._shown >= interval or (self.on_terminal and done >= total):
            self._shown = now
            self._draw(self._sentence(now, text))

    def say(self, text: str) -> None:
        """Print a message on a line of its own."""
        if self.stream is None:
            return
        self.end()
        print(text, file=self.stream, flush=True)

    def end(self) -> None:
        """Take the line away, if one is on the screen."""
        if self.stream is not None and self._width:
            self.stream.write("\r" + " " * self._width + "\r")
            self.stream.flush()
        self._width = 0

    def _sentence(self, now: float, text: str) -> str:
        share = self._done / self._total if self._total > 0 else 0.0
        parts = [f"{share:4.0%}"]
        spent, made = now - self._began, self._done - self._first
        if made > 0 and share < 1 and spent >= 1:
            parts.append(f"{in_time(spent * (self._total - self._done) / made)} left")
        return "  ".join([*parts, text] if text else parts)

    def _draw(self, line: str) -> None:
        if self.stream is None:
            return
        if not self.on_terminal:
            print(line.strip(), file=self.stream, flush=True)
            return
        line = line[:79]
        self.stream.write("\r" + line.ljust(self._width))
        self.stream.flush()
        self._width = len(line)


def in_time(seconds: float) -> str:
    """Write a duration the way one says it: "40 s", "3 min", "2 h 5 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
