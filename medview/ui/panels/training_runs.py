"""Earlier trainings beside each other: curves, settings that differ, best epochs, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.domain.errors import MedviewError
from medview.domain.wording import time_words, typeset
from medview.services.report_figures import kept_figure_words
from medview.services.runs import Run, differing
from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, label, name
from medview.ui.panels.runs_plot import RunsPlot, colour_of
from medview.ui.panels.training_start import METHOD_NAMES
from medview.ui.panels.training_words import duration, setting_words
from medview.ui.words import number, tr

_MOST_DRAWN = 5
_DOT_PX, _FIRST_PX = 10, 230
_ON, _OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked


ReadRuns = Callable[
    [Sequence[Path], Callable[[tuple[Run, ...]], object], Callable[[MedviewError], object]], object
]


class RunsCard(Card):
    """How many trainings were made here, and a window that compares them."""

    def __init__(self, app: App) -> None:
        super().__init__("training_runs", tr("Earlier trainings"))
        self._app = app
        self._count = label("", "quiet")
        self._go = button(
            tr("Compare"), "training_runs_go", tip=tr("Curves and settings of all trainings here")
        )
        self._go.clicked.connect(self._on_go)
        self.add(Row(label(tr("Earlier trainings"), "strong"), self._count, 1, self._go))

    def show_state(self, now: Tuned) -> None:
        """Seen once one was made; while one runs they can be looked at as well."""
        count = self._app.tuning.earlier.count
        self._count.setText(str(count))
        self.setVisible(count > 0 and now.phase != "looking")

    def _on_go(self) -> None:
        earlier = self._app.tuning.earlier
        titles = self._app.session.titles
        RunsView(self._app.window, earlier.read, (earlier.folder,), titles).show()


class RunsView(QDialog):
    """Ticked trainings are drawn; a row tells what differs; a click on a head sorts by it."""

    def __init__(
        self,
        parent: QWidget | None,
        read: ReadRuns,
        folders: Sequence[Path],
        titles: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(parent)
        self._read, self._titles = read, titles
        name(self, "runs_view", tr("Trainings beside each other"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Trainings beside each other"))
        self.resize(980, 640)
        self.runs: tuple[Run, ...] = ()
        self.plot, self.table = RunsPlot(), self._table()
        self._outcome = label("", "quiet", wraps=True)
        name(self._outcome, "runs_outcome", tr("Before and after"))
        self._apart = label(
            tr("These are curves of different losses: their heights say nothing of each other."),
            "attention",
        )
        name(self._apart, "runs_apart", self._apart.text())
        self._apart.hide()
        self._problem = label("", "attention", wraps=True)
        self._problem.hide()
        self._lay_out()
        self.add(folders)

    def _table(self) -> QTreeWidget:
        table = QTreeWidget()
        name(table, "runs_table", tr("Trainings"))
        table.setAllColumnsShowFocus(True)
        table.setRootIsDecorated(False)
        table.setUniformRowHeights(True)
        table.setSortingEnabled(True)
        table.itemChanged.connect(self._draw)
        table.currentItemChanged.connect(self._tell)
        return table

    def _lay_out(self) -> None:
        more = button(
            tr("Add folder …"), "runs_add", tip=tr("A folder that a training has written")
        )
        more.clicked.connect(self._on_add)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(14, 12, 14, 12)
        rows.setSpacing(8)
        rows.addWidget(self.plot, 3)
        rows.addWidget(self._apart)
        rows.addWidget(self.table, 2)
        rows.addWidget(self._outcome)
        rows.addWidget(self._problem)
        rows.addWidget(Row(label(tr("Research use only"), "quiet"), 1, more))

    def add(self, folders: Sequence[Path]) -> None:
        """Show the trainings of these folders, too; the newest ones are drawn."""
        gone: list[bool] = []  # what comes after the window was closed has no place
        self.destroyed.connect(lambda: gone.append(True))

        def arrived(found: tuple[Run, ...]) -> None:
            if not gone:
                self._arrived(found)

        def refused(error: MedviewError) -> None:
            if not gone:
                self._refused(error)

        self._read(folders, arrived, refused)

    def _refused(self, error: MedviewError) -> None:
        self._problem.setText(f"{error.file}: {error.what}. {error.do}")
        self._problem.show()

    def _arrived(self, found: tuple[Run, ...]) -> None:
        self._problem.hide()
        known = {run.folder for run in self.runs}
        self.runs += tuple(run for run in found if run.folder not in known)
        self._fill()

    def _fill(self) -> None:
        apart = differing(self.runs)
        fixed = (tr("Training"), tr("Model"), tr("Best"), tr("In epoch"), tr("Took"))
        heads = (*fixed, *map(setting_words, apart))
        newest = sorted(range(len(self.runs)), key=lambda n: self.runs[n].made_at)[-_MOST_DRAWN:]
        self.table.blockSignals(True)
        self.table.setSortingEnabled(False)
        self.table.clear()
        self.table.setColumnCount(len(heads))
        self.table.setHeaderLabels(list(heads))
        for place, run in enumerate(self.runs):
            called = self._titles.get(run.model, run.model) or tr("not known")
            row = _RunItem(_cells(run, called, apart), _keys(run, apart))
            row.setData(0, Qt.ItemDataRole.UserRole, place)
            row.setIcon(0, _dot(colour_of(place)))
            row.setCheckState(0, _ON if place in newest else _OFF)
            row.setToolTip(0, str(run.folder))
            self.table.addTopLevelItem(row)
        self.table.setSortingEnabled(True)
        self.table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.table.setColumnWidth(0, _FIRST_PX)
        self.table.blockSignals(False)
        for each in self._rows:
            if _place_of(each) in newest[-1:]:
                self.table.setCurrentItem(each)
        self._draw()

    @property
    def _rows(self) -> list[QTreeWidgetItem]:
        every = (self.table.topLevelItem(n) for n in range(self.table.topLevelItemCount()))
        return [row for row in every if row is not None]

    def _draw(self, *_changed: object) -> None:
        places = [_place_of(row) for row in self._rows if row.checkState(0) == _ON]
        drawn = [(place, self.runs[place]) for place in sorted(places)]
        self.plot.show_runs(drawn)
        kinds = {(run.model, run.best.part, run.best.name) for _, run in drawn if run.best}
        self._apart.setVisible(len(kinds) > 1)

    def _tell(self, row: QTreeWidgetItem | None, _before: object = None) -> None:
        """The outcome of the chosen training."""
        figures = self.runs[_place_of(row)].figures if row is not None else ()
        words = [
            tr(
                "{name}: {old} before, {new} after",
                name=kept_figure_words(one),
                old=number(old),
                new=number(new),
            )
            for one, old, new in figures
        ]
        nothing = tr("Nothing was compared before and after.")
        self._outcome.setText(" · ".join(words) or (nothing if row is not None else ""))

    def _on_add(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Folder of a training"))
        if chosen:
            self.add((Path(chosen),))


class _RunItem(QTreeWidgetItem):
    """A row that sorts by what its cells stand for."""

    def __init__(self, cells: list[str], keys: Sequence[tuple[bool, float, str]]) -> None:
        super().__init__(cells)
        self.keys = keys

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = tree.sortColumn() if tree is not None else 0
        return isinstance(other, _RunItem) and self.keys[column] < other.keys[column]


def _key(value: float | str | None) -> tuple[bool, float, str]:
    """Numbers, also written ones, before words, and nothing last."""
    try:
        return False, float(value if value not in (None, "") else "inf"), ""
    except ValueError:
        return True, 0.0, str(value)


def _keys(run: Run, apart: Sequence[str]) -> list[tuple[bool, float, str]]:
    best = run.best
    values = (
        *(run.made_at or run.name, run.model, best.value if best else None),
        *(best.epoch if best else None, run.seconds),
        *(run.settings.get(each) for each in apart),
    )
    return [_key(value) for value in values]


def _cells(run: Run, called: str, apart: Sequence[str]) -> list[str]:
    best, told = run.best, dict(run.settings)
    method = told.get("method", "")
    told["method"] = tr(METHOD_NAMES.get(method, method))
    return [
        time_words(run.made_at) if run.made_at else run.name,
        called,
        "" if best is None else typeset(f"{best.name} {best.value:.4g}"),
        "" if best is None else f"{best.epoch}",
        "" if run.seconds is None else duration(run.seconds),
        *(told.get(each, "") for each in apart),
    ]


def _place_of(row: QTreeWidgetItem) -> int:
    return int(row.data(0, Qt.ItemDataRole.UserRole))


def _dot(colour: str) -> QIcon:
    pixels = QPixmap(_DOT_PX, _DOT_PX)
    pixels.fill(QColor(colour))
    return QIcon(pixels)
