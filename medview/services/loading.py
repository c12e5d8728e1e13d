"""What the child for files does when a series is put on screen."""

from __future__ import annotations

from pathlib import Path

from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.io.hashing import volume_sha256
from medview.io.readers import load_and_show


def missing(job: Progress, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Those of the paths at which there is nothing."""
    job.check()
    return tuple(path for path in paths if not path.exists())


def load_and_identify(
    job: Progress, series: Series, time: int = 0, wanted: int | None = None
) -> str:
    """Read a volume and return the hash that tells it from any other.

    Before that it is handed over: as it fills, from the wanted slice outward, and whole.
    """
    volume = load_and_show(job, series, time, wanted)
    job.partial(volume)
    return volume_sha256(volume)
