"""Work that takes long, done in child processes: lanes, progress, cancel, answers by `post`.

There are four lanes: "files" (decoding what may be hostile), "compute" (models), "train" and
"pages" (laying out reports while the others go on). Each is one thread here, which the window
never waits for, and behind it one child process that does the lane's jobs one after another. A
job is a function named "package.module:function"; it is imported in the child only, so that
nothing it needs (such as torch) is ever loaded here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Literal, Self

from medview.domain.errors import MedviewError
from medview.services.job import Callbacks, Job, Listener, Report
from medview.services.lane import TICK_S, Habits, Lane, Post
from medview.services.worker import WARM

__all__ = ["Job", "Jobs", "LaneName", "Report"]

# Children are killed within a second; busy machines may take some more to give memory back.
_GIVE_UP_S = 10.0

LaneName = Literal["files", "compute", "train", "scene", "pages"]

_LANES: dict[str, Habits] = {
    "files": Habits("The process that reads and writes files"),
    # The window and the decoder go first on a small machine.
    "compute": Habits("The process that runs the models", nice=5, ends="cancelled"),
    # It speaks after each epoch, and one through many volumes takes minutes.
    "train": Habits("The process that trains", nice=10, ends="always", patience=40.0),
    "scene": Habits("The process that draws in 3-D", nice=2),
    # It reads the series of key images, too: what may be hostile gets no more memory here.
    "pages": Habits("The process that lays out reports", nice=2),
}


class Jobs:
    """The lanes. Leave with ``close()``, or use it in a ``with`` statement.

    Parameters
    ----------
    post : Callable
        Takes a call without arguments and runs it on the thread that owns the state;
        ``lambda call: call()`` where there is no such thread.
    files_memory_mb : int | None
        Address space that the children that read files may take; None is 60 % of the machine's
        memory.
    hang_after_s : float
        A running job that says nothing for so long is told to `hung`, once.
    hung : Callable[[Job], object] | None
        Called by `post` with the silent job, so that the reader can be offered to stop it.
    """

    def __init__(
        self,
        post: Post,
        *,
        files_memory_mb: int | None = None,
        hang_after_s: float = 30.0,
        hung: Callable[[Job], object] | None = None,
    ) -> None:
        most = files_memory_mb or _most_of_the_memory_mb()
        memory = {"files": most, "pages": most}
        self._newest: dict[str, Job] = {}
        self._lanes: dict[str, Lane] = {}
        for name, habits in _LANES.items():
            hang = hang_after_s * habits.patience
            own = replace(habits, memory_mb=memory.get(name), hang_after_s=hang)
            self._lanes[name] = Lane(name, own, post, hung)

    def run(
        self,
        lane: LaneName,
        work: str,
        *args: object,
        done: Callable[..., object] | None = None,
        failed: Callable[[MedviewError], object] | None = None,
        progress: Listener | None = None,
        partial: Callable[..., object] | None = None,
        key: str | None = None,
    ) -> Job:
        """Ask for ``work(progress, *args)`` in the child of a lane and return at once.

        One of `done` (with the result) and `failed` (with a MedviewError) is called in the
        end, by `post`; before it `partial` and, at most 20 times a second, `progress` (with
        done, total and text). Arrays in the answer are read-only, large ones views of shared
        memory. A newer job with the same `key` cancels the older one, of which nothing more
        is heard.
        """
        calls = Callbacks(done, failed, progress, partial)
        job = Job(lane, work, args, calls, self._lanes[lane].drop)
        if key is not None:
            older = self._newest.get(key)
            if older is not None:
                older.supersede()
            self._newest[key] = job
        self._lanes[lane].put(job)
        return job

    def call(
        self,
        lane: LaneName,
        work: str,
        *args: object,
        progress: Listener | None = None,
    ) -> object:
        """Do the work and wait for its result: for callers without a window.

        `progress` (with done, total and text) is called on the caller's thread. Raises the
        job's MedviewError. A KeyboardInterrupt ends the children before it goes on.
        """
        job = Job(lane, work, args, None, self._lanes[lane].drop)
        self._lanes[lane].put(job)
        seen = job.progress
        try:
            waiting = True
            while waiting:
                waiting = not job.settled.wait(TICK_S)
                if progress is not None and job.progress is not seen:
                    seen = job.progress
                    progress(*seen)
        except KeyboardInterrupt:
            self.close()
            raise
        if job.error is not None:
            raise job.error
        return job.answer

    def warm(self, lane: LaneName, *modules: str) -> Job:
        """Start the child of a lane and import modules there, before they are needed.

        A child that takes its place after a cancel or an accident does the same at once.
        """
        return self.run(lane, WARM, *modules)

    def close(self) -> None:
        """Cancel everything, end the children and wait for it; nobody is called any more.

        A child that the system cannot end, because a disk does not answer it, is left to it.
        """
        for lane in self._lanes.values():
            lane.leave()
        until = time.monotonic() + _GIVE_UP_S
        for lane in self._lanes.values():
            if lane.is_alive():
                lane.join(max(0.0, until - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _most_of_the_memory_mb() -> int:
    return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 0.6) >> 20
