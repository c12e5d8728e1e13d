"""Files written beside the window's thread: nobody who works there waits for a disk."""

from __future__ import annotations

import contextlib
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from medview.domain.errors import MedviewError, WriteError
from medview.services.worker import mistake, place_of

Post = Callable[[Callable[[], object]], object]
Failed = Callable[[MedviewError], object]


@dataclass(slots=True, eq=False)
class Piece:
    """Work that waits, or is under way, and whom to tell how it ended."""

    key: str
    work: Callable[[], object]
    done: Callable[[], object]
    failed: Failed

    def do(self) -> MedviewError | None:
        """Do the work; why it could not be done, None where it was."""
        try:
            self.work()
        except MedviewError as error:
            return error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return WriteError(
                f"a file could not be read or written ({reason})",
                do="Look at the disk and try again.",
            )
        return None


class Writer(ABC):
    """Has work done that may have to wait for a disk."""

    def put(
        self,
        work: Callable[[], object],
        *,
        key: str = "",
        done: Callable[[], object] = lambda: None,
        failed: Failed = lambda error: None,
    ) -> None:
        """Have `work` done after all that was put before, then call `done` or `failed`.

        An OSError of the work is told as a WriteError without a name. Work that still waits, and
        that none of another `key` was put after, may be left out for newer work of its key; of
        what is left out nothing is heard. An empty key replaces none.
        """
        self._take(Piece(key, work, done, failed))

    @abstractmethod
    def _take(self, piece: Piece) -> None:
        """Have a piece of work done."""


class AtOnce(Writer):
    """A writer for callers without a window: all is done when ``put`` returns."""

    def _take(self, piece: Piece) -> None:
        refused = piece.do()
        if refused is None:
            piece.done()
        else:
            piece.failed(refused)


class Beside(Writer):
    """A writer with a thread of its own; `post` runs a call on the thread that owns the state.

    Leave with ``close``. Where nobody does, the interpreter still waits for the work at its end.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._thread = ThreadPoolExecutor(1, "medview-writer")
        self._lock = threading.Lock()
        self._last: Piece | None = None
        self._is_open = True
        self._untold: list[MedviewError] = []

    def _take(self, piece: Piece) -> None:
        """Queue the work and return at once; after ``close`` nothing is done."""
        with self._lock:
            if not self._is_open:
                return
            last = self._last
            if piece.key and last is not None and last.key == piece.key:
                last.work, last.done, last.failed = piece.work, piece.done, piece.failed
                return
            self._last = piece
            self._thread.submit(self._do, piece)

    def close(self) -> tuple[MedviewError, ...]:
        """Wait until all is written; what the disk refused meanwhile, which nobody was told."""
        with self._lock:
            self._is_open = False
        self._thread.shutdown(wait=True)
        told, self._untold = tuple(self._untold), []
        return told

    def _do(self, piece: Piece) -> None:
        with self._lock:
            if self._last is piece:
                self._last = None
        try:
            refused = piece.do()
        except Exception as error:  # it must not be silent, nor end the thread
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), None)))
            refused = mistake(place_of(error))
        if refused is None:
            self._say(piece.done)
            return
        if not self._is_open:
            self._untold.append(refused)
        self._say(lambda: piece.failed(refused))

    def _say(self, call: Callable[[], object]) -> None:
        # At the end of the program what would be told may be gone already.
        with contextlib.suppress(RuntimeError):
            self._post(call)
