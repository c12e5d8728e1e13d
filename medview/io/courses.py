"""All time points of a series at once, for curves over time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ReadError
from medview.domain.progress import Progress, Silent, zeros
from medview.domain.study import Series
from medview.io import nifti
from medview.io.readers import load

# Above so many bytes a curve is not worth the memory.
MOST_BYTES = 2 << 30
_BYTES = 4


class _Quiet(Silent):
    """Reads one time point without telling of it; a wish to stop is heard."""

    def __init__(self, job: Progress) -> None:
        self._job = job

    def check(self) -> None:
        """Stop when the whole is to stop."""
        self._job.check()


def read_course(job: Progress, series: Series) -> NDArray[np.float32]:
    """Values (t, k, j, i) of every time point; a packed file is gone through once.

    Raises
    ------
    ReadError
        If a time point cannot be read, is in colour, or all would take more than 2 GiB.
    """
    wide, high, deep = series.size
    shape = (series.times, deep, high, wide)
    size = int(np.prod(shape, dtype=np.int64)) * _BYTES
    if size > MOST_BYTES:
        raise ReadError(
            f"its time points would take {size / 2**30:.1f} GiB, more than "
            f"{MOST_BYTES >> 30} GiB are not read for a curve",
            file=series.files[0].name if series.files else "",
            do="Look at the time points one by one.",
        )
    course = zeros(job, shape, np.float32)
    for time, values in enumerate(_each_time(job, series)):
        if values.shape != shape[1:]:
            raise ReadError(
                "has no curve over time: its time points differ in size, or are in colour",
                file=series.files[0].name if series.files else "",
            )
        course[time] = values
        job.report(time + 1, series.times)
        job.check()
    return np.asarray(course, dtype=np.float32)


def _each_time(job: Progress, series: Series) -> Iterator[NDArray[np.generic]]:
    if series.format == "nifti":
        yield from nifti.each_time(series)
        return
    for time in range(series.times):
        yield load(_Quiet(job), series, time).array
