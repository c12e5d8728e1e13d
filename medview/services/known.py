"""What lies on a disk, as it was read last: looking at it waits for nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from psygnal import Signal

from medview.services.writing import Writer

Value = TypeVar("Value")


class Known(Generic[Value]):
    """A value read by `read`, beside the window where the `writer` works there.

    Every look has it read again, once all that was put before is written. ``changed`` tells that
    another value was found after the look was over.
    """

    changed = Signal()

    def __init__(self, read: Callable[[], Value], first: Value, writer: Writer) -> None:
        self._read, self._value, self._writer = read, first, writer
        self._is_asked = False

    @property
    def now(self) -> Value:
        """What was found last; it is read again, once however often it is looked at meanwhile."""
        if not self._is_asked:
            self.look()
        return self._value

    def look(self, then: Callable[[], object] = lambda: None) -> None:
        """Have it read, then call `then`, also where it cannot be read: it stays as it was."""
        is_over = threading.Event()

        def found(value: Value) -> None:
            self._is_asked = False
            # A file may hold a NaN, which is another one each time it is read.
            if value != self._value and repr(value) != repr(self._value):
                self._value = value
                if is_over.is_set():  # who looks is given it, and need not be told
                    self.changed.emit()
            then()

        self._is_asked = True
        self._writer.fetch(self._read, found, lambda _: found(self._value))
        is_over.set()
