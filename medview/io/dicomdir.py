"""The index of a DICOM medium: which files it names, and which of them may be opened."""

from __future__ import annotations

from pathlib import Path

from medview.domain.errors import ReadError
from medview.domain.study import Skipped
from medview.domain.wording import counted
from medview.io.codes import Code
from medview.io.dicom_outline import read_outline
from medview.io.dicom_values import Header
from medview.io.sources import read_head

RECORDS = "DirectoryRecordSequence"


def is_dicomdir(path: Path) -> bool:
    """Say whether a file the user chose is an index: by its name, and a DICOM preamble."""
    if not path.name.upper().startswith("DICOMDIR") or not path.is_file():
        return False
    return read_head(path, 132)[128:] == b"DICM"


def refusal(path: Path, header: Header) -> ReadError:
    """Why an index is no image, and where its images are."""
    named = sum(bool(record.words("ReferencedFileID")) for record in header.items(RECORDS))
    files = f"that names {counted(named, 'file')}" if named else "and names no file"
    return ReadError(
        f"is the index of a DICOM medium {files}",
        code=Code.DIRECTORY_RECORD,
        file=path.name,
        do="Choose the folder that holds them." if named else "Choose the images themselves.",
    )


def files_of(index: Path) -> tuple[list[Path], list[Skipped]]:
    """Files that an index names, and the records that cannot be followed.

    Records are read one by one without their links to each other, which may be wrong or run
    in circles. A name that leaves the folder of the index is never opened.
    """
    try:
        outline = read_outline(index)
    except ReadError as error:
        return [], [Skipped(index.name, error.code, error.what)]
    records = [] if outline is None else Header(outline).items(RECORDS)
    root = index.parent.resolve()
    files: dict[Path, None] = {}
    bad: list[Skipped] = []
    for record in records:
        parts = record.words("ReferencedFileID")
        if not parts:
            continue
        label = "/".join(parts)[:200]
        if not all(map(_is_plain, parts)):
            what = "the index of the medium points out of its folder"
            bad.append(Skipped(label, Code.OUTSIDE_FOLDER, what))
            continue
        found = _found(index.parent, parts)
        if found is None:
            what = "the index of the medium names a file that is not there"
            bad.append(Skipped(label, Code.NAMED_BUT_MISSING, what))
        elif not found.resolve().is_relative_to(root):
            what = "the index of the medium points out of its folder"
            bad.append(Skipped(label, Code.OUTSIDE_FOLDER, what))
        else:
            files[found] = None
    return list(files), bad


def _is_plain(part: str) -> bool:
    return bool(part) and part not in (".", "..") and not set(part) & set("/\\:\0")


def _found(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """Follow a name; some systems show the capitals of a medium as small letters."""
    path = folder
    for part in parts:
        exact = path / part
        if exact.exists():
            path = exact
            continue
        try:
            alike = [entry for entry in path.iterdir() if entry.name.lower() == part.lower()]
        except OSError:
            return None
        if len(alike) != 1:
            return None
        path = alike[0]
    return path if path.is_file() else None
