"""The panel that trains a version further: cases, method, live curve, before and after."""

from __future__ import annotations

from PySide6.QtCore import QTimer

from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Column
from medview.ui.notify import Choice
from medview.ui.panels.training_data import CasesCard
from medview.ui.panels.training_outcome import OutcomeCard
from medview.ui.panels.training_preview import PreviewCard
from medview.ui.panels.training_progress import ProgressCard
from medview.ui.panels.training_runs import RunsCard
from medview.ui.panels.training_start import StartCard
from medview.ui.words import tr

_LOOK_EVERY_MS = 1000


class TrainingPanel(Column):
    """Cases, start, progress and outcome, a card each."""

    def __init__(self, app: App) -> None:
        super().__init__("training_panel", tr("Training"))
        self._app = app
        self._phase = app.tuning.now.phase
        self.cases = CasesCard(app)
        self.start = StartCard(app)
        self.preview = PreviewCard(app)
        self.progress = ProgressCard(app)
        self.outcome = OutcomeCard(app)
        self.runs = RunsCard(app)
        self._cards = (
            *(self.cases, self.start, self.preview, self.progress, self.outcome),
            self.runs,
        )
        for card in self._cards:
            self.add(card)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(app.tuning.refresh)
        app.tuning.changed.connect(self.show_state)
        self.show_state(app.tuning.now)

    def show_state(self, now: Tuned) -> None:
        """Show a snapshot; the curve is read again every second while a training runs."""
        was_here = self.start.has_keyboard
        for card in self._cards:
            card.show_state(now)
        if was_here and now.phase == "running" and not self.start.has_keyboard:
            # What started it rests now; the keyboard would go to the other end of the window.
            self.progress.take_keyboard()
        if now.phase == "running":
            self._timer.start()
        else:
            self._timer.stop()
        before, self._phase = self._phase, now.phase
        if (before, now.phase) == ("running", "done"):
            self._tell_of_outcome()
        elif now.phase == "running":
            show = self.keep_in_sight if before == "running" else self.bring_into_sight
            show(self.progress)

    def _tell_of_outcome(self) -> None:
        """Bring the outcome into sight, which lies below all the rest; say it elsewhere."""
        if self.isVisible():
            self.bring_into_sight(self.outcome)
            return
        window = self._app.window
        words = tr("The training is over: keep or reject what came of it.")
        window.notes.show_note(words, Choice(tr("Show"), self._on_show))

    def _on_show(self) -> None:
        self._app.window.show_panel("training")
        self.bring_into_sight(self.outcome)
