"""What the child for files does for the list of series; nothing of it is imported elsewhere."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.progress import Progress
from medview.domain.study import Series
from medview.io import readers
from medview.services.thumbnails import Thumbnail, thumbnail_of


def thumbnail(job: Progress, series: Series) -> Thumbnail:
    """Read as little of a series as its picture needs and make it. For the child for files."""
    return thumbnail_of(readers.load(job, _middle_of(series)))


def _middle_of(series: Series) -> Series:
    """The middle slice of a DICOM series; other formats come as a whole."""
    grid, count = series.geometry, series.size[2]
    if series.format != "dicom" or grid is None or count < 2 or len(series.slots) < count:
        return series
    there = [k for k in range(count) if series.slots[k] is not None]
    if not there:
        return series
    middle = there[len(there) // 2]
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_mm((middle, 0, 0))
    return replace(
        series,
        size=(*series.size[:2], 1),
        times=1,
        slots=(series.slots[middle],),
        geometry=replace(grid, shape=(1, *grid.shape[1:]), affine=affine),
        missing_slices=(),
    )
