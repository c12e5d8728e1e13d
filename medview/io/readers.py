"""Open whatever the user chose: the formats known, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medview.domain.errors import ReadError
from medview.domain.progress import Progress
from medview.domain.study import Catalogue, Series, Skipped
from medview.domain.volume import Volume
from medview.io import dicom, nifti
from medview.io.catalogue import catalogue_of
from medview.io.codes import Code
from medview.io.dicom_headers import Slice, read_slices
from medview.io.dicom_outline import read_outline
from medview.io.dicom_series import series_of
from medview.io.identity import Found
from medview.io.sources import find_files

REPORT_EVERY = 50


@dataclass(frozen=True, slots=True)
class Format:
    """A format of which one file is one series.

    `find` gives what a file holds, or None when it is not of this format; `load` gives the
    volume of one time.
    """

    name: str
    find: Callable[[Path], list[Found] | None]
    load: Callable[[Progress, Series, int], Volume]


FORMATS: tuple[Format, ...] = (Format("nifti", nifti.find, nifti.load),)


def scan(job: Progress, paths: Sequence[Path]) -> Catalogue:
    """List what lies under the paths: headers only, no pixels.

    One unreadable file never stops the rest: it is listed in ``Catalogue.skipped``.

    Raises
    ------
    ReadError
        If a path does not exist, or nothing under the paths can be shown.
    Cancelled
        If the user asked to stop.
    """
    files = list(find_files(paths))
    slices: list[Slice] = []
    found: list[Found] = []
    skipped: list[Skipped] = []
    for n, path in enumerate(files):
        if n % REPORT_EVERY == 0:
            job.report(n, len(files), "reading headers")
            job.check()
        try:
            outline = read_outline(path)
            if outline is not None:
                slices += read_slices(path, outline)
            else:
                found += _of_other_format(path)
        except ReadError as error:
            skipped.append(Skipped(_relative(path, paths), error.code, error.what))
    found += series_of(slices)
    job.report(len(files), len(files), "reading headers")
    if not found:
        raise _nothing(paths, files, skipped)
    return catalogue_of(found, skipped, len(files))


def load(job: Progress, series: Series, time: int = 0) -> Volume:
    """Read the pixels of one time of a series.

    Raises
    ------
    ReadError
        If they cannot be read; the sentence says why.
    Cancelled
        If the user asked to stop.
    """
    if series.format == "dicom":
        return dicom.load(job, series, time)
    return next(f for f in FORMATS if f.name == series.format).load(job, series, time)


def _of_other_format(path: Path) -> list[Found]:
    for candidate in FORMATS:
        found = candidate.find(path)
        if found is not None:
            return found
    raise ReadError(
        "not a medical image",
        code=Code.NOT_AN_IMAGE,
        file=path.name,
        do="Choose DICOM, NIfTI, NRRD, MHA or a film as PNG, JPEG or TIFF.",
    )


def _relative(path: Path, paths: Sequence[Path]) -> str:
    """The file's name as seen from what the user chose."""
    for chosen in paths:
        if path == chosen:
            return path.name
        if path.is_relative_to(chosen):
            return path.relative_to(chosen).as_posix()
    return path.name


def _nothing(paths: Sequence[Path], files: Sequence[Path], skipped: list[Skipped]) -> ReadError:
    """Why there is nothing to show: the reason of the only file, or of the folder."""
    if len(files) == 1 and skipped:
        only = skipped[0]
        return ReadError(
            only.what,
            code=only.code,
            file=files[0].name,
            do="Choose another file, or copy or export it again.",
            skipped=1,
        )
    name = paths[0].name if paths else ""
    if not files:
        return ReadError(
            "is empty", code=Code.NOTHING_FOUND, file=name, do="Choose a folder with images."
        )
    return ReadError(
        f"none of its {len(files)} files is an image that can be shown",
        code=Code.NOTHING_FOUND,
        file=name,
        do="Choose a folder with DICOM, NIfTI, NRRD, MHA, PNG, JPEG or TIFF images.",
        skipped=len(skipped),
    )
