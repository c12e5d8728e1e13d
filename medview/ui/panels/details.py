"""Details: what is known of the series, and every layer's value under the mouse."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from medview.domain.discretion import without_file_names
from medview.domain.formats import IMAGE_FORMATS
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.ui.app import App
from medview.ui.containers import Card, Column
from medview.ui.controls import clear, label
from medview.ui.identity import patient_facts, patient_name, series_name, study_name
from medview.ui.panels.drawings import DrawingsCard
from medview.ui.panels.key_images import KeyImagesCard
from medview.ui.probe import Probe, value_text
from medview.ui.words import date, foldable, number, tr

_LONG_NAME, _NAME_PX = 20, 124
# Names that run from right to left as well: they stand in one column with the others.
_AT_LEFT = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute


class DetailsPanel(Column):
    """Facts of the series, warnings, and the values under the mouse or at the crosshair."""

    def __init__(self, app: App) -> None:
        super().__init__("panel_details", tr("Details"))
        self._app = app
        nothing = tr("No image. Drop a folder here, or press Ctrl+O")
        self._facts = _Table("details_facts", tr("Series"), nothing)
        self._values = _Table("details_values", tr("Values"))
        self._notes = Card("details_notes", tr("Warnings"))
        self._lines = QVBoxLayout()
        self._notes.add(label(tr("Warnings"), "strong"))
        self._notes.add(self._lines)
        for card in (DrawingsCard(app), KeyImagesCard(app), self._values, self._facts, self._notes):
            self.add(card)
        events = app.session.events
        for field in ("series", "volume", "catalogue", "private"):
            getattr(events, field).connect(self.refresh)
        self.refresh()
        self.show_probe(None)

    def refresh(self) -> None:
        """Read facts and warnings again."""
        session = self._app.session
        series, volume = session.series, session.volume
        if series is None or volume is None:
            self._facts.set_rows([])
        else:
            self._facts.set_rows(self._identity(series) + _facts(series, volume))
        hidden = series.files if series is not None and session.private else ()
        notes = [*(series.warnings if series else ()), *(volume.warnings if volume else ())]
        clear(self._lines)
        for text in dict.fromkeys(without_file_names(note.text, hidden) for note in notes):
            self._lines.addWidget(label(text, wraps=True))
        self._notes.setVisible(bool(notes))

    def show_probe(self, read: Probe | None) -> None:
        """List place and values; none, when there is nothing to read."""
        self._values.setVisible(read is not None)
        if read is not None:
            rows = [(tr("Place"), read.where)]
            rows += [(value.title, value_text(value, titled=False)) for value in read.values]
            self._values.set_rows(rows)

    def _identity(self, series: Series) -> list[tuple[str, str]]:
        private = self._app.session.private
        owner = self._app.session.catalogue.owner(series)
        if owner is None:
            return [(tr("Series"), series_name(series, private=private))]
        patient, study = owner
        return [
            (tr("Patient"), patient_name(patient, private=private)),
            ("", patient_facts(patient, study.date, private=private)),
            (tr("Study"), study_name(study, patient, private=private) if study.description else ""),
            (tr("Date"), "" if private else date(study.date)),
            (tr("Series"), series_name(series, patient, private=private)),
        ]


def _facts(series: Series, volume: Volume) -> list[tuple[str, str]]:
    k, j, i = volume.geometry.shape
    step = volume.geometry.spacing_mm[1 if k == 1 else 0 :]  # one image has no next one
    spacing = " × ".join(number(mm) for mm in step[::-1]) + " mm"
    unit = {"detector": tr(" at the detector"), "patient": ""}
    kind = volume.geometry.spacing_kind
    field_t = tr("{n} T", n=number(series.field_strength_t)) if series.field_strength_t else ""
    missing = len(volume.missing_slices)
    return [
        (tr("Modality"), volume.modality or series.modality),
        (tr("Size"), f"{i} × {j} × {k}"),
        (tr("Volumes"), _volumes(series)),
        (tr("Voxel"), tr("unknown") if kind is None else spacing + unit[kind]),
        (tr("Values"), volume.quantity),
        (tr("Scanner"), " · ".join(part for part in (series.scanner, field_t) if part)),
        (tr("Missing slices"), str(missing) if missing else ""),
        (tr("Compression"), _loss(volume)),
        (tr("File format"), IMAGE_FORMATS[series.format].title),
    ]


def _loss(volume: Volume) -> str:
    """Whether all images on screen were compressed with loss, or some of them."""
    in_part = any(note.code == "PARTLY_LOSSY" for note in volume.warnings)
    return (tr("partly lossy") if in_part else tr("lossy")) if volume.lossy else ""


def _volumes(series: Series) -> str:
    """How many volumes the series has, by what told apart (R15) and how far apart (R38)."""
    if series.times == 1:
        return ""
    by = tr(" by {key}", key=series.split_by) if series.split_by else ""
    step = tr(", every {step} s", step=number(series.time_step_s)) if series.time_step_s else ""
    return f"{series.times}{by}{step}"


class _Table(Card):
    """A card of names and values; rows without a value are left out.

    Where there is none it says what to do (`empty`).
    """

    def __init__(self, key: str, title: str, empty: str = "") -> None:
        super().__init__(key, title)
        self._empty = label(empty, "quiet", wraps=True)
        self._holder = QWidget()
        self._grid = QGridLayout(self._holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[str, str]] = []
        self._values: list[QLabel] = []
        self.add(label(title, "strong"), self._holder, self._empty)

    def set_rows(self, rows: list[tuple[str, str]]) -> None:
        """Show name and value pairs; widgets are kept where the names stay the same."""
        rows = [row for row in rows if row[1]]
        self._holder.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        if [row[0] for row in rows] != [row[0] for row in self._rows]:
            clear(self._grid)
            self._values = [label("", "value", wraps=True) for _ in rows]
            for value_ in self._values:
                value_.setAlignment(_AT_LEFT)
            for place_, (title, _) in enumerate(rows):
                # A map or a series may be called at length; short names stay in one line.
                what = label(foldable(title), "quiet", wraps=len(title) > _LONG_NAME)
                what.setMaximumWidth(_NAME_PX)
                self._grid.addWidget(what, place_, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(self._values[place_], place_, 1)
        self._rows = rows
        for place_, (_, value) in enumerate(rows):
            self._values[place_].setText(foldable(value))
