"""A training as it runs: curve, health, pace, and the ways to end it."""

from __future__ import annotations

from medview.services.histories import main_names
from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, label, name
from medview.ui.panels.training_curve import CurvePlot, loss_curves
from medview.ui.panels.training_words import health_words, pace_words
from medview.ui.words import alike, tr


class ProgressCard(Card):
    """The curve of training and validation as it grows, and Stop."""

    def __init__(self, app: App) -> None:
        super().__init__("training_progress", tr("Progress"))
        self._head = label("", "strong")
        self._pace = label("", "quiet", wraps=True)
        name(self._pace, "training_pace", tr("Pace, device and memory"))
        self.curves = CurvePlot()
        self._words = label("", "quiet", wraps=True)
        self._open = label("", "quiet", wraps=True)
        name(self._open, "training_open", tr("The open image before and after"))
        self._app = app
        app.session.events.swipe.connect(self._show_open)
        self._pause = button(
            tr("Pause"), "training_pause", tip=tr("Waits after this epoch; Continue goes on")
        )
        self._pause.clicked.connect(self._on_pause)
        self._best = button(
            tr("Stop, keep best"),
            "training_finish",
            tip=tr("Ends the training now and compares the best weights until here"),
        )
        self._best.clicked.connect(app.tuning.finish_now)
        self._stop = button(
            tr("Later"),
            "training_stop",
            tip=tr("Ends the training; it can go on from its last whole epoch, also another day"),
        )
        self._stop.clicked.connect(app.tuning.stop)
        self.add(self._head, self._pace, self.curves, self._words, self._open)
        self._steer = Row(self._pause, self._best, self._stop, grow=(0, 1, 2))
        self.add(self._steer)

    def show_state(self, now: Tuned) -> None:
        """Epoch i / n, the curves, and figures of the last epoch."""
        self.setVisible(bool(now.curves) or now.phase in ("running", "done", "kept"))
        epoch = tr("Epoch {i} / {n}", i=now.epoch, n=now.epochs or "?")
        self._head.setText(tr("Calibration") if now.is_fit else epoch)
        self.curves.setVisible(not now.is_fit)
        kept = int(now.outcome.get("best_epoch") or 0)
        measures = main_names(now.curves)
        self.curves.show_curves(loss_curves(now), now.epochs, kept, measures)
        self._words.setText(health_words(now))
        self._show_open()
        runs = now.phase == "running"
        self._steer.setVisible(runs)
        for part in (self._pause, self._best):
            part.setDisabled(now.is_finishing)
        self._pause.setText(tr("Continue") if now.is_paused else tr("Pause"))
        pace = pace_words(now)
        self._pace.setText(pace if runs else "")
        self._pace.setVisible(runs and bool(pace))

    def take_keyboard(self) -> None:
        """Have Enter pause the training."""
        self._pause.setFocus()

    def _on_pause(self) -> None:
        tuning = self._app.tuning
        tuning.pause(on=not tuning.now.is_paused)

    def _show_open(self) -> None:
        """What both versions say of the image on screen, with their hashes, or why nothing."""
        swipe, why_not = self._app.session.swiped, self._app.trying.why_not
        text = tr("Open image: {why}.", why=why_not) if why_not else ""
        if swipe is not None:
            old, new = swipe.old, swipe.new
            before, after = alike(old.figure, new.figure)
            text = tr(
                "Open image: before {a} ({x}), {name}: {b} ({y}).",
                a=before,
                x=old.sha256[:8],
                name=tr(new.name),
                b=after,
                y=new.sha256[:8],
            )
        self._open.setText(text)
        self._open.setVisible(bool(text))
