"""How work that may take long speaks back, wherever it runs."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Progress(Protocol):
    """Handed to every long-running function as its first argument."""

    def report(self, done: int, total: int, text: str = "") -> None:
        """Tell how much is done; `text` is a short phrase such as "slice 96 / 155"."""

    def check(self) -> None:
        """Raise ``Cancelled`` if the user asked to stop. Cheap; call it often."""

    def partial(self, payload: object) -> None:
        """Hand over a part of the answer before the end (slices of a map, an epoch)."""


@runtime_checkable
class SharesMemory(Protocol):
    """A Progress from whose process arrays can be handed over without a copy."""

    def room(self, size: int) -> memoryview:
        """Give `size` bytes of zeroed memory; arrays in it may go on changing when sent."""


@runtime_checkable
class Steered(Protocol):
    """A Progress through which the reader's wish reaches the work while it goes on."""

    def hint(self) -> object:
        """What was wished for last, such as the slice that is looked at; None without a wish."""


def zeros(job: Progress, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.generic]:
    """Make an array of zeros for a result, in shared memory where the job offers it."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if not isinstance(job, SharesMemory) or size == 0:
        return np.zeros(shape, kind)
    return np.frombuffer(job.room(size), kind, math.prod(shape)).reshape(shape)


class Silent:
    """A Progress that nobody listens to: for tests and for direct calls."""

    def report(self, done: int, total: int, text: str = "") -> None:
        """Ignore the figure."""

    def check(self) -> None:
        """Never cancelled."""

    def partial(self, payload: object) -> None:
        """Ignore the part."""
