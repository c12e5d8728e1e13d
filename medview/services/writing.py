"""Files written beside the window's thread: nobody who works there waits for a disk."""

from __future__ import annotations

import contextlib
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from medview.domain.errors import MedviewError, WriteError
from medview.domain.wording import counted
from medview.services.worker import mistake, place_of

Post = Callable[[Callable[[], object]], object]
Failed = Callable[[MedviewError], object]
Value = TypeVar("Value")

# A disk that has not ended one piece of work after so long is taken for one that never will.
GIVE_UP_S = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Work that waits, or is under way, and whom to tell how it ended."""

    key: str
    work: Callable[[], object]
    done: Callable[[], object]
    failed: Failed
    is_change: bool = True

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

    def fetch(
        self,
        read: Callable[[], Value],
        done: Callable[[Value], object],
        failed: Failed = lambda error: None,
    ) -> None:
        """Have something read, after all that was put before, and call `done` with it."""
        found: list[Value] = []

        def work() -> None:
            found.append(read())

        self._take(Piece("", work, lambda: done(found[0]), failed, is_change=False))

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

    Leave with ``close``: what nobody waited for there ends with the program.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._thread = threading.Thread(target=self._work, name="medview-writer", daemon=True)
        self._change = threading.Condition()
        self._waiting: deque[Piece] = deque()
        self._under_way: Piece | None = None
        self._ended = 0
        self._taken = 0
        self._is_open = True
        self._untold: list[MedviewError] = []

    @property
    def is_at_work(self) -> bool:
        """Whether something is not written yet; after ``close``: and never will be."""
        return self._ended < self._taken

    def _take(self, piece: Piece) -> None:
        """Queue the work and return at once; after ``close`` nothing is done."""
        with self._change:
            if not self._is_open:
                return
            if piece.key and self._waiting and self._waiting[-1].key == piece.key:
                self._waiting[-1] = piece
                return
            self._waiting.append(piece)
            self._taken += 1
            if self._thread.ident is None:
                self._thread.start()
            self._change.notify()

    def close(self, give_up_s: float = GIVE_UP_S) -> tuple[MedviewError, ...]:
        """Wait until all is written; what the disk refused meanwhile, which nobody was told.

        A disk that ends nothing for `give_up_s` is waited for no longer. What it was writing then
        is there whole or as it was before, and of what waited behind it nothing is there.
        """
        with self._change:
            self._is_open = False
            self._change.notify()
        ended = -1
        while self._thread.is_alive() and ended < self._ended:
            ended = self._ended
            self._thread.join(give_up_s)
        told, self._untold = list(self._untold), []
        lost = self._changes_not_written()
        if lost:
            told.append(_unanswered(lost))
        return tuple(told)

    def _changes_not_written(self) -> int:
        with self._change:
            left = (
                [*self._waiting] if self._under_way is None else [self._under_way, *self._waiting]
            )
            return sum(piece.is_change for piece in left)

    def _work(self) -> None:
        """Do one piece after the other until the program ends."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or not self._is_open)
                if not self._waiting:
                    return
                piece = self._under_way = self._waiting.popleft()
            self._do(piece)
            with self._change:
                self._under_way = None
                self._ended += 1

    def _do(self, piece: Piece) -> None:
        try:
            refused = piece.do()
        except Exception as error:  # it must not be silent, nor end the thread
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), None)))
            refused = mistake(place_of(error))
        if refused is None:
            self._say(piece.done)
            return
        self._untold.append(refused)
        self._say(lambda: self._tell(piece, refused))

    def _tell(self, piece: Piece, refused: MedviewError) -> None:
        # At the end nobody may listen any more: what is told from then on, ``close`` tells.
        if self._is_open:
            self._untold.remove(refused)
        piece.failed(refused)

    def _say(self, call: Callable[[], object]) -> None:
        # At the end of the program what would be told may be gone already.
        with contextlib.suppress(RuntimeError):
            self._post(call)


def _unanswered(count: int) -> WriteError:
    return WriteError(
        f"{counted(count, 'change')} could not be written: the disk with medview's own folder "
        "does not answer",
        do="What was kept before is as it was. Look at the disk or its network.",
    )
