"""What a training changed: old against new on what was held out; keep it or not."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QInputDialog

from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, clear, label, name
from medview.ui.notify import ask
from medview.ui.panels.training_cases import CaseTable
from medview.ui.panels.training_words import (
    DifferenceLine,
    counted_words,
    difference_lines,
    score_words,
    worse_sentences,
    worse_words,
)
from medview.ui.words import tr

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop


class OutcomeCard(Card):
    """Old against new on what was held out; keep it or not."""

    def __init__(self, app: App) -> None:
        super().__init__("training_outcome", tr("Before and after"))
        self._app = app
        self._head = label(tr("Before and after"), "strong")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        self._worse = label("", "attention", wraps=True)
        name(self._worse, "training_worse", tr("What became worse"))
        self._keep = button(
            tr("Keep as …"),
            "training_keep",
            look="primary",
            tip=tr("Make a version of its own of it; the one before stays as it is"),
        )
        self._keep.clicked.connect(self._on_keep)
        self._reject = button(tr("Reject"), "training_reject", tip=tr("Everything stays as it was"))
        self._reject.clicked.connect(app.tuning.reject)
        self._kept = label("", "quiet", wraps=True)
        self.cases = CaseTable(lambda path: app.window.open_paths((path,)))
        self._count = label("", "quiet")
        name(self._count, "training_held_out", tr("How many cases were held out"))
        self._of_each = label("", "quiet", wraps=True)
        self.add(Row(self._head, self._count, grow=(0,)), self._grid, self._worse)
        self.add(self._of_each, self.cases, self._kept)
        self._decide = Row(self._keep, self._reject, grow=(0, 1))
        self.add(self._decide)

    def show_state(self, now: Tuned) -> None:
        """A line for each figure: old, new, difference with interval."""
        self.setVisible(now.phase in ("done", "kept"))
        clear(self._grid)
        found = now.outcome.get("before_after", {})
        for number, line in enumerate(difference_lines(found)):
            self._add_line(2 * number, line)
        self._count.setText(counted_words(len(now.lines)))
        worse = worse_sentences(found)
        self._worse.setText(worse)
        self._worse.setVisible(bool(worse))
        self._kept.setText(self._kept_words(now.kept))
        self._kept.setVisible(bool(now.kept))
        self.cases.show_lines(now.lines)
        self._of_each.setText(score_words(now.lines[0].score) if now.lines else "")
        self._of_each.setVisible(bool(now.lines))
        self._decide.setVisible(now.phase == "done")

    def _add_line(self, row: int, line: DifferenceLine) -> None:
        """A figure in two rows, as the interval stands under the difference."""
        if len(line.cells) == 1:
            made = label(line.cells[0], "quiet")
            made.setContentsMargins(0, 8, 0, 2)
            self._grid.addWidget(made, row, 0, 1, 4)
            return
        *cells, bounds = line.cells
        for column, text in enumerate(cells):
            look = line.look if row == 0 or column == len(cells) - 1 else ""
            made = label(text, look, wraps=column == 0)
            made.setAlignment(_RIGHT if column else _LEFT)
            self._grid.addWidget(made, row, column, 1 if column or not bounds else 2, 1)
        if bounds:
            made = label(bounds, "quiet")
            made.setAlignment(_RIGHT)
            made.setContentsMargins(0, 0, 0, 4)
            self._grid.addWidget(made, row + 1, 1, 1, 3)

    def _on_keep(self) -> None:
        worse = self._app.tuning.now.worse_on_locked
        if worse:
            what = tr(
                "The new version is worse: {what}. Keep it all the same?",
                what=worse_words(worse),
            )
            if not ask(self, what, tr("Keep it"), tr("Do not keep it")):
                return
        version = self._app.tuning.now.wish.version
        chosen, agreed = QInputDialog.getText(
            self,
            tr("Keep this version"),
            tr("Name of the version of {model}", model=self._title(version)),
            text=free_name(version, [each.name for each in self._app.tuning.choices()]),
        )
        if agreed and chosen:
            self._app.tuning.keep(chosen, accept_worse=bool(worse))

    def _kept_words(self, kept: str) -> str:
        """What the new version is called, and where it is chosen for a run."""
        if not kept:
            return ""
        told = tr(
            "Kept as {model} {version}.", model=self._title(kept), version=kept.partition("@")[2]
        )
        return f"{told} {tr('To run it: Results, Options, Version.')}"

    def _title(self, version: str) -> str:
        """What the model of a version is called."""
        model, known = version.partition("@")[0], self._app.tuning.choices()
        return next((each.card.title for each in known if each.card.id == model), model)


def free_name(version: str, taken: Collection[str]) -> str:
    """A name for a version made from "ID@1.0" that none has yet: "1.0-local", "1.0-local-2"."""
    model, _, number = version.partition("@")
    names = (f"{number}-local{f'-{n}' if n > 1 else ''}" for n in count(1))
    return next(name for name in names if f"{model}@{name}" not in taken)
