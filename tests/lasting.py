"""Children that no command ends: each start of theirs takes longer than what most commands do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from medview.cli.contract import Context
from medview.services import batch, jobs
from medview.services.jobs import Jobs


@contextmanager
def lasting_jobs() -> Iterator[Jobs]:
    """Jobs whose children live until the end, whatever was asked of them."""
    lanes = {name: replace(habits, ends="never") for name, habits in jobs._LANES.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_LANES", lanes)
        shared = Jobs(lambda call: call())
    # One child learns and runs what was learnt: both import the same for seconds.
    shared._lanes["train"] = shared._lanes["compute"]
    with shared:
        yield shared


@contextmanager
def asked_by_commands(shared: Jobs) -> Iterator[None]:
    """Commands ask these children, which a command else starts and ends itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Context, "jobs", property(lambda context: shared))
        patch.setattr(batch, "Jobs", lambda post: _Lent(shared))
        yield


class _Lent:
    """Jobs that whoever borrowed them cannot close."""

    def __init__(self, jobs: Jobs) -> None:
        self.run, self.call = jobs.run, jobs.call

    def close(self) -> None:
        pass
