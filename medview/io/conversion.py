"""A series from any format to NIfTI."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medview.domain.errors import ReadError
from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.domain.volume import Note, Volume
from medview.io import nifti
from medview.io.codes import Code
from medview.io.limits import memory_cap
from medview.io.readers import load


def convert(job: Progress, series: Series, path: Path) -> tuple[Note, ...]:
    """Write the values of a series after rescale as NIfTI; all times into one file.

    Missing slices are blank. Returns the warnings of the series and of its pixels.

    Raises
    ------
    ReadError
        If the pixels cannot be read, or all times together are too large for the memory.
    WriteError
        If the file cannot be written.
    """
    volumes: list[Volume] = []
    for time in range(series.times):
        volumes.append(load(job, series, time))
        if volumes[0].array.nbytes * series.times > memory_cap():
            raise ReadError(
                f"its {series.times} volumes together need more memory than may be used here",
                code=Code.TOO_LARGE,
                file=series.description or series.files[0].name,
                do="Close other programs and try again.",
            )
        if volumes[-1].array.shape != volumes[0].array.shape:
            raise ReadError(
                "its times are not of one size, or some have colours and others none",
                code=Code.SIZES_DISAGREE,
                file=series.description or series.files[0].name,
                do="Split the file, and convert its parts.",
            )
        job.report(time + 1, series.times, "reading")
    nifti.write_times(
        _of_one_type(volumes), path, step_s=series.time_step_s, split_by=series.split_by
    )
    notes = [note for volume in volumes for note in volume.warnings]
    return tuple(dict.fromkeys((*series.warnings, *notes)))


def _of_one_type(volumes: list[Volume]) -> list[Volume]:
    kinds = {volume.array.dtype for volume in volumes}
    if len(kinds) == 1:
        return volumes
    return [
        Volume(volume.array.astype(np.float32), volume.geometry, volume.quantity)
        for volume in volumes
    ]
