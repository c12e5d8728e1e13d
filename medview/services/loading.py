"""What the child for files does when a series is put on screen."""

from __future__ import annotations

from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.io.hashing import volume_sha256
from medview.io.readers import load


def load_and_identify(job: Progress, series: Series, time: int = 0) -> str:
    """Read a volume, hand it over at once, and return the hash that tells it from any other."""
    volume = load(job, series, time)
    job.partial(volume)
    return volume_sha256(volume)
