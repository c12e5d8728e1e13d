"""De-identified copies of DICOM files: PS3.15 Annex E, Basic Application Confidentiality Profile.

The list of attributes and what to do with each is that of a maintained library
(dicom-anonymizer, edition 2026c). Added here: attributes inside sequences that stay, a pseudonym
for each patient, the marks that say what was done (PS3.3 C.7.1.1 and C.12.1.1.9), names of files,
and holding back what cannot be cleaned by its header.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from dicomanonymizer.simpledicomanonymizer import anonymize_dataset, initialize_actions
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sr.codedict import codes

from medview import __version__
from medview.domain.errors import InputRefused
from medview.domain.progress import Progress
from medview.io.atomic import whole_folder
from medview.io.sources import find_files

EDITION = "dicomfields_2026c"
PROFILE = codes.DCM.BasicApplicationConfidentialityProfile
_OVERLAYS = range(0x6000, 0x6020, 2)
_CURVES = range(0x5000, 0x5020, 2)
# Pictures that often carry names in their pixels.
_PICTURES_WITH_TEXT = ("US", "OT", "SC", "XC", "ES", "GM", "SM", "IVUS")
_HEADS = ("HEAD", "BRAIN", "SKULL", "FACE", "NECK")


@dataclass(frozen=True, slots=True)
class Withheld:
    """A file that was not copied, and why; named by its number in the order of the input."""

    number: int
    code: str
    what: str


@dataclass(slots=True)
class Copied:
    """What came of it. `faces` counts series from which a face could be rendered."""

    files: int = 0
    patients: int = 0
    withheld: list[Withheld] = field(default_factory=list)
    faces: int = 0


def deidentify(
    job: Progress, paths: tuple[Path, ...], out: Path, with_burned_in: bool = False
) -> dict[str, Any]:
    """Copy all DICOM files under `paths` into `out` (which exists) without identity.

    UIDs are replaced consistently within one export; dates become dummy dates; private
    attributes, overlays and curves are removed. A patient is called "ANON-" and eight digits of
    a hash with a key that is thrown away.

    Returns
    -------
    dict
        ``files``, ``patients``, ``withheld`` (number, code, what) and ``warnings``.

    Raises
    ------
    ReadError
        If a path does not exist.
    Cancelled
        If the user asked to stop.
    """
    files = list(find_files(paths))
    key = secrets.token_bytes(16)
    done = Copied()
    patients: set[str] = set()
    faces: set[str] = set()
    for number, path in enumerate(files):
        job.check()
        job.report(number, len(files), f"file {number + 1} / {len(files)}")
        found = _read(path)
        why = _reason_against(found, with_burned_in=with_burned_in)
        if found is None or why:
            if why:
                done.withheld.append(Withheld(number + 1, *why))
            continue
        if _shows_a_face(found):
            faces.add(str(found.get("SeriesInstanceUID", "")))
        name = pseudonym(found, key)
        _clean(found, name)
        patients.add(name)
        done.files += 1
        target = out / name / f"{done.files:06d}.dcm"
        target.parent.mkdir(exist_ok=True)
        found.save_as(target, enforce_file_format=True)
    done.patients, done.faces = len(patients), len(faces)
    return _told(done)


def deidentify_into(
    job: Progress, paths: tuple[Path, ...], out: Path, with_burned_in: bool = False
) -> dict[str, Any]:
    """The same into a folder that appears whole or not at all.

    Raises
    ------
    InputRefused
        If nothing could be copied; no folder is left then.
    WriteError
        If the folder cannot be written.
    """
    with whole_folder(out) as draft:
        body = deidentify(job, paths, draft, with_burned_in)
        if not body["files"]:
            raise InputRefused(
                "there is nothing that can be copied without identity",
                do="Choose a folder with DICOM images.",
                code="MV-DEI-005",
                skipped=len(body["withheld"]),
            )
    return body


def _told(done: Copied) -> dict[str, Any]:
    warnings = []
    if done.faces:
        warnings.append(
            {
                "code": "FACE",
                "text": f"{done.faces} series show a head; a face can be rendered from them",
            }
        )
    return {
        "files": done.files,
        "patients": done.patients,
        "withheld": [
            {"number": one.number, "code": one.code, "what": one.what} for one in done.withheld
        ],
        "warnings": warnings,
    }


def pseudonym(found: Dataset, key: bytes) -> str:
    """The same name for the same patient within an export."""
    who = f"{found.get('PatientID', '')}\0{found.get('PatientName', '')}"
    return f"ANON-{hashlib.sha256(key + who.encode()).hexdigest()[:8]}"


def _read(path: Path) -> Dataset | None:
    try:
        return pydicom.dcmread(path)
    except (OSError, InvalidDicomError, AttributeError, ValueError, KeyError):
        return None


def _reason_against(found: Dataset | None, *, with_burned_in: bool) -> tuple[str, str] | None:
    """Why a file is held back: code and words; None when it can be cleaned."""
    if found is None or "SOPClassUID" not in found:
        return "MV-DEI-001", "not a DICOM file that can be read"
    if "EncapsulatedDocument" in found:
        return "MV-DEI-002", "an embedded document may name the patient on its pages"
    if found.get("Modality") in ("SR", "KO") or "ContentSequence" in found:
        return "MV-DEI-003", "the text of a report may name the patient"
    burned = str(found.get("BurnedInAnnotation", "")).upper()
    doubtful = burned != "NO" and found.get("Modality") in _PICTURES_WITH_TEXT
    if (burned == "YES" or doubtful) and not with_burned_in:
        return "MV-DEI-004", "names may be burned into the picture"
    return None


def _shows_a_face(found: Dataset) -> bool:
    if found.get("Modality") not in ("MR", "CT", "PT"):
        return False
    words = f"{found.get('BodyPartExamined', '')} {found.get('StudyDescription', '')}".upper()
    return any(word in words for word in _HEADS)


def _clean(found: Dataset, name: str) -> None:
    """Take identity out of a data set and say in it that this was done."""
    for item in _all_items(found):
        anonymize_dataset(item, base_rules_gen=lambda: initialize_actions(EDITION))
    for group in (*_OVERLAYS, *_CURVES):
        for element in [e.tag for e in found.group_dataset(group)]:
            del found[element]
    found.PatientName = name
    found.PatientID = name
    found.PatientIdentityRemoved = "YES"
    found.DeidentificationMethod = f"medview {__version__}: PS3.15 E.1 Basic Profile, {EDITION}"[
        :64
    ]
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = PROFILE.value, PROFILE.scheme_designator
    code.CodeMeaning = PROFILE.meaning
    found.DeidentificationMethodCodeSequence = [code]
    found.LongitudinalTemporalInformationModified = "REMOVED"
    found.preamble = b"\0" * 128
    meta = found.file_meta
    for keyword in ("SourceApplicationEntityTitle", "PrivateInformation"):
        if keyword in meta:
            delattr(meta, keyword)
    meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID


def _all_items(found: Dataset) -> Iterator[Dataset]:
    """The data set and every item of every sequence in it, innermost first."""
    for element in found:
        if element.VR == "SQ":
            for item in _items(element.value):
                yield from _all_items(item)
    yield found


def _items(value: Iterable[Dataset] | None) -> list[Dataset]:
    return list(value) if value else []
