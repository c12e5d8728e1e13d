"""The rows of the study list: what stands in each of a patient, a study and a series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap, QStandardItem

from medview.domain.discretion import without_file_names
from medview.domain.doubts import doubts
from medview.domain.study import Patient, Series, Study, follow_in_time
from medview.domain.volume import Note, Volume
from medview.services.browsing import newest_first
from medview.services.thumbnails import Thumbnail
from medview.ui.app import App
from medview.ui.identity import patient_facts, patient_name, series_name, study_name
from medview.ui.panels.study_rows import (
    FIND,
    KIND,
    ORDER,
    RIGHT,
    SECOND,
    SERIES,
    TAG,
    THUMB,
    WARNS,
)
from medview.ui.panels.study_search import Place
from medview.ui.words import date, number, plain_tip, tr

_THUMB_PX = 88


@dataclass(slots=True, eq=False)
class StudyItems:
    """Makes rows and puts each at its place below the row above it; holds those of series."""

    app: App
    series: dict[str, QStandardItem] = field(default_factory=dict)
    _above: dict[tuple[int, ...], QStandardItem] = field(default_factory=dict)
    _drawn: dict[str, QPixmap] = field(default_factory=dict)

    def forget(self) -> None:
        """The list is empty again; pictures are kept."""
        self.series, self._above = {}, {}

    def add(self, root: QStandardItem, place: Place) -> Iterator[QStandardItem]:
        """Put a series into the list, and first its patient and study; the rows that are new.

        One that stands there already, because it was shown before its turn, stays where it is.
        """
        patient, study, series = place.patient, place.study, place.series
        if series.key in self.series:
            return
        who, when = place.order[:1], place.order[:2]
        if who not in self._above:
            self._above[who] = self._of_patient(patient)
            yield _put(root, self._above[who], place.order[0])
        if when not in self._above:
            self._above[when] = self._of_study(study, patient)
            yield _put(self._above[who], self._above[when], place.order[1])
        made = self._of_series(series, patient, is_prior=place.is_prior)
        self.series[series.key] = made
        yield _put(self._above[when], made, place.order[2])

    @property
    def _private(self) -> bool:
        return self.app.session.private

    def _of_patient(self, patient: Patient) -> QStandardItem:
        """Name, facts and number of studies."""
        studies = newest_first(patient)
        newest = studies[0].date if studies else ""
        count = len(studies)
        counted = tr("{n} studies", n=count) if count != 1 else tr("1 study")
        facts = (patient_facts(patient, newest, private=self._private), counted)
        who = patient_name(patient, private=self._private)
        second = " · ".join(part for part in facts if part)
        item = _item("patient", who, second, find=f"{who} {'' if self._private else patient.id}")
        item.setToolTip(plain_tip(who))
        return item

    def _of_study(self, study: Study, patient: Patient) -> QStandardItem:
        when = "" if self._private else date(study.date)
        title = study_name(study, patient, private=self._private)
        item = _item("study", title, "", find=f"{title} {when}")
        item.setData(when, RIGHT)
        return item

    def _of_series(self, series: Series, patient: Patient, *, is_prior: bool) -> QStandardItem:
        title = series_name(series, patient, private=self._private)
        words = self._doubts(series)
        second = " · ".join((*words[:1], size_text(series)))
        item = _item("series", title, second, find=f"{title} {series.modality}")
        item.setData(series.key, SERIES)
        item.setData(bool(words), WARNS)
        item.setData(tr("PRIOR") if is_prior else "", TAG)
        item.setData(self._picture(series.key), THUMB)
        hidden = series.files if self._private else ()
        told = (without_file_names(note.text, hidden) for note in self._notes(series))
        notes = "\n".join(dict.fromkeys(told))
        tip = "\n".join(part for part in (title, size_text(series), notes) if part)
        item.setToolTip(plain_tip(tip))
        item.setEnabled(series.geometry is not None)
        return item

    def _doubts(self, series: Series) -> tuple[str, ...]:
        """Warnings in short, what matters most first; of unread pixels once they are known."""
        shown = self._shown(series)
        missing = series.missing_slices if shown is None else shown.missing_slices
        return tuple(tr(words) for words in doubts(self._notes(series), len(missing)))

    def _notes(self, series: Series) -> list[Note]:
        shown = self._shown(series)
        return [*series.warnings, *(shown.warnings if shown is not None else ())]

    def _shown(self, series: Series) -> Volume | None:
        """The volume of a series, if it is on screen and whole."""
        session = self.app.session
        volume = session.volume
        is_it = session.series is not None and session.series.key == series.key
        return volume if is_it and volume is not None and not volume.slices_to_come else None

    def draw(self, key: str) -> None:
        """Put the picture of a series, which has come, into its row."""
        if key in self.series:
            self.series[key].setData(self._picture(key), THUMB)

    def _picture(self, key: str) -> QPixmap | None:
        made = self.app.thumbnails.pictures.get(key)
        if made is not None and key not in self._drawn:
            self._drawn[key] = square(made)
        return self._drawn.get(key)


def _put(above: QStandardItem, item: QStandardItem, order: int) -> QStandardItem:
    """Insert a row before the first one that comes later; rows mostly come in their order."""
    item.setData(order, ORDER)
    low, high = 0, above.rowCount()
    while low < high:
        middle = high - 1 if high == above.rowCount() else (low + high) // 2
        if above.child(middle).data(ORDER) < order:
            low = middle + 1
        else:
            high = middle
    # In a list: a row that is handed over alone would stay Python's and be freed twice.
    above.insertRow(low, [item])
    return item


def _item(kind: str, title: str, second: str, *, find: str) -> QStandardItem:
    item = QStandardItem(title)
    item.setData(kind, KIND)
    item.setData(second, SECOND)
    item.setData(find, FIND)
    item.setSelectable(kind == "series")
    item.setDragEnabled(kind == "series")
    item.setDropEnabled(False)
    item.setData(f"{title}, {second}" if second else title, Qt.ItemDataRole.AccessibleTextRole)
    return item


def size_text(series: Series) -> str:
    """Number of images, distance and plane, such as "155 · 1.0 mm · axial"."""
    count = series.size[2]
    parts = [str(count) if count != 1 else tr("1 image")]
    grid = series.geometry
    if grid is None:
        return tr("no image")
    if count > 1 and grid.spacing_kind == "patient":
        parts.append(f"{grid.spacing_mm[0]:.1f} mm")
    if count > 1 and grid.orientation_known:
        parts.append((tr("sagittal"), tr("coronal"), tr("axial"))[grid.axis_of.index(0)])
    if series.times > 1:
        parts.append(times_text(series))
    return " · ".join(parts)


def times_text(series: Series) -> str:
    """How many volumes follow each other, and how fast where that is known (R38)."""
    if not follow_in_time(series.split_by):
        return tr("{n} volumes", n=series.times)
    counted = tr("{n} times", n=series.times)
    if series.time_step_s is None:
        return counted
    return tr("{counted}, every {step} s", counted=counted, step=number(series.time_step_s))


def square(made: Thumbnail) -> QPixmap:
    """A thumbnail in true proportions, its middle cut to a square."""
    pixels = made.pixels.copy()
    rows, columns = pixels.shape[:2]
    kind = QImage.Format.Format_RGB888 if pixels.ndim == 3 else QImage.Format.Format_Grayscale8
    image = QImage(pixels.data, columns, rows, pixels.strides[0], kind).copy()
    wide, high = columns * made.pixel_mm[0], rows * made.pixel_mm[1]
    scale = _THUMB_PX / max(min(wide, high), 1e-6)
    size = QSize(max(1, round(wide * scale)), max(1, round(high * scale)))
    scaled = image.scaled(
        size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    left, top = (scaled.width() - _THUMB_PX) // 2, (scaled.height() - _THUMB_PX) // 2
    return QPixmap.fromImage(scaled.copy(left, top, _THUMB_PX, _THUMB_PX))
