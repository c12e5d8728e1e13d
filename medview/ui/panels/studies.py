"""Studies: patients, their studies and series with thumbnails; find, choose, see what failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QModelIndex, QPoint, Qt, QTimer
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QMenu,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from medview.domain.volume import Volume
from medview.ui.app import App
from medview.ui.controls import button, label, name
from medview.ui.find_box import FindBox
from medview.ui.panels.series_menu import series_menu
from medview.ui.panels.study_items import StudyItems
from medview.ui.panels.study_rows import SERIES, StudyDelegate
from medview.ui.panels.study_search import Place, fitting, keep, place_of
from medview.ui.slice_pane import SERIES_DRAG
from medview.ui.words import tr

_MOST_LEFT_OUT = 400
# So many series are listed in one go: some 25 ms. Those of larger catalogues follow as one scrolls.
_AT_ONCE = 100


class StudiesPanel(QWidget):
    """The tree on the left."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "panel_studies", tr("Studies"))
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._app = app
        self._items = StudyItems(app)
        self._to_come: Iterator[Place | None] = iter(())
        self._is_large = False
        what = tr("Find patient, study, series")
        tip = tr("Show only what has these words (Ctrl+F)")
        self.find_box = FindBox("studies_find", what, what, tip, self._filter)
        self.tree = self._tree()
        self.left_out = button("", "studies_left_out", look="link")
        self.left_out.clicked.connect(self._on_left_out)
        self.left_out_list = _left_out_list()
        self.empty = label(tr("Drop a folder here, or press Ctrl+O"), "quiet", wraps=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.more = label(
            tr("More are listed as you scroll; or type to find."), "quiet", wraps=True
        )
        name(self.more, "studies_more", self.more.text())
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._go_on)
        self.tree.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self._lay_out()
        self._listen()
        self.refresh()

    def _lay_out(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(12, 10, 10, 8)
        rows.setSpacing(8)
        below = (self.more, self.left_out, self.left_out_list)
        for part in (self.find_box, self.empty, self.tree, *below):
            rows.addWidget(part)
        rows.setStretch(1, 1)
        rows.setStretch(2, 10)

    def _listen(self) -> None:
        app, events = self._app, self._app.session.events
        events.catalogue.connect(self.refresh)
        events.private.connect(self.refresh)
        events.tables.connect(self._list_left_out)
        app.thumbnails.arrived.connect(self._items.draw)
        events.series.connect(self._select)
        app.library.stayed.connect(self._select)
        events.volume.connect(self._on_volume)

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
        self._list_left_out()
        self._select()

    def _begin(self) -> None:
        """List from the first series on that has the words of the find box."""
        self._model.clear()
        self._items.forget()
        words = self.find_box.text().lower().split() if self._is_large else []
        patients, private = self._app.session.catalogue.patients, self._app.session.private
        self._to_come = fitting(patients, words, private=private)
        self._go_on()
        if not self._is_large:
            self._filter(self.find_box.text())

    def _go_on(self) -> None:
        """List some more; of a small catalogue all, of a large one until the list is full."""
        listed = 0
        for place in self._to_come:
            if place is not None:
                self._list(place)
                listed += 1
            if self._is_large and (place is None or listed >= _AT_ONCE):
                self.more.show()
                if not self._is_full:
                    self._soon.start()
                return
        self.more.hide()

    @property
    def _is_full(self) -> bool:
        """There is at least one page below what is seen."""
        bar = self.tree.verticalScrollBar()
        return (
            len(self._items.series) > _AT_ONCE // 2
            and bar.maximum() - bar.value() >= bar.pageStep()
        )

    def _on_scrolled(self) -> None:
        if self._is_large and not self._is_full:
            self._soon.start()

    def _list(self, place: Place) -> None:
        """Add the row of a series, and those above it where they are not there yet."""
        for item in self._items.add(self._model.invisibleRootItem(), place):
            above = item.parent()
            if above is not None and above.rowCount() == 1:
                self.tree.expand(above.index())

    @property
    def _model(self) -> QStandardItemModel:
        model = self.tree.model()
        assert isinstance(model, QStandardItemModel)
        return model

    def _list_left_out(self) -> None:
        """Name the files that are neither shown nor used as a table beside the images."""
        session = self._app.session
        used = [table.path for table in session.tables.values()]
        left = [
            each
            for each in session.catalogue.skipped
            if not any(_lies_there(path, each.file) for path in used)
        ]
        count = len(left)
        self.left_out.setVisible(count > 0)
        self.left_out_list.hide()
        text = tr("{n} files left out", n=count) if count != 1 else tr("1 file left out")
        self.left_out.setText(text)
        name(self.left_out, "studies_left_out", text)
        self.left_out.setToolTip(tr("Show which files were left out, and why"))
        self.left_out_list.clear()
        for each in left[:_MOST_LEFT_OUT]:
            self.left_out_list.addItem(
                each.what if session.private else f"{each.file}: {each.what}"
            )
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

    def _select(self) -> None:
        shown = self._app.session.series
        owner = self._app.session.catalogue.owner(shown) if shown is not None else None
        if shown is None or owner is None:
            return
        rows, catalogue = self._items.series, self._app.session.catalogue
        if shown.key not in rows and self._is_large and not self.find_box.text():
            place = place_of(catalogue.patients, owner[0], shown)
            if place is not None:
                self._list(place)
        item = rows.get(shown.key)
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


def _lies_there(path: Path, file: str) -> bool:
    """Whether a path ends as a file that is named from the folder which was opened."""
    names = Path(file).parts
    return path.parts[-len(names) :] == names


def _left_out_list() -> QListWidget:
    """The files that were left out, hidden at first."""
    made = QListWidget()
    name(made, "studies_left_out_list", tr("Files that were left out"))
    made.setWordWrap(True)
    made.setMaximumHeight(180)
    made.hide()
    return made
