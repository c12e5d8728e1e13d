"""What every object made here has in common: the images it is about, and who made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from highdicom.base_content import ContributingEquipment
from highdicom.enum import SpecificCharacterSetValues
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid
from pydicom.valuerep import DA, TM

from medview import RESEARCH_USE, __version__
from medview.domain.card import ModelCard
from medview.domain.errors import InputRefused, ReadError
from medview.domain.prediction import Prediction
from medview.domain.study import Series
from medview.io.sources import open_binary

MAKER = "medview"
CAUTION = "RESEARCH USE ONLY"
_SEXES = ("M", "F", "O", "")
# What an object has in common with an image of its study, or calls it by.
_NAMED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
_EXTENSION = "ISO 2022 IR "
_LATIN = "ISO_IR 100"
_SETS = tuple(each.value for each in SpecificCharacterSetValues)
SCHEME = "99MEDVIEW"
"""Coding scheme of the names of our own scores and maps (PS3.16 section 8.2: 99 is private)."""
# Attributes of patient and study that must be there, be they empty (PS3.3 C.7.1.1, C.7.2.1).
_MAY_BE_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The images that a result is about, in the order of the slices of its volume.

    `places` says which slice k of the volume each image (or frame of the only file) is.
    """

    images: tuple[Dataset, ...]
    places: tuple[int, ...]

    @property
    def is_placed(self) -> bool:
        """Whether the images name a frame of reference; films mostly name none."""
        return all("FrameOfReferenceUID" in image for image in self.images)

    def image_of(self, k: int) -> tuple[Dataset, int | None] | None:
        """The image of slice k, and its frame (from 1) where one file holds them all.

        None where there is none: tiles of a mosaic are no images.
        """
        if k not in self.places:
            return None
        place = self.places.index(k)
        if len(self.images) == 1 and len(self.places) > 1:
            is_frames = int(self.images[0].get("NumberOfFrames") or 1) > 1
            return (self.images[0], place + 1) if is_frames else None
        return self.images[place], None

    def name_body_part(self, made: Dataset) -> None:
        """Say of what the images are; where they do not, the side of a pair is unknown.

        One of the two has to be there (PS3.3 C.7.3.1, Laterality is 2C).
        """
        first = self.images[0]
        part, side = first.get("BodyPartExamined"), first.get("Laterality", "")
        if part:
            made.BodyPartExamined = part
        if side or not part:
            made.Laterality = side

    def frames(self, array: NDArray[Any]) -> NDArray[Any]:
        """The slices (k, j, i) of a volume that have an image, in the order of the images."""
        return np.ascontiguousarray(array[list(self.places)])


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Images, result and model of all objects of one export."""

    source: Source
    prediction: Prediction
    card: ModelCard
    first_series_number: int = 9000
    _uids: dict[str, str] = field(default_factory=dict)

    def description(self, what: str) -> str:
        """A series description (LO, 64 characters) that begins with the caution."""
        return f"{CAUTION} {self.card.id} {what}"[:64]

    def series_uid(self, kind: str) -> str:
        """One series for each kind of object, the same within an export."""
        return self._uids.setdefault(kind, str(generate_uid(prefix=None)))

    def equipment(self) -> list[ContributingEquipment]:
        """The model as contributing equipment (PS3.3 C.12.1, Contributing Equipment Sequence)."""
        card, result = self.card, self.prediction
        made = ContributingEquipment(
            MAKER,
            codes.DCM.ProcessingEquipment,
            manufacturer_model_name=f"{card.title} ({card.id})"[:64],
            software_versions=(f"{card.version}"[:64], f"medview {result.code}"[:64]),
            device_serial_number=result.weights_sha256[:64],
            contribution_description=f"{RESEARCH_USE} Computed by a model.",
        )
        made.DeviceUID = str(card.settings.get("device_uid") or uid_of(result.weights_sha256))
        return [made]

    def common(self, kind: str, number: int) -> dict[str, Any]:
        """Arguments that every constructor of highdicom takes."""
        return {
            "series_instance_uid": self.series_uid(kind),
            "series_number": self.first_series_number + number,
            "sop_instance_uid": str(generate_uid(prefix=None)),
            "instance_number": 1,
            "manufacturer": MAKER,
            "contributing_equipment": self.equipment(),
        }

    def device(self) -> dict[str, Any]:
        """Arguments of the constructors of images."""
        return {
            "manufacturer_model_name": self.card.title[:64],
            "software_versions": f"medview {__version__}",
            "device_serial_number": self.prediction.weights_sha256[:64],
        }


def uid_of(sha256: str) -> str:
    """A UID from a hash (PS3.5 B.2)."""
    return f"2.25.{int(sha256[:32] or '0', 16)}"


def read_source(series: Series, time: int = 0) -> Source:
    """Read the headers of a series, without pixels.

    Raises
    ------
    InputRefused
        If the images are no DICOM files, are gone, or do not say what they belong to.
    """
    if series.format != "dicom":
        raise InputRefused(
            "the images are no DICOM files, so no DICOM objects can refer to them",
            file=series.description or series.key,
            do="Export from the original DICOM series.",
            code="MV-DCM-010",
        )
    count = series.size[2]
    slots = series.slots[time * count : (time + 1) * count] or tuple(
        (0, frame) for frame in range(count)
    )
    known = [(k, *slot) for k, slot in enumerate(slots) if slot is not None]
    files = dict.fromkeys(file for _, file, _ in known)
    step_mm = series.geometry.spacing_mm[0] if series.geometry else None
    read = {file: _header(series.files[file], step_mm) for file in files}
    if len(read) == 1 and len(known) > 1:
        known.sort(key=lambda item: item[2])
        return Source(tuple(read.values()), tuple(k for k, _, _ in known))
    return Source(tuple(read[file] for _, file, _ in known), tuple(k for k, _, _ in known))


def _header(path: Path, step_mm: float | None) -> Dataset:
    """A header with all that the objects made here must copy from it.

    A missing slice thickness is taken for the distance of the slices: objects that are placed
    need one (Pixel Measures, PS3.3 C.7.6.16.2.1).
    """
    try:
        with open_binary(path) as file:
            found = pydicom.dcmread(file, stop_before_pixels=True)
    except (OSError, ReadError, InvalidDicomError, AttributeError) as error:
        raise InputRefused(
            "the image that the result is about cannot be read again",
            file=path.name,
            do="Put the study back where it was.",
            code="MV-DCM-011",
        ) from error
    for name in _MAY_BE_EMPTY:
        if name not in found or not _is_a_time(found[name]):
            setattr(found, name, "")
    if found.PatientSex not in _SEXES:
        found.PatientSex = ""
    if not all(found.get(name) for name in _NAMED):
        raise InputRefused(
            "the image does not say which study it belongs to, so nothing can refer to it",
            file=path.name,
            do="Export the report as PDF instead.",
            code="MV-DCM-012",
        )
    _name_one_character_set(found)
    if not found.get("SliceThickness") and "PerFrameFunctionalGroupsSequence" not in found:
        found.SliceThickness = step_mm or 1.0
    return found


def _is_a_time(element: DataElement) -> bool:
    """False for a date or time that is none; objects made of it would be refused."""
    kind = {"DA": DA, "TM": TM}.get(element.VR)
    try:
        return kind is None or not element.value or kind(element.value) is not None
    except ValueError:
        return False


def _name_one_character_set(found: Dataset) -> None:
    """A set alone goes without code extensions (PS3.3 C.12.1.1.2); an empty name is none.

    Several at once, and those that highdicom does not know, become UTF-8, which has them all.
    """
    named = found.get("SpecificCharacterSet")
    if named is not None and not named:
        del found.SpecificCharacterSet
    elif isinstance(named, str) and named.startswith(_EXTENSION):
        plain = "ISO_IR " + named.removeprefix(_EXTENSION)
        if plain == "ISO_IR 6":  # the default repertoire has no name
            del found.SpecificCharacterSet
        else:
            found.SpecificCharacterSet = plain
    if found.get("SpecificCharacterSet", _LATIN) not in _SETS:
        found.decode()
        found.SpecificCharacterSet = "ISO_IR 192"
