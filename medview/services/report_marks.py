"""Images that the reader marked and drew on, as a section of the report."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.exam import Exam
from medview.domain.geometry import Geometry, Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.report import NOT_AVAILABLE, FigureRow, Picture, Section, Table
from medview.domain.study import Series
from medview.domain.volume import Volume, Window
from medview.domain.wording import place_words
from medview.imaging.frame import View
from medview.imaging.measuring import described, lies_on, outline, own_view
from medview.imaging.reslice import cut_of
from medview.services.key_slices import cut_axis
from medview.services.result_maps import box_of
from medview.services.slice_pictures import FILM_SIZE, PICTURE_SIZE, Line, drawn_picture

_ABREAST = 3
_MEASURED = ("Kind", "Value", "Where", "Series")
_REFERENCES = ("No.", "Image", "Place", "Series", "SOP instance UID")
# Length of an arrow's head as a part of the arrow.
_HEAD = 0.18
KINDS = {
    "length": "Length",
    "angle": "Angle",
    "cobb": "Cobb angle",
    "ellipse": "Region (ellipse)",
    "rectangle": "Region (rectangle)",
    "polygon": "Region (polygon)",
    "arrow": "Arrow",
    "text": "Note",
}


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """What the reader marked in one series at one time point.

    `volume` None means that its pixels could not be read; `window` is how it was looked at.
    `series` is where to read them from, None for the one on screen; `uid` is that of the series.
    `number` is the number of the first key image in the report. `files` is the series itself,
    `instances` what DICOM calls each of the images, empty where that is not known.
    """

    images: tuple[KeyImage, ...]
    drawings: tuple[Measurement, ...]
    exam: Exam
    uid: str = ""
    time: int = 0
    volume: Volume | None = None
    window: Window | None = None
    number: int = 1
    series: Series | None = None
    files: Series | None = None
    instances: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """All of it in one line, for telling whether something changed."""
        images = [each.words for each in self.images]
        drawings = [f"{each.kind} {each.points} {each.text}" for each in self.drawings]
        return f"{self.uid} {self.time}: {', '.join((*images, *drawings))}"


def key_images(marked: tuple[Marked, ...], *, private: bool = False) -> tuple[Section, ...]:
    """Pictures of the marked images, what was measured, and where to find them again."""
    pictures: list[tuple[int, Picture]] = []
    lost: list[int] = []
    references: list[tuple[str, ...]] = []
    for each in marked:
        for number, image in enumerate(each.images, each.number):
            uid = "" if private else _instance(each, number - each.number)
            references.append(_reference(number, image, each, uid))
            if each.volume is None:
                lost.append(number)
            else:
                pictures.append((number, _pictured(number, image, each, each.volume)))
    figures = [row for each in marked for row in _measured(each)]
    sections = []
    if references:
        gone = f"The pixels of {_numbers(lost)} could not be read again." if lost else ""
        rows = [_row(pictures[n : n + _ABREAST]) for n in range(0, len(pictures), _ABREAST)]
        sections.append(Section("Key images", gone, figures=tuple(rows)))
    if figures:
        sections.append(Section("Measurements", table=Table(tuple(figures), _MEASURED)))
    if references:
        found = Table(tuple(references), _REFERENCES)
        words = "" if private else _series_uids(marked)
        sections.append(Section("Key images, to find them again", words, table=found))
    return tuple(sections)


def measured_words(measurement: Measurement, volume: Volume) -> tuple[str, ...]:
    """What a drawing says on the plane that it was made on."""
    cut = cut_of(volume.geometry, own_view(measurement, volume.geometry))
    return described(measurement, volume, cut) if lies_on(measurement, cut) else ()


def _pictured(number: int, image: KeyImage, marked: Marked, volume: Volume) -> Picture:
    """A marked image as it was looked at, with what was drawn on it."""
    view = View(image.plane, image.point_lps, marked.window, tilt=image.tilt)
    cut = cut_of(volume.geometry, view)
    here = [each for each in marked.drawings if lies_on(each, cut)]
    lines = tuple(line_of(each, measured_words(each, volume)) for each in here)
    made, _ = drawn_picture(volume, view, box=box_of(None, volume), size=_size(volume), lines=lines)
    _, where, grey, last = made.corners
    return replace(
        made, corners=(str(number), where, grey, last), alt=f"Key image {number}. {made.alt}"
    )


def line_of(measurement: Measurement, words: tuple[str, ...]) -> Line:
    """What is drawn of a measurement: Cobb lines are two, an arrow has a head."""
    points = [_point(each) for each in outline(measurement)]
    if measurement.kind == "text":
        return Line((), words) if not points else Line(((points[0], points[0]),), words)
    if measurement.kind == "cobb":
        return Line((tuple(points[:2]), tuple(points[2:])), words)
    if measurement.kind == "arrow" and len(points) == 2:
        return Line((tuple(points), _barbs(measurement)), words)
    return Line((tuple(points),), words)


def _barbs(measurement: Measurement) -> tuple[tuple[float, float, float], ...]:
    """The head of an arrow that points at its first point."""
    tip, tail = (np.array(point) for point in measurement.points)
    along = (tail - tip) * _HEAD
    across = np.cross(along, np.cross(measurement.right, measurement.down)) * 0.5
    return tuple(_point(each) for each in (tip + along + across, tip, tip + along - across))


def _point(place: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in place)
    return x, y, z


def _size(volume: Volume) -> tuple[int, int]:
    return FILM_SIZE if volume.is_film else PICTURE_SIZE


def _row(pictures: list[tuple[int, Picture]]) -> FigureRow:
    numbers = _numbers([number for number, _ in pictures])
    words = f"{numbers[:1].upper()}{numbers[1:]}, marked by the reader."
    return FigureRow(tuple(each for _, each in pictures), words)


def _numbers(numbers: list[int]) -> str:
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f"key image {numbers[0]}"
    return f"key images {numbers[0]} to {numbers[-1]}"


def _measured(marked: Marked) -> list[tuple[str, ...]]:
    """A row for each drawing; one whose pixels are gone says so."""
    rows: list[tuple[str, ...]] = []
    for each in marked.drawings:
        words = measured_words(each, marked.volume) if marked.volume is not None else ()
        value = " · ".join(words) or NOT_AVAILABLE
        middle = _point(np.mean(np.array(each.points), axis=0))
        rows.append((KINDS[each.kind], value, place_words(middle), _series(marked)))
    return rows


def _series(marked: Marked) -> str:
    exam = marked.exam
    name = exam.series_description or exam.modality or NOT_AVAILABLE
    number = f" (no. {exam.series_number})" if exam.series_number is not None else ""
    return f"{name}{number}" + (f", time {marked.time + 1}" if marked.time else "")


def acquired_image(image: KeyImage, geometry: Geometry | None) -> int | None:
    """Which image of the series a key image is; None of one that cuts through several."""
    if image.plane is Plane.ACQUIRED:
        return image.slice
    if geometry is None or image.tilt or cut_axis(geometry, image.plane) != 0:
        return None
    return image.slice


def _instance(marked: Marked, place: int) -> str:
    return marked.instances[place] if place < len(marked.instances) else ""


def _series_uids(marked: tuple[Marked, ...]) -> str:
    """The UID of each series that has a key image, once."""
    known = {_series(each): each.uid for each in marked if each.images and each.uid}
    return "; ".join(f"Series UID of {name}: {uid}" for name, uid in known.items())


def _reference(
    number: int, image: KeyImage, marked: Marked, uid: str
) -> tuple[str, str, str, str, str]:
    return (
        *(str(number), image.words, place_words(image.point_lps)),
        *(_series(marked), uid or NOT_AVAILABLE),
    )
