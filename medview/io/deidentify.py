"""De-identified copies of DICOM files: PS3.15 Annex E, Basic Application Confidentiality Profile.

What happens to the attributes of a file is in ``confidentiality``. Added here: a pseudonym for
each patient, the marks that say what was done (PS3.3 C.7.1.1 and C.12.1.1.9), names of files,
holding back what cannot be cleaned by its header, and results that are about the copies.
"""

from __future__ import annotations

import hashlib
import secrets
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from medview import __version__
from medview.domain.errors import InputRefused, UsageError
from medview.domain.progress import Progress
from medview.domain.study import Patient
from medview.domain.wording import counted
from medview.io.atomic import whole_folder
from medview.io.bare_pixels import bare_pixels
from medview.io.confidentiality import EDITION, NewUid, new_uids, take_identity_out, take_words_out
from medview.io.dicom_headers import iso_date
from medview.io.dicom_out.parts import Handover
from medview.io.held_back import (
    LOCKED,
    UNREADABLE,
    is_locked,
    read_whole,
    reason_against,
    shows_a_face,
)
from medview.io.readers import files_under

PROFILE = codes.DCM.BasicApplicationConfidentialityProfile
# What a network leaves before a data set (PS3.7), and file meta within one.
_NOT_IN_A_DATA_SET = (0x0000, 0x0002)
RESULTS = "results"
"""Folder of the results that were made of the copies."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A file that was not copied, and why; named by its number in the order of the input."""

    number: int
    code: str
    what: str


@dataclass(slots=True)
class Copied:
    """What came of it: `places` says where the copy of each file lies.

    `faces` are the series from which a face could be rendered, `missing` counts the records of a
    chosen index of a medium that lead to no file.
    """

    places: dict[Path, Path] = field(default_factory=dict)
    patients: set[str] = field(default_factory=set)
    faces: set[str] = field(default_factory=set)
    withheld: list[Withheld] = field(default_factory=list)
    results: int = 0
    without_results: bool = False
    missing: int = 0


def deidentify(
    job: Progress,
    paths: tuple[Path, ...],
    out: Path,
    with_burned_in: bool = False,
    earlier: Path | None = None,
) -> Copied:
    """Copy all DICOM files under `paths` into `out` (which exists) without identity.

    The index of a medium stands for the files that it names.
    What lies below `earlier`, where copies were put before, is no original and stays out.

    UIDs are replaced consistently within one export and not beyond it; dates are emptied or
    dummies; private attributes, overlays and curves are removed. A patient is called "ANON-"
    and eight digits of a hash with a key that is thrown away.

    Raises
    ------
    ReadError
        If a path does not exist.
    Cancelled
        If the user asked to stop.
    """
    found_files, unfollowed = files_under(paths)
    files = [path for path in found_files if not _lies_below(path, earlier)]
    key = secrets.token_bytes(32)
    new_uid = new_uids(key)
    done = Copied(missing=len(unfollowed))
    for number, path in enumerate(files):
        job.check()
        job.report(number, len(files), f"file {number + 1} / {len(files)}")
        found = read_whole(path)
        why = reason_against(found, with_burned_in=with_burned_in)
        if found is None and is_locked(path):
            why = LOCKED
        if found is not None and not why:
            name = pseudonym(found, key)
            target = out / name / f"{len(done.places) + 1:06d}.dcm"
            why = _copy(done, found, new_uid, target)
        if why:
            done.withheld.append(Withheld(number + 1, *why))
        else:
            done.places[path] = target
    return done


def _lies_below(path: Path, folder: Path | None) -> bool:
    return folder is not None and path.absolute().is_relative_to(folder.absolute())


def deidentify_into(
    job: Progress,
    paths: tuple[Path, ...],
    out: Path,
    with_burned_in: bool = False,
    results: tuple[Handover, ...] = (),
    draft: Path | None = None,
) -> dict[str, Any]:
    """The same into a folder that appears whole or not at all, with results about the copies.

    With a `draft` of the caller, who makes `out` of it, everything is written there.

    The objects of `results` are made anew from the copied headers, so that they carry the UIDs
    of the copies and nothing of the patient.

    Returns
    -------
    dict
        ``files``, ``patients``, ``results`` (objects), ``withheld`` (number, code, what) and
        ``warnings``.

    Raises
    ------
    UsageError
        If the originals lie in `out`: with its copies it would be taken for clean.
    InputRefused
        If nothing could be copied; no folder is left then.
    WriteError
        If the folder cannot be written.
    """
    for path in paths:
        if out.resolve() in (path.resolve(), *path.resolve().parents):
            what = "the originals lie in the folder for the copies"
            raise UsageError(what, file=out.name, do="Choose a folder of its own for the copies.")
    with whole_folder(out) if draft is None else nullcontext(draft) as place:
        done = deidentify(job, paths, place, with_burned_in, out)
        if not done.places:
            raise _nothing_to_copy(done)
        for number, parts in enumerate(results, start=1):
            name = RESULTS if len(results) == 1 else f"{RESULTS}-{number}"
            _hand_over_about_copies(job, parts, place / name, done)
    return _told(done)


def _nothing_to_copy(done: Copied) -> InputRefused:
    """The refusal, with what may not be read as its reason where there is any."""
    what, do = "there is nothing that can be copied without identity", "Choose a folder with"
    locked = sum((one.code, one.what) == LOCKED for one in done.withheld)
    if locked:
        what += (
            f": {locked} {'folder or file' if locked == 1 else 'folders or files'} may not be read"
        )
        do = "Allow reading it" if locked == 1 else "Allow reading them"
        do += ", or choose a folder with"
    return InputRefused(
        what, do=f"{do} DICOM images.", code="MV-DEI-005", skipped=len(done.withheld)
    )


def _hand_over_about_copies(job: Progress, parts: Handover, out: Path, done: Copied) -> None:
    """Write results as DICOM objects of the copies.

    Not where an image of theirs is held back, or where none of them can be a DICOM object; the
    copies are written all the same.
    """
    # Whoever copies images alone does not wait for this library.
    from medview.io.dicom_out.handover import hand_over

    if not all(file in done.places for file in parts.series.files):
        done.without_results = True
        return
    copies = tuple(done.places[file] for file in parts.series.files)
    # What a reader typed may be a name; figures are none.
    drawn = tuple(replace(each, drawing=replace(each.drawing, text="")) for each in parts.drawn)
    series = replace(parts.series, files=copies, description="")
    about = replace(parts, series=series, drawn=drawn, report=None)
    try:
        done.results += len(hand_over(job, about, out))
    except InputRefused:
        done.without_results = True
        return
    for file in out.rglob("*.dcm"):
        made = pydicom.dcmread(file)
        _mark(made)
        made.save_as(file, enforce_file_format=True)


def _told(done: Copied) -> dict[str, Any]:
    warnings = []
    if done.faces:
        show, them = ("shows", "it") if len(done.faces) == 1 else ("show", "them")
        text = f"{len(done.faces)} series {show} a head; a face can be rendered from {them}"
        warnings.append({"code": "FACE", "text": text})
    if done.missing:
        records = counted(done.missing, "record")
        text = f"{records} of the index of the medium led to no file; what is there was copied"
        warnings.append({"code": "INCOMPLETE", "text": text})
    if done.without_results:
        text = "results are left out: their images are held back, or they cannot be DICOM objects"
        warnings.append({"code": "NO_RESULTS", "text": text})
    return {
        "files": len(done.places),
        "patients": len(done.patients),
        "results": done.results,
        "withheld": [
            {"number": one.number, "code": one.code, "what": one.what} for one in done.withheld
        ],
        "warnings": warnings,
    }


def pseudonym(found: Dataset, key: bytes) -> str:
    """The same name for the same patient within an export."""
    who = f"{found.get('PatientID', '')}\0{found.get('PatientName', '')}"
    return f"ANON-{hashlib.sha256(key + who.encode()).hexdigest()[:8]}"


def _copy(
    done: Copied, found: Dataset, new_uid: NewUid, target: Path
) -> tuple[str, str] | tuple[()]:
    """Clean a data set and write it to `target`; why not, if it is damaged."""
    series = str(found.get("SeriesInstanceUID", ""))
    face = shows_a_face(found)
    try:
        # What a library says of a value holds the value.
        with warnings.catch_warnings(action="ignore"):
            _clean(found, target.parent.name, new_uid)
            target.parent.mkdir(exist_ok=True)
            found.save_as(target, enforce_file_format=True)
    except OSError:
        raise
    except Exception:  # whatever the values of a damaged file make a library raise
        target.unlink(missing_ok=True)
        return UNREADABLE
    done.patients.add(target.parent.name)
    if face:
        done.faces.add(series)
    return ()


def _clean(found: Dataset, name: str, new_uid: NewUid) -> None:
    """Take identity out of a data set and say in it that this was done."""
    for group in _NOT_IN_A_DATA_SET:
        for element in found.group_dataset(group):
            del found[element.tag]
    patient = Patient(
        key="",
        id=str(found.get("PatientID", "")),
        name=str(found.get("PatientName", "")),
        birth_date=iso_date(str(found.get("PatientBirthDate", ""))),
    )
    take_identity_out(found, new_uid)
    take_words_out(found, patient)
    bare_pixels(found)
    if not found.get("SOPInstanceUID"):
        found.SOPInstanceUID = generate_uid(prefix=None)
    found.PatientName = name
    found.PatientID = name
    _mark(found)
    found.preamble = b"\0" * 128
    old, found.file_meta = found.file_meta, FileMetaDataset()
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.file_meta.TransferSyntaxUID = old.TransferSyntaxUID


def _mark(found: Dataset) -> None:
    """Have a data set say that its patient was taken out, and how."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = PROFILE.value, PROFILE.scheme_designator
    code.CodeMeaning = PROFILE.meaning
    found.PatientIdentityRemoved = "YES"
    found.DeidentificationMethod = f"medview {__version__}: PS3.15 E.1 Basic, {EDITION}"[:64]
    found.DeidentificationMethodCodeSequence = [code]
    found.LongitudinalTemporalInformationModified = "REMOVED"
