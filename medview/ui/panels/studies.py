"""Studies: patients, their studies and series with thumbnails; find, choose, see what failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QMenu,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from medview.domain.discretion import without_file_names
from medview.domain.doubts import doubts
from medview.domain.study import Catalogue, Patient, Series, Study, follow_in_time
from medview.domain.volume import Note, Volume
from medview.services.browsing import newest_first
from medview.services.thumbnails import Thumbnail
from medview.ui.app import App
from medview.ui.controls import button, label, name
from medview.ui.find_box import FindBox
from medview.ui.identity import patient_facts, patient_name, series_name, study_name
from medview.ui.panels.series_menu import series_menu
from medview.ui.panels.study_rows import (
    FIND,
    KIND,
    RIGHT,
    SECOND,
    SERIES,
    TAG,
    THUMB,
    WARNS,
    StudyDelegate,
)
from medview.ui.panels.study_search import fitting, keep, rows_below
from medview.ui.slice_pane import SERIES_DRAG
from medview.ui.words import date, number, plain_tip, tr

_THUMB_PX = 88
_MOST_LEFT_OUT = 400
# So many series are listed in one go: some 25 ms. Those of larger catalogues follow as one scrolls.
_AT_ONCE = 100
# Patients are looked through for words so many series at a time.
_LOOKED_AT_ONCE = 1000


class StudiesPanel(QWidget):
    """The tree on the left."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "panel_studies", tr("Studies"))
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._app = app
        self._drawn: dict[str, QPixmap] = {}
        self._rows: dict[str, QStandardItem] = {}
        self._to_come: Iterator[Patient | None] = iter(())
        self._listed: set[str] = set()
        self._is_large = False
        what = tr("Find patient, study, series")
        tip = tr("Show only what has these words (Ctrl+F)")
        self.find_box = FindBox("studies_find", what, what, tip, self._filter)
        self.tree = self._tree()
        self.left_out = button("", "studies_left_out", look="link")
        self.left_out.clicked.connect(self._on_left_out)
        self.left_out_list = QListWidget()
        name(self.left_out_list, "studies_left_out_list", tr("Files that were left out"))
        self.left_out_list.setWordWrap(True)
        self.left_out_list.setMaximumHeight(180)
        self.left_out_list.hide()
        self.empty = label(tr("Drop a folder here, or press Ctrl+O"), "quiet", wraps=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(12, 10, 10, 8)
        rows.setSpacing(8)
        self.more = label(
            tr("More are listed as you scroll; or type to find."), "quiet", wraps=True
        )
        name(self.more, "studies_more", self.more.text())
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._go_on)
        self.tree.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        below = (self.more, self.left_out, self.left_out_list)
        for part in (self.find_box, self.empty, self.tree, *below):
            rows.addWidget(part)
        rows.setStretch(1, 1)
        rows.setStretch(2, 10)
        events = app.session.events
        events.catalogue.connect(self.refresh)
        events.private.connect(self.refresh)
        app.thumbnails.arrived.connect(self._on_thumbnail)
        events.series.connect(self._select)
        app.library.stayed.connect(self._select)
        events.volume.connect(self._on_volume)
        self.refresh()

    def _tree(self) -> QTreeView:
        tree = QTreeView()
        name(tree, "studies_tree", tr("Patients, studies and series"))
        tree.setModel(SeriesModel(tree))
        tree.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        tree.setItemDelegate(StudyDelegate(tree))
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setIndentation(0)
        tree.setExpandsOnDoubleClick(False)
        tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.clicked.connect(self._on_chosen)
        tree.activated.connect(self._on_chosen)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(self._on_menu)
        return tree

    def refresh(self) -> None:
        """List the catalogue again."""
        catalogue = self._app.session.catalogue
        self._is_large = sum(1 for _ in catalogue.all_series()) > _AT_ONCE
        self._begin()
        self.empty.setVisible(not catalogue.patients)
        self.tree.setVisible(bool(catalogue.patients))
        self.find_box.setEnabled(bool(catalogue.patients))
        self._list_left_out(catalogue)
        self._select()

    def _begin(self) -> None:
        """List from the first patient on that has the words of the find box."""
        self._model.clear()
        self._rows, self._listed = {}, set()
        words = self.find_box.text().lower().split() if self._is_large else []
        patients, private = self._app.session.catalogue.patients, self._app.session.private
        self._to_come = fitting(patients, words, private=private)
        self._go_on()
        if not self._is_large:
            self._filter(self.find_box.text())

    def _go_on(self) -> None:
        """List some more; of a small catalogue all, of a large one until the list is full."""
        listed = 0
        for patient in self._to_come:
            if patient is not None:
                listed += self._list(patient)
            if self._is_large and (patient is None or listed >= _AT_ONCE):
                self.more.show()
                if not self._is_full:
                    self._soon.start()
                return
        self.more.hide()

    @property
    def _is_full(self) -> bool:
        """There is at least one page below what is seen."""
        bar = self.tree.verticalScrollBar()
        return len(self._rows) > _AT_ONCE // 2 and bar.maximum() - bar.value() >= bar.pageStep()

    def _on_scrolled(self) -> None:
        if self._is_large and not self._is_full:
            self._soon.start()

    def _list(self, patient: Patient) -> int:
        """Add the rows of a patient; how many series they have."""
        if patient.key in self._listed:
            return 0
        self._listed.add(patient.key)
        item = self._patient(patient)
        self._model.appendRow(item)
        below = rows_below(item)
        for each in (item, *below):
            if each.hasChildren():
                self.tree.expand(each.index())
        series = {each.data(SERIES): each for each in below if each.data(SERIES)}
        self._rows |= series
        words = self.find_box.text().lower().split()
        if self._is_large and words:
            keep(self.tree, item, words, "")
        return len(series)

    @property
    def _model(self) -> QStandardItemModel:
        model = self.tree.model()
        assert isinstance(model, QStandardItemModel)
        return model

    def _patient(self, patient: Patient) -> QStandardItem:
        private = self._app.session.private
        studies = newest_first(patient)
        newest = studies[0].date if studies else ""
        count = len(studies)
        counted = tr("{n} studies", n=count) if count != 1 else tr("1 study")
        facts = (patient_facts(patient, newest, private=private), counted)
        who = patient_name(patient, private=private)
        second = " · ".join(part for part in facts if part)
        item = _item("patient", who, second, find=f"{who} {'' if private else patient.id}")
        item.setToolTip(plain_tip(who))
        for study in studies:
            is_prior = bool(study.date) and study.date < newest
            item.appendRow(self._study(study, patient, is_prior=is_prior))
        return item

    def _study(self, study: Study, patient: Patient, *, is_prior: bool) -> QStandardItem:
        private = self._app.session.private
        when = "" if private else date(study.date)
        title = study_name(study, patient, private=private)
        item = _item("study", title, "", find=f"{title} {when}")
        item.setData(when, RIGHT)
        for series in study.series:
            item.appendRow(self._series(series, patient, is_prior=is_prior))
        return item

    def _series(self, series: Series, patient: Patient, *, is_prior: bool) -> QStandardItem:
        title = series_name(series, patient, private=self._app.session.private)
        words = self._doubts(series)
        second = " · ".join((*words[:1], size_text(series)))
        item = _item("series", title, second, find=f"{title} {series.modality}")
        item.setData(series.key, SERIES)
        item.setData(bool(words), WARNS)
        item.setData(tr("PRIOR") if is_prior else "", TAG)
        item.setData(self._picture(series.key), THUMB)
        hidden = series.files if self._app.session.private else ()
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
        session = self._app.session
        volume = session.volume
        is_it = session.series is not None and session.series.key == series.key
        return volume if is_it and volume is not None and not volume.slices_to_come else None

    def _list_left_out(self, catalogue: Catalogue) -> None:
        count = len(catalogue.skipped)
        self.left_out.setVisible(count > 0)
        self.left_out_list.hide()
        text = tr("{n} files left out", n=count) if count != 1 else tr("1 file left out")
        self.left_out.setText(text)
        name(self.left_out, "studies_left_out", text)
        self.left_out.setToolTip(tr("Show which files were left out, and why"))
        self.left_out_list.clear()
        private = self._app.session.private
        for each in catalogue.skipped[:_MOST_LEFT_OUT]:
            self.left_out_list.addItem(each.what if private else f"{each.file}: {each.what}")
        if count > _MOST_LEFT_OUT:
            self.left_out_list.addItem(tr("and {n} more", n=count - _MOST_LEFT_OUT))

    def _on_left_out(self) -> None:
        self.left_out_list.setVisible(self.left_out_list.isHidden())

    def _on_volume(self, volume: Volume | None) -> None:
        """Say in the list what only the pixels could tell: slices that cannot be read."""
        series = self._app.session.series
        if series is None or volume is None or volume.slices_to_come:
            return
        if set(volume.warnings) - set(series.warnings):
            self.refresh()

    def _on_chosen(self, index: QModelIndex) -> None:
        key = index.data(SERIES)
        series = self._app.session.catalogue.find(key) if key else None
        if series is not None:
            self._app.library.show(series)

    def menu_of(self, index: QModelIndex) -> QMenu | None:
        """What the reader may decide about the series of a row."""
        key = index.data(SERIES)
        series = self._app.session.catalogue.find(key) if key else None
        return None if series is None else series_menu(self._app, series, self)

    def _on_menu(self, place: QPoint) -> None:
        menu = self.menu_of(self.tree.indexAt(place))
        if menu is not None:
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.tree.viewport().mapToGlobal(place))

    def _on_thumbnail(self, key: str) -> None:
        """Put the picture of a series into its row."""
        if key in self._rows:
            self._rows[key].setData(self._picture(key), THUMB)

    def _picture(self, key: str) -> QPixmap | None:
        made = self._app.thumbnails.pictures.get(key)
        if made is not None and key not in self._drawn:
            self._drawn[key] = square(made)
        return self._drawn.get(key)

    def _select(self) -> None:
        shown = self._app.session.series
        owner = self._app.session.catalogue.owner(shown) if shown is not None else None
        if shown is None or owner is None:
            return
        if shown.key not in self._rows and self._is_large and not self.find_box.text():
            self._list(owner[0])
        item = self._rows.get(shown.key)
        if item is not None:
            self.tree.setCurrentIndex(item.index())
            self.tree.scrollTo(item.index())

    def _filter(self, text: str) -> None:
        """Hide rows that do not have all the words, unless something below them has."""
        if self._is_large:
            self._begin()
            self._select()
            return
        words = text.lower().split()
        root = self._model.invisibleRootItem()
        for row in range(root.rowCount()):
            keep(self.tree, root.child(row), words, "")


class SeriesModel(QStandardItemModel):
    """Rows of the list; a series that is dragged says its key, which is no one's name."""

    def mimeTypes(self) -> list[str]:  # noqa: N802  # Qt's hook
        """What can be dragged out of the list."""
        return [SERIES_DRAG]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:  # noqa: N802  # Qt's hook
        """The series that is dragged."""
        data = QMimeData()
        for index in indexes:
            key = index.data(SERIES)
            if key:
                data.setData(SERIES_DRAG, str(key).encode())
        return data


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
