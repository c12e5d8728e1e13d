"""A data set with a value of its own in each attribute of the confidentiality profile."""

from __future__ import annotations

import gzip
import io
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
from dicom_files import image, write
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pypdf import PdfReader
from throwaway import small_head

from medview.io.confidentiality import actions

CANARY = "ZQ7PN"
REFERENCED = "1.2.777.1.5"
_TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
_BYTES = ("OB", "UN")
# The first day of the canaries' calendar; no other date in the tests is near.
_DAY = date(1907, 1, 1)
_IN_FILE_META, _COMMANDS = 0x0002, 0x0000


def kind_of(tag: int) -> str:
    """The VR of an attribute; a text where the dictionary is older than the attribute."""
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "LO"


def canary(number: int, kind: str) -> Any:
    """A value of a kind that stands for attribute `number` and for nothing else."""
    if kind in _TEXTS:
        return f"{CANARY}{number:04d}"
    if kind in _BYTES:
        return f"{CANARY}B{number:04d}".encode()
    day = (_DAY + timedelta(days=number)).strftime("%Y%m%d")
    return {
        "DA": day,
        "TM": f"235958.{number:06d}",
        "DT": f"{day}235958.{number:06d}",
        "AS": f"{number % 900 + 100:03d}D",
        "UI": f"1.2.777.9.{number}",
        "DS": f"0.777{number:04d}",
        "IS": f"777{number:04d}",
        "US": 7000 + number,
        "SQ": [_item(number)],
    }[kind]


def _item(number: int) -> Dataset:
    """An item with a text that the profile does not list, and a reference to an instance."""
    made = Dataset()
    made.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    made.ReferencedSOPInstanceUID = REFERENCED
    made.CodeMeaning = f"{CANARY}{number:04d}"
    return made


def attributes() -> list[int]:
    """The attributes that can stand in the data set of a file."""
    apart = (_IN_FILE_META, _COMMANDS)
    return sorted(tag for tag in actions() if tag >> 16 not in apart)


def filled(found: Dataset, tags: list[int]) -> Dataset:
    """Put a canary of its own into each attribute."""
    for number, tag in enumerate(tags):
        found.add_new(tag, kind_of(tag), canary(number, kind_of(tag)))
        if actions()[tag] == "X/Z/U*":
            # These stay, with codes that the profile does not list: kinds of things, no names.
            found[tag].value[0].CodeMeaning = "Localizer"
    return found


def tainted(**elements: object) -> Dataset:
    """An MR image with a canary in every attribute, in a sequence, in private and odd places."""
    pixels = np.arange(64, dtype=np.int16).reshape(8, 8)
    found = filled(image(pixels), attributes())
    found.SOPClassUID = found.file_meta.MediaStorageSOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    del found.EncapsulatedDocument, found.ContentSequence
    within = Dataset()
    within.AnatomicRegionSequence = [filled(Dataset(), attributes())]
    within.AnatomicRegionSequence[0].CodeMeaning = "Brain"
    found.ProcedureCodeSequence = [within]
    for holder in (found, within):
        block = holder.private_block(0x0011, f"{CANARY} MAKER", create=True)
        block.add_new(0x10, "LO", f"{CANARY}-private")
        block.add_new(0x11, "SQ", [filled(Dataset(), attributes()[:40])])
    found.add_new((0x0008, 0x7777), "LO", f"{CANARY}-unknown")
    found.add_new((0x0040, 0xA067), "PN", f"{CANARY}^Unlisted")
    found.add_new((0x6002, 0x0022), "LO", f"{CANARY}-overlay")
    found.add_new((0x6002, 0x3000), "OB", f"{CANARY}-bits".encode() + b"\0")
    found.add_new((0x6002, 0x4000), "LT", f"{CANARY}-comments")
    found.add_new((0x5004, 0x0022), "LO", f"{CANARY}-curve")
    found.add_new((0x5004, 0x3000), "OB", f"{CANARY}-data".encode() + b"\0")
    found.file_meta.SourceApplicationEntityTitle = f"{CANARY}-AE"
    found.file_meta.SendingApplicationEntityTitle = f"{CANARY}-AE2"
    found.file_meta.PrivateInformationCreatorUID = "1.2.777.3"
    found.file_meta.PrivateInformation = f"{CANARY}-meta ".encode()
    for name, value in elements.items():
        setattr(found, name, value)
    return found


def tainted_study(folder: Path) -> Path:
    """A head that a model can be run on, with a canary in every attribute of each image."""
    folder.mkdir(parents=True)
    volume = small_head()
    tags = [tag for tag in attributes() if kind_of(tag) != "SQ"]
    corners = volume.geometry.to_mm([(k, 0, 0) for k in range(len(volume.array))]).round(4)
    # Filled once: hundreds of attributes, and only those below differ from slice to slice.
    found = filled(image(volume.array[0]), tags)
    del found.EncapsulatedDocument
    found.PixelSpacing = list(volume.geometry.spacing_mm[1:])
    found.BodyPartExamined, found.PatientSex = "BRAIN", "F"
    for k, pixels in enumerate(volume.array):
        found.PixelData, found.InstanceNumber = pixels.tobytes(), k + 1
        found.ImagePositionPatient = corners[k].tolist()
        found.SOPInstanceUID = found.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        write(found, folder / f"{CANARY}-{k}.dcm")
    return folder


def traces(*roots: Path) -> dict[str, set[str]]:
    """Files and folders below `roots` in whose name or content a canary stands, and which.

    Looked for are the texts as UTF-8, UTF-16 and hexadecimal, the UIDs, and the dates, also in
    what is packed.
    """
    found: dict[str, set[str]] = {}
    for root in roots:
        for path in root.rglob("*"):
            name = str(path.relative_to(root))
            here = {"name"} if CANARY in name else set()
            if path.is_file():
                here |= _in_bytes(_unpacked(path))
            if here:
                found[name] = here
    return found


_FORMS = (CANARY.encode(), CANARY.encode("utf-16-le"), CANARY.encode().hex().encode())


def _unpacked(path: Path) -> bytes:
    """The bytes of a file, with what is packed in it and the words on its pages."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        return content + gzip.decompress(content)
    if content[:5] != b"%PDF-":
        return content
    plain = io.BytesIO()
    with pikepdf.open(path) as pdf:
        pdf.save(plain, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.all)
    pages = (page.extract_text() for page in PdfReader(path).pages)
    return content + plain.getvalue() + " ".join(pages).encode()


# Days of the canaries' calendar, not within a longer number, as DICOM, ISO and words.
_DAYS = re.compile(
    rb"(?<![\d.])190[78][01]\d[0-3]\d(?:\d{6})?(?!\d)|190[78]-[01]\d-[0-3]\d|[A-Z][a-z]{2} 190[78]"
)


def _in_bytes(content: bytes) -> set[str]:
    here = {"text"} if any(form in content for form in _FORMS) else set()
    if re.search(rb"1\.2\.777\.", content):
        here.add("uid")
    if _DAYS.search(content):
        here.add("date")
    return here
