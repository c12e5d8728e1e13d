"""A DICOM series to its volume: decoded slice by slice, the wanted one first."""

from __future__ import annotations

import os
import sys
import time as clock
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from medview.domain.errors import ReadError
from medview.domain.progress import Progress, SharesMemory, Steered
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.io.crew import ROOM_EACH, Order, Result, decoded_apart
from medview.io.dicom_filling import Filling

# How often what has come so far is handed over again.
SHOW_EVERY_S = 0.25


def load(job: Progress, series: Series, time: int = 0, *, wanted: int | None = None) -> Volume:
    """Decode one time of a series.

    A slice that cannot be decoded stays blank and is listed in ``missing_slices``; a note
    PARTIAL says so. Slices are decoded from the middle outward, as many at a time as there are
    processors; in the child for files, in processes of their own, so that a decoder that dies
    takes only its slice with it.

    With `wanted`, it begins at that slice, and what is there already is handed over by
    ``job.partial``: volumes that share the final one's memory and say what is still to come.
    It follows the reader: a ``job.hint`` is the slice to go on from.

    Raises
    ------
    ReadError
        If no slice at all can be decoded, or the volume is too large for the memory.
    Cancelled
        If the user asked to stop.
    """
    filling = Filling.begun(job, series, time)
    order = Order(filling.pieces, len(filling.array) // 2 if wanted is None else wanted)
    watch = _Watch(job, filling, total=len(order), shows=wanted is not None)
    for result in _decoded(job, filling, order):
        watch.look(result)
        if isinstance(job, Steered) and isinstance(hint := job.hint(), int) and hint != wanted:
            wanted = hint
            order.around(hint)
    return filling.finished()


def _decoded(job: Progress, filling: Filling, order: Order) -> Iterator[Result | None]:
    """Decode apart where arrays can be shared, and where no model's threads could be forked."""
    if isinstance(job, SharesMemory) and sys.platform != "win32" and "torch" not in sys.modules:
        return decoded_apart(order, filling.decode, room=ROOM_EACH + 4 * filling.largest_file)
    return _decoded_here(filling, order)


def _decoded_here(filling: Filling, order: Order) -> Iterator[Result]:
    """Decode in threads: for callers that have no child to lose."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        running: dict[Future[None], int] = {}
        while len(order):
            k = order.take()
            running[pool.submit(filling.decode, k)] = k
        try:
            for future in as_completed(running):
                error = future.exception()
                if error is not None and not isinstance(error, ReadError):
                    raise error
                yield running[future], error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(slots=True)
class _Watch:
    """Keeps count of the slices that come, and shows them."""

    job: Progress
    filling: Filling
    total: int
    shows: bool
    shown: int = 0
    shown_at: float = 0.0

    def look(self, result: Result | None) -> None:
        """Take in a result, tell how far it is, and hand over what there is now and then."""
        filling = self.filling
        if result is not None:
            filling.arrived(*result)
        count = len(filling.done)
        now = clock.monotonic()
        is_due = count == 1 or now - self.shown_at >= SHOW_EVERY_S
        if self.shows and is_due and self.shown < count < self.total:
            volume = filling.so_far()
            if volume is not None:
                self.job.partial(volume)
            self.shown, self.shown_at = count, now
        self.job.report(count, self.total)
        self.job.check()
