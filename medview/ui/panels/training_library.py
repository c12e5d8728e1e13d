"""Cases of studies read here: a line each with a tick, the patient, and what readers said."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.domain.choice import UNTRIED, WORTH
from medview.domain.local_case import ANSWERS_AS_LABELS, IMAGE_ROLES, STATED, LocalCase
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.words import plain_tip, tr

_ROW_PX, _MOST_ROWS = 40, 6
_ON, _OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked
_ENABLED = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class LibraryCases(QWidget):
    """The list, what the reader states about it, and the button that takes the ticked cases."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app
        self._shown: tuple[LocalCase, ...] = ()
        self._what = label("", "quiet", wraps=True)
        self._states = QCheckBox()
        name(self._states, "training_states", tr("What the reader states"))
        self._states.setToolTip(tr("Nothing is taken for a label without being told so"))
        self._states.toggled.connect(self._on_stated)
        self._list = QTreeWidget()
        name(self._list, "training_library_list", tr("Cases read here"))
        self._list.setRootIsDecorated(False)
        self._list.setHeaderHidden(True)
        self._list.setUniformRowHeights(True)
        # The end tells series of one patient apart.
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.itemChanged.connect(self._on_ticked)
        self._list.itemActivated.connect(self._on_opened)
        self._worth = label("", "quiet", wraps=True)
        name(self._worth, "training_library_worth", tr("What the order to label is worth"))
        self._problems = label("", "attention", wraps=True)
        name(self._problems, "training_library_problems", tr("What cannot be used"))
        self._use = button(tr("Use these cases"), "training_use", look="primary")
        self._use.setToolTip(tr("Writes these cases as a case list and looks at it"))
        self._use.clicked.connect(lambda: app.tuning.library.use())
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        for part in (self._what, self._list, self._worth, self._states, self._problems):
            rows.addWidget(part)
        self._end = Row(1, self._use)
        rows.addWidget(self._end)
        app.tuning.library.changed.connect(self.refresh)
        app.session.events.private.connect(self._on_private)
        self.refresh()

    def refresh(self) -> None:
        """Show what was found and what is ticked."""
        library = self._app.tuning.library
        model = self._app.tuning.now.model.removesuffix("-armed")
        self.setVisible(bool(library.found or library.refused or library.is_looking))
        words = tr("Looking for cases ...") if library.is_looking else ANSWERS_AS_LABELS.get(model)
        self._what.setText(words if words and not library.refused else "")
        self._what.setVisible(bool(self._what.text()))
        self._states.blockSignals(True)
        self._states.setText(tr(STATED.get(model, "")))
        self._states.setChecked(library.states)
        self._states.blockSignals(False)
        for part in (self._list, self._states, self._end):
            part.setVisible(bool(library.found))
        self._show_cases()
        self._show_problems()
        count = len(library.chosen)
        self._use.setText(tr("Use this case") if count == 1 else tr("Use {n} cases", n=count))
        self._use.setEnabled(bool(count) and not library.is_looking)

    def _show_cases(self) -> None:
        library = self._app.tuning.library
        ranks = any(case.why for case in library.found)
        model = self._app.tuning.now.model.removesuffix("-armed")
        self._worth.setText(WORTH.get(model, UNTRIED) if ranks else "")
        self._worth.setVisible(ranks)
        self._list.blockSignals(True)
        if library.found != self._shown:
            self._shown = library.found
            self._list.clear()
            first = next((one for one in library.found if one.why), None)
            self._list.addTopLevelItems(
                [_line(case, is_next=case is first) for case in library.found]
            )
            self._list.setFixedHeight(_ROW_PX * min(len(library.found), _MOST_ROWS) + 4)
        for n, case in enumerate(self._shown):
            row = self._list.topLevelItem(n)
            if row is not None and case.is_labelled:
                row.setCheckState(0, _ON if case.case in library.chosen else _OFF)
        self._list.blockSignals(False)

    def _show_problems(self) -> None:
        library = self._app.tuning.library
        lines = [library.refused] if library.refused else []
        lines += [f"{case.shown}: {case.wrong}" for case in library.found if case.wrong]
        lines += [f"{path}: {what}" for path, what in library.skipped]
        self._problems.setText("\n".join(lines[:4]))
        self._problems.setVisible(bool(lines))

    def _on_ticked(self, row: QTreeWidgetItem) -> None:
        case = self._shown[self._list.indexOfTopLevelItem(row)]
        self._app.tuning.library.choose(case.case, on=row.checkState(0) == _ON)

    def _on_opened(self, row: QTreeWidgetItem) -> None:
        """A double click or Enter opens the study, to be read and answered."""
        case = self._shown[self._list.indexOfTopLevelItem(row)]
        files = dict(case.cells)
        path = next((files[role] for role in IMAGE_ROLES if role in files), "")
        if path:
            self._app.window.open_paths((Path(path),))

    def _on_stated(self, on: bool) -> None:
        self._app.tuning.library.look(self._app.tuning.now.model, states=on)

    def _on_private(self, private: bool) -> None:
        """Names that were found stay on no screen when nobody may read them."""
        if private:
            self._app.tuning.library.forget()


def _line(case: LocalCase, *, is_next: bool) -> QTreeWidgetItem:
    """One without a label cannot be ticked: nothing can be learnt from it.

    Of these the first one is the one to label next (`is_next`), with the reason.
    """
    words = tr("cannot be used") if case.wrong else case.label
    if case.why:
        words = tr("label next: {why}", why=case.why) if is_next else f"{words} · {case.why}"
    row = QTreeWidgetItem([f"{case.shown}\n{words}"])
    row.setToolTip(0, plain_tip(f"{case.shown}\n{case.wrong or words}"))
    row.setSizeHint(0, QSize(0, _ROW_PX))
    row.setCheckState(0, _OFF)
    can = _ENABLED if case.is_labelled or case.why else Qt.ItemFlag.NoItemFlags
    ticks = Qt.ItemFlag.NoItemFlags if case.why else Qt.ItemFlag.ItemIsUserCheckable
    row.setFlags(can | ticks)
    return row
