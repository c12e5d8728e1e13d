"""Open whatever the user chose: the formats known, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from medview.domain.errors import ReadError
from medview.domain.presentation import Presentation
from medview.domain.progress import Progress
from medview.domain.study import Catalogue, Choice, Series, Skipped, choice_for
from medview.domain.volume import Volume
from medview.io import archives, dicom, dicomdir, metaimage, nifti, radiograph
from medview.io.catalogue import catalogue_of
from medview.io.codes import Code
from medview.io.dicom_headers import Slice, read_slices
from medview.io.dicom_outline import read_outline
from medview.io.dicom_presentation import is_presentation, read_presentation
from medview.io.dicom_series import series_of
from medview.io.identity import Found
from medview.io.nifti_header import other_of_pair
from medview.io.picture_kinds import READ_AS_FILMS
from medview.io.resultjson import MAPS
from medview.io.results import RESULT
from medview.io.sidecar import companion_words
from medview.io.sources import find_files, size_of

REPORT_EVERY = 50


@dataclass(frozen=True, slots=True)
class Format:
    """A format of which one file is one series.

    `find` gives what a file holds, or None when it is not of this format; `load` gives the
    volume of one time.
    """

    names: tuple[str, ...]
    find: Callable[[Path], list[Found] | None]
    load: Callable[[Progress, Series, int], Volume]


FORMATS: tuple[Format, ...] = (
    Format(("nifti",), nifti.find, nifti.load),
    Format(("nrrd", "metaimage"), metaimage.find, metaimage.load),
)
PICTURES = Format(("film",), radiograph.find, radiograph.load)


@dataclass(slots=True)
class _Findings:
    """What a scan has come across so far."""

    slices: list[Slice] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    own_maps: list[Path] = field(default_factory=list)
    skipped: dict[Path, ReadError] = field(default_factory=dict)
    states: dict[Path, Presentation] = field(default_factory=dict)


def scan(job: Progress, paths: Sequence[Path], choices: Sequence[Choice] = ()) -> Catalogue:
    """List what lies under the paths: headers only, no pixels.

    A path may be a file, a folder, a ZIP archive or a DICOMDIR. One unreadable file never
    stops the rest: it is listed in ``Catalogue.skipped``. Plain pictures that lie beside
    medical images are left out; opened by themselves they are films. So are maps of results that
    lie below a chosen folder among other images. `choices` are what the reader decided where the
    files leave it open.

    Raises
    ------
    ReadError
        If a path does not exist, or nothing under the paths can be shown.
    Cancelled
        If the user asked to stop.
    """
    files, unfollowed = files_under(paths)
    findings = _Findings()
    for n, path in enumerate(files):
        if n % REPORT_EVERY == 0:
            job.report(n, len(files), "reading headers")
            job.check()
        if _is_own_map(path, paths):
            findings.own_maps.append(path)
        else:
            _look_at(path, findings)
    _look_at_pictures(findings, paths)
    _look_at_own_maps(findings)
    job.report(len(files), len(files), "reading headers")
    found = _placed(findings.found, choices)
    found += series_of(findings.slices, choices, _states(findings))
    # Files that hold the pixels of a header beside them are no images by themselves.
    used = {path for item in found for path in item.series.files}
    skipped = [
        Skipped(_relative(path, paths), error.code, error.what)
        for path, error in findings.skipped.items()
        if path not in used
    ]
    if not found:
        raise _nothing(paths, files, findings)
    return catalogue_of(found, [*skipped, *unfollowed], len(files) + len(unfollowed))


def _states(findings: _Findings) -> list[Presentation]:
    """Presentation states about images that are here; the others are left out and said."""
    here = {piece.info.instance_uid for piece in findings.slices} if findings.states else set()
    for path, state in findings.states.items():
        if not state.images & here:
            findings.skipped[path] = ReadError(
                "a presentation state of images that are not here",
                code=Code.NO_PIXELS,
                file=path.name,
                do="Choose the folder or the images beside it.",
            )
    return [state for path, state in findings.states.items() if path not in findings.skipped]


def _placed(found: list[Found], choices: Sequence[Choice]) -> list[Found]:
    """Place files that give two positions by the one that the reader chose."""
    return [
        replace(
            item, series=nifti.placed_by(item.series, choice_for(choices, item.series.uid).form)
        )
        for item in found
    ]


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
    owner = next(f for f in (*FORMATS, PICTURES) if series.format in f.names)
    return owner.load(job, series, time)


def load_and_show(
    job: Progress, series: Series, time: int = 0, wanted: int | None = None
) -> Volume:
    """Read a volume as `load` does, from the wanted slice outward, showing what has come.

    Volumes that are not whole yet are handed over by ``job.partial``; ``slices_to_come`` says
    what they lack. Formats that are read in one go hand over nothing.
    """
    if series.format == "dicom":
        return dicom.load(
            job, series, time, wanted=series.size[2] // 2 if wanted is None else wanted
        )
    return load(job, series, time)


def files_under(paths: Sequence[Path]) -> tuple[list[Path], list[Skipped]]:
    """Files under the paths; those that a chosen index names, with the records it has wrong.

    Raises
    ------
    ReadError
        If a path does not exist or is no file or folder.
    """
    files: list[Path] = []
    unfollowed: list[Skipped] = []
    for path in paths:
        if not dicomdir.is_dicomdir(path):
            files += find_files((_header_of(path),))
            continue
        named, wrong = dicomdir.files_of(path)
        unfollowed += wrong
        # An index that is wrong somewhere may be wrong elsewhere: then the folder is the truth.
        files += named if named and not wrong else find_files((path.parent,))
    return list(dict.fromkeys(files)), unfollowed


def _header_of(path: Path) -> Path:
    """The header that a chosen file holds the pixels of (Analyze, NIfTI pair), else the file."""
    if path.suffix.lower() != ".img" or not path.is_file():
        return path  # also ".", which has no other name
    header = other_of_pair(path, ".hdr")
    if not header.is_file():
        return path
    try:
        return path if read_outline(path) is not None else header
    except ReadError:
        return path


def _look_at(path: Path, findings: _Findings) -> None:
    try:
        outline = read_outline(path)
        if outline is not None and is_presentation(outline):
            findings.states[path] = read_presentation(outline)
        elif outline is not None:
            findings.slices += read_slices(path, outline)
        elif radiograph.is_picture(path):
            findings.pictures.append(path)
        else:
            findings.found += _of_other_format(path)
    except ReadError as error:
        findings.skipped[path] = error


def _of_other_format(path: Path) -> list[Found]:
    for candidate in FORMATS:
        found = candidate.find(path)
        if found is not None:
            return found
    if archives.is_archive(path):
        raise ReadError(
            "an archive within the folder",
            code=Code.ARCHIVE_INSIDE,
            file=path.name,
            do="Open it by itself.",
        )
    raise ReadError(
        companion_words(path) or ("not a medical image" if size_of(path) else "is empty"),
        code=Code.NOT_AN_IMAGE,
        file=path.name,
        do=f"Choose DICOM, NIfTI, NRRD, MHA, or a film as {READ_AS_FILMS}.",
    )


def _look_at_pictures(findings: _Findings, chosen: Sequence[Path]) -> None:
    """Pictures are films when they were chosen, or when there is nothing else."""
    alone = not findings.slices and not findings.found
    for path in findings.pictures:
        try:
            if not alone and path not in chosen:
                raise ReadError(
                    "a plain picture beside medical images",
                    code=Code.PLAIN_PICTURE,
                    file=path.name,
                    do="Open it by itself.",
                )
            findings.found += PICTURES.find(path) or []
        except ReadError as error:
            findings.skipped[path] = error


def _is_own_map(path: Path, chosen: Sequence[Path]) -> bool:
    """Whether a file is a map of a result that was not itself chosen, nor its folders."""
    if path.parent.name != MAPS:
        return False
    result = path.parent.parent
    return (result / RESULT).is_file() and not {path, path.parent, result} & set(chosen)


def _look_at_own_maps(findings: _Findings) -> None:
    """Maps of results are images when there is nothing else."""
    alone = not findings.slices and not findings.found
    for path in findings.own_maps:
        if alone:
            _look_at(path, findings)
            continue
        findings.skipped[path] = ReadError(
            "a map of a result beside medical images",
            code=Code.OWN_MAP,
            file=path.name,
            do="Open it by itself, or lay it over its image.",
        )


def _relative(path: Path, paths: Sequence[Path]) -> str:
    """The file's name as seen from what the user chose."""
    for chosen in paths:
        if path == chosen:
            return path.name
        if path.is_relative_to(chosen):
            return path.relative_to(chosen).as_posix()
        if path.is_relative_to(chosen.parent):
            return path.relative_to(chosen.parent).as_posix()
    return path.name


def _nothing(paths: Sequence[Path], files: Sequence[Path], findings: _Findings) -> ReadError:
    """Why there is nothing to show: the reason of the only file, or of the folder."""
    if len(files) == 1 and findings.skipped:
        only = next(iter(findings.skipped.values()))
        only.skipped = 1
        return only
    name = paths[0].name if paths else ""
    if not files:
        return ReadError(
            "is empty", code=Code.NOTHING_FOUND, file=name, do="Choose a folder with images."
        )
    reasons = {(error.code, error.what): error for error in findings.skipped.values()}
    if len(reasons) == 1 and len(findings.skipped) == len(files):
        only = next(iter(reasons.values()))
        if only.code != Code.NOT_AN_IMAGE:
            what = f"none of its {len(files)} files can be shown (each: {only.what})"
            return ReadError(what, code=only.code, file=name, do=only.do, skipped=len(files))
    return ReadError(
        f"none of its {len(files)} files is an image that can be shown",
        code=Code.NOTHING_FOUND,
        file=name,
        do=f"Choose a folder with DICOM, NIfTI, NRRD or MHA images, or films as {READ_AS_FILMS}.",
        skipped=len(files),
    )
