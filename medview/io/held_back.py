"""What is not copied without identity, because its header alone does not tell who it is."""

from __future__ import annotations

import io
import os
import warnings
import zlib
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import MediaStorageDirectoryStorage

from medview.domain.discretion import PICTURES_WITH_TEXT
from medview.io.dicom_outline import DEFLATED, read_outline
from medview.io.dicom_pixels import MAX_INFLATED
from medview.io.sources import open_binary

UNREADABLE = ("MV-DEI-001", "not a DICOM file that can be read")
LOCKED = (UNREADABLE[0], "a folder or file that may not be read")
# Secondary captures: what some program drew, such as a sheet of doses, whatever modality it names.
_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
_HEADS = ("HEAD", "BRAIN", "SKULL", "FACE", "NECK", "CRANI", "CEREBR", "SCHAEDEL", "SCHÄDEL")
_WORDS = ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName")


def is_locked(path: Path) -> bool:
    """True for what may not be read; of folders the readers give only those."""
    return os.path.isdir(path) or (os.path.exists(path) and not os.access(path, os.R_OK))


def read_whole(path: Path) -> Dataset | None:
    """A whole file; None where it is no DICOM, is damaged, or unpacks to more than it may."""
    try:
        outline = read_outline(path)
        if outline is None:
            return None
        with open_binary(path) as file:
            raw = file.read()
        if outline.syntax == DEFLATED and _inflates_too_far(raw[outline.begin :]):
            return None
        # The outline knows old files without a preamble, too.
        with warnings.catch_warnings(action="ignore"):
            found = pydicom.dcmread(io.BytesIO(raw), force=True)
        if "TransferSyntaxUID" not in found.file_meta:
            found.file_meta.TransferSyntaxUID = outline.syntax
        return found
    except Exception:  # whatever a damaged file makes a reader raise
        return None


def _inflates_too_far(packed: bytes) -> bool:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    engine.decompress(packed, MAX_INFLATED)
    return bool(engine.unconsumed_tail)


def reason_against(found: Dataset | None, *, with_burned_in: bool) -> tuple[str, str] | tuple[()]:
    """Why a file is held back: code and words; empty when it can be cleaned."""
    if found is None:
        return UNREADABLE
    if found.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        return "MV-DEI-006", "a directory of a disc names the patients; the images do without it"
    if "SOPClassUID" not in found:
        return UNREADABLE
    if "EncapsulatedDocument" in found:
        return "MV-DEI-002", "an embedded document may name the patient on its pages"
    if found.get("Modality") in ("SR", "KO") or "ContentSequence" in found:
        return "MV-DEI-003", "the text of a report may name the patient"
    burned = str(found.get("BurnedInAnnotation", "")).upper()
    doubtful = burned != "NO" and _is_often_written_on(found)
    if (burned == "YES" or doubtful or _is_drawn_on(found)) and not with_burned_in:
        return "MV-DEI-004", "names may be burned into the picture"
    return ()


def _is_often_written_on(found: Dataset) -> bool:
    """True for kinds of pictures that often carry names, and for those saved from a screen."""
    captured = f"{found.SOPClassUID}.".startswith(f"{_CAPTURES}.")
    saved = "SCREEN SAVE" in (found.get("ImageType") or "")
    return captured or saved or found.get("Modality") in PICTURES_WITH_TEXT


def _is_drawn_on(found: Dataset) -> bool:
    """True where an overlay lies in bits of the pixels themselves, which stay as they are."""
    groups = range(0x6000, 0x6020, 2)
    positions = [found.get((group, 0x0102)) for group in groups if (group, 0x3000) not in found]
    return any(each is not None and (each.value or 0) > 0 for each in positions)


def shows_a_face(found: Dataset) -> bool:
    """True for images of a head in slices: its surface can be drawn from them."""
    if found.get("Modality") not in ("MR", "CT", "PT"):
        return False
    words = " ".join(str(found.get(name, "")) for name in _WORDS).upper()
    return any(word in words for word in _HEADS)
