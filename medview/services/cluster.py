"""Batches on a cluster: each case a task of dask.distributed, an optional extra."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import resource_tracker
from typing import Any

from medview.domain.errors import UsageError
from medview.services.batch import Engine, Task, run_task
from medview.services.batch_outcome import Outcome
from medview.services.jobs import Jobs


def dask_engine(scheduler: str | None, workers: int) -> Engine:
    """Run on the cluster whose scheduler has that address, or on one made here.

    All machines need this program and see the same folders.

    Raises
    ------
    UsageError
        If dask.distributed is not installed, or no scheduler answers.
    """
    distributed = _distributed()

    def run(tasks: Sequence[Task]) -> Iterator[Outcome]:
        with _client(distributed, scheduler, workers) as client:
            futures = [client.submit(_work, task, pure=False, retries=0) for task in tasks]
            for future in distributed.as_completed(futures):
                yield future.result()

    return run


def _work(task: Task) -> Outcome:
    """Run one case with lanes of its own: on another machine none are open."""
    with Jobs(lambda call: call()) as jobs:
        return run_task(jobs, task)


@contextmanager
def _children_deaf() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C, which a terminal sends to all: we end them."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # that takes the signals off again as it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise UsageError(
            "dask.distributed is not installed",
            do='Install it with "pip install medview[cluster]", or use --engine local.',
        ) from error


def _client(distributed: Any, scheduler: str | None, workers: int) -> Any:
    if scheduler is None:
        with _children_deaf():
            return distributed.Client(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=None,
                host="127.0.0.1",
                silence_logs=logging.ERROR,  # of a stop its own words would tell a page
            )
    try:
        return distributed.Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no scheduler answers at {scheduler}", do="Check the address given with --scheduler."
        ) from error
