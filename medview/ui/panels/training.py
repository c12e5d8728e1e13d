"""The panel that trains a version further: cases, method, live curve, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QInputDialog,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from medview.services.tuning import Tuned
from medview.ui.app import App
from medview.ui.controls import Card, Column, Row, button, clear, label, name
from medview.ui.notify import ask
from medview.ui.panels.training_cases import CaseTable
from medview.ui.theme import current
from medview.ui.words import number, tr

_LOOK_EVERY_MS = 1000
FEW_PATIENTS = 60
"""Below so many a fifth of the patients says little."""
_METHODS = (
    ("full", "Full"),
    ("head", "Head only"),
    ("adapter", "Adapters"),
    ("site-effects", "Site effects"),
    ("calibrate", "Nothing, calibrate only"),
)
# The curve that is drawn of each part: the first of these that the history has.
_LOSSES = ("loss", "val_loss", "mae", "nll")
_MOST_DIFFERENCES = 6


class TrainingPanel(Column):
    """Cases, start, progress and outcome, a card each."""

    def __init__(self, app: App) -> None:
        super().__init__("training_panel", tr("Training"))
        self._app = app
        self.cases = CasesCard(app)
        self.start = StartCard(app)
        self.progress = ProgressCard(app)
        self.outcome = OutcomeCard(app)
        for card in (self.cases, self.start, self.progress, self.outcome):
            self.add(card)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(app.tuning.refresh)
        app.tuning.changed.connect(self.show_state)
        self.show_state(app.tuning.now)

    def show_state(self, now: Tuned) -> None:
        """Show a snapshot; the curve is read again every second while a training runs."""
        for card in (self.cases, self.start, self.progress, self.outcome):
            card.show_state(now)
        if now.phase == "running":
            self._timer.start()
        else:
            self._timer.stop()


class CasesCard(Card):
    """Which cases: a case list or a folder, and what was found there."""

    def __init__(self, app: App) -> None:
        super().__init__("training_cases", tr("Cases"))
        self._app = app
        self._summary = label("", "quiet", wraps=True)
        self._refused = label("", "attention", wraps=True)
        name(self._refused, "training_refused", tr("Why the cases cannot be used"))
        table = button(tr("Case list"), "training_list", tip=tr("A CSV that names the files"))
        folder = button(tr("Folder"), "training_folder", tip=tr("A data set or a folder of images"))
        table.clicked.connect(self._on_list)
        folder.clicked.connect(self._on_folder)
        self._locked = label("", "quiet", wraps=True)
        name(self._locked, "training_locked", tr("The locked set"))
        lock = button(
            tr("Locked set"),
            "training_lock",
            tip=tr("A case list that is never trained on: old and new are compared on it, too"),
        )
        lock.clicked.connect(self._on_lock)
        self.add(label(tr("Cases"), "strong"), self._summary, self._refused, self._locked)
        self.add(Row(table, folder, lock, 1))

    def show_state(self, now: Tuned) -> None:
        """Counts, parts and what was refused."""
        self._summary.setText(cases_words(now))
        skipped = now.found.get("skipped", ())
        lines = [f"{case}: {what}" for case, what in skipped[:3]]
        if len(skipped) > len(lines):
            lines.append(tr("and {n} more", n=len(skipped) - len(lines)))
        self._refused.setText(now.refused or "\n".join(lines))
        self._refused.setVisible(bool(self._refused.text()))
        locked = now.reference
        self._locked.setText(tr("Locked set: {file}", file=locked.name) if locked else "")
        self._locked.setVisible(locked is not None)

    def _on_lock(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Locked set"), "", tr("Tables (*.csv)"))
        self._app.tuning.lock(Path(chosen) if chosen else None)

    def _on_list(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Case list"), "", tr("Tables (*.csv)"))
        if chosen:
            self._app.tuning.look(Path(chosen))

    def _on_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Folder with cases"))
        if chosen:
            self._app.tuning.look(Path(chosen))


class StartCard(Card):
    """What to start from, what learns, how long; Start is enough."""

    def __init__(self, app: App) -> None:
        super().__init__("training_start", tr("Start from"))
        self._app = app
        self.version = QComboBox()
        name(self.version, "training_version", tr("Start from"))
        for choice in app.tuning.choices():
            self.version.addItem(f"{choice.card.title} {choice.card.version}", choice.name)
        self.version.setToolTip(tr("The version whose weights are trained further"))
        self.version.currentIndexChanged.connect(self._on_version)
        self.method = QComboBox()
        name(self.method, "training_method", tr("What learns"))
        for value, text in _METHODS:
            self.method.addItem(tr(text), value)
        self.method.setToolTip(
            tr(
                "All of the network, its last part, thin adapters beside it, effects of sites; or "
                "nothing: probabilities "
                "and intervals are fitted to the cases"
            )
        )
        self.method.currentIndexChanged.connect(self._on_method)
        self.epochs = QSpinBox()
        name(self.epochs, "training_epochs", tr("Epochs"))
        self.epochs.setToolTip(tr("How often all cases are gone through"))
        self.epochs.setRange(0, 10_000)
        self.epochs.setSpecialValueText(tr("as in the recipe"))
        self.epochs.valueChanged.connect(lambda n: app.tuning.wish(epochs=n))
        self.folds = QCheckBox(tr("Cross-validate as well (5 parts)"))
        name(self.folds, "training_folds", tr("Cross-validate as well"))
        self.folds.setToolTip(
            tr(
                "Few patients are held out here. Five trainings, each without a fifth of the "
                "patients, say more, and take five times as long"
            )
        )
        self.folds.toggled.connect(lambda on: app.tuning.wish(folds=5 if on else 0))
        self._expected = label("", "quiet", wraps=True)
        name(self._expected, "training_expected", tr("Time and memory"))
        self._go = button(tr("Start"), "training_go", look="primary", tip=tr("Train further"))
        self._go.clicked.connect(self._on_go)
        self._resume = button(tr("Go on"), "training_resume", tip=tr("From the last whole epoch"))
        self._resume.clicked.connect(lambda: app.tuning.start(resume=True))
        for text, field in (
            (tr("Start from"), self.version),
            (tr("What learns"), self.method),
            (tr("Epochs"), self.epochs),
        ):
            field.setFixedWidth(170)
            self.add(Row(label(text), 1, field))
        self.add(self.folds, self._expected, Row(1, self._resume, self._go))
        self._on_version()

    def show_state(self, now: Tuned) -> None:
        """Start where there are cases; go on where a training was stopped."""
        self._go.setEnabled(now.phase in ("ready", "stopped", "done"))
        self._resume.setVisible(now.phase == "stopped")
        for field in (self.version, self.method, self.epochs, self.folds):
            field.setEnabled(now.phase != "running")
        self._show_wish(now)
        is_fit = now.wish.method == "calibrate"
        self.folds.setVisible(0 < now.found.get("patients", 0) < FEW_PATIENTS and not is_fit)
        self._expected.setText(self._expected_words(now))
        self._expected.setVisible(bool(self._expected.text()))

    def _show_wish(self, now: Tuned) -> None:
        """Have the fields say what was wished, also by a training of another day."""
        for field, value in ((self.version, now.wish.version), (self.method, now.wish.method)):
            place = field.findData(value)
            if place >= 0 and place != field.currentIndex():
                field.blockSignals(True)
                field.setCurrentIndex(place)
                field.blockSignals(False)
        self.epochs.blockSignals(True)
        self.epochs.setValue(now.wish.epochs)
        self.epochs.blockSignals(False)

    def _expected_words(self, now: Tuned) -> str:
        if now.phase not in ("ready", "stopped"):
            return ""
        found = self._app.tuning.expected()
        if found is None:
            return tr("No such training has run here yet: time left is told after two epochs.")
        memory = tr(", {n} MB", n=f"{found.memory_mb:.0f}") if found.memory_mb else ""
        parts = self._app.tuning.trainings
        return tr("About {time}{memory}.", time=duration(found.seconds * parts), memory=memory)

    def _on_version(self) -> None:
        self._app.tuning.wish(version=self.version.currentData() or "")

    def _on_method(self) -> None:
        self._app.tuning.wish(method=self.method.currentData())

    def _on_go(self) -> None:
        self._app.tuning.start()


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
        self.add(Row(self._pause, self._best, self._stop, 1))

    def show_state(self, now: Tuned) -> None:
        """Epoch i / n, the curves, and figures of the last epoch."""
        self.setVisible(bool(now.curves) or now.phase in ("running", "done", "kept"))
        is_fit = now.wish.method == "calibrate"
        epoch = tr("Epoch {i} / {n}", i=now.epoch, n=now.epochs or "?")
        self._head.setText(tr("Calibration") if is_fit else epoch)
        self.curves.setVisible(not is_fit)
        self.curves.show_curves(loss_curves(now), now.epochs)
        self._words.setText(health_words(now))
        self._show_open()
        runs = now.phase == "running"
        for each in (self._pause, self._best, self._stop):
            each.setVisible(runs)
        self._pause.setText(tr("Continue") if now.is_paused else tr("Pause"))
        pace = pace_words(now, self._app.preferences.settings.device)
        self._pace.setText(pace if runs else "")
        self._pace.setVisible(runs and bool(pace))

    def _on_pause(self) -> None:
        tuning = self._app.tuning
        tuning.pause(on=not tuning.now.is_paused)

    def _show_open(self) -> None:
        """What both versions say of the image on screen, with their hashes, or why nothing."""
        swipe, why_not = self._app.session.swiped, self._app.trying.why_not
        text = tr("Open image: {why}.", why=why_not) if why_not else ""
        if swipe is not None:
            old, new = swipe.old, swipe.new
            text = tr(
                "Open image: {a} ({x}), {name} {b} ({y}).",
                a=number(old.figure),
                x=old.sha256[:8],
                name=tr(new.name),
                b=number(new.figure),
                y=new.sha256[:8],
            )
        self._open.setText(text)
        self._open.setVisible(bool(text))


class OutcomeCard(Card):
    """Old against new on what was held out; keep it or not."""

    def __init__(self, app: App) -> None:
        super().__init__("training_outcome", tr("Before and after"))
        self._app = app
        self._head = label(tr("Before and after"), "strong")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._worse = label("", "attention", wraps=True)
        name(self._worse, "training_worse", tr("What became worse"))
        self._keep = button(tr("Keep as"), "training_keep", look="primary")
        self._keep.clicked.connect(self._on_keep)
        self._reject = button(tr("Reject"), "training_reject", tip=tr("Everything stays as it was"))
        self._reject.clicked.connect(app.tuning.reject)
        self._kept = label("", "quiet", wraps=True)
        self.cases = CaseTable(lambda path: app.window.open_paths((path,)))
        self.add(self._head, self._grid, self._worse, self.cases, self._kept)
        self.add(Row(self._keep, self._reject, 1))

    def show_state(self, now: Tuned) -> None:
        """A line for each figure: old, new, difference with interval."""
        self.setVisible(now.phase in ("done", "kept"))
        clear(self._grid)
        found = now.outcome.get("before_after", {})
        for row, cells in enumerate(difference_cells(found)):
            for column, text in enumerate(cells):
                self._grid.addWidget(label(text, "quiet" if not row else ""), row, column)
        worse = tr("Worse for sure: {what}.", what=", ".join(now.worse)) if now.worse else ""
        self._worse.setText(worse)
        self._worse.setVisible(bool(worse))
        self._kept.setText(tr("Kept as {version}.", version=now.kept) if now.kept else "")
        self._kept.setVisible(bool(now.kept))
        self.cases.show_lines(now.lines)
        for each in (self._keep, self._reject):
            each.setVisible(now.phase == "done")

    def _on_keep(self) -> None:
        worse = self._app.tuning.now.worse_on_locked
        if worse:
            what = tr(
                "The new version is worse on the locked set ({what}). Keep it all the same?",
                what=", ".join(worse),
            )
            if not ask(self, what, tr("Keep it"), tr("Do not keep it")):
                return
        model = self._app.tuning.now.wish.version.partition("@")[0]
        chosen, agreed = QInputDialog.getText(
            self, tr("Keep this version"), tr("Name of the version of {model}", model=model)
        )
        if agreed and chosen:
            self._app.tuning.keep(chosen, accept_worse=bool(worse))


class CurvePlot(QWidget):
    """Lines over epochs, one a part; the lowest validation is marked."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "training_curves", tr("Loss of training and validation"))
        self.curves: dict[str, tuple[tuple[int, float], ...]] = {}
        self._last = 1
        self.setFixedHeight(130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_curves(self, curves: Mapping[str, tuple[tuple[int, float], ...]], epochs: int) -> None:
        """Draw these from now on."""
        self.curves = dict(curves)
        ends = [points[-1][0] for points in self.curves.values() if points]
        self._last = max([epochs, 2, *ends])
        self.update()

    def place(self, epoch: int, value: float) -> QPointF:
        """Where a point stands, in pixels."""
        low, high = self._span
        area = QRectF(self.rect()).adjusted(8, 10, -8, -18)
        return QPointF(
            area.left() + area.width() * (epoch - 1) / (self._last - 1),
            area.bottom() - area.height() * (value - low) / (high - low),
        )

    @property
    def _span(self) -> tuple[float, float]:
        values = [value for points in self.curves.values() for _, value in points]
        low, high = min(values, default=0.0), max(values, default=1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the lines, the best epoch and the ends of the axis."""
        theme = current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, part in ((theme.accent, "train"), (theme.attention, "val")):
            points = self.curves.get(part, ())
            if points:
                painter.setPen(QPen(QColor(colour), 1.6))
                painter.drawPolyline(QPolygonF([self.place(*point) for point in points]))
        best = min(self.curves.get("val", ()), key=lambda point: point[1], default=None)
        painter.setPen(QPen(QColor(theme.quiet), 1, Qt.PenStyle.DashLine))
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        if best is not None:
            x = self.place(*best).x()
            painter.drawLine(QPointF(x, 10), QPointF(x, self.height() - 18))
            self._write_best(painter, x, tr("best, epoch {n}", n=best[0]))
        self._write_legend(painter)
        painter.setPen(QColor(theme.quiet))
        base = self.height() - 4.0
        painter.drawText(QPointF(8, base), "1")
        painter.drawText(
            QRectF(0, self.height() - 17, self.width() - 8, 16),
            Qt.AlignmentFlag.AlignRight,
            str(self._last),
        )
        painter.end()

    def _write_best(self, painter: QPainter, x: float, text: str) -> None:
        """The epoch of the best validation, on the side of its line that has room."""
        wide = painter.fontMetrics().horizontalAdvance(text) + 5
        painter.setPen(QColor(current().good))
        left = x + 5 if x + wide + 5 < self.width() else x - wide
        painter.drawText(QPointF(left, 12), text)

    def _write_legend(self, painter: QPainter) -> None:
        """Which line is which, under the curves."""
        theme, base = current(), self.height() - 4.0
        words = (
            (theme.accent, "train", tr("training")),
            (theme.attention, "val", tr("validation")),
        )
        x = 40.0
        for colour, part, text in words:
            if self.curves.get(part):
                painter.setPen(QPen(QColor(colour), 2))
                painter.drawLine(QPointF(x, base - 4), QPointF(x + 12, base - 4))
                painter.setPen(QColor(theme.quiet))
                painter.drawText(QPointF(x + 17, base), text)
                x += 17 + painter.fontMetrics().horizontalAdvance(text) + 14


def cases_words(now: Tuned) -> str:
    """How many cases, patients and sites; or what to do."""
    if now.phase == "looking":
        return tr("Looking at the cases ...")
    found = now.found
    if not found:
        return tr("Choose a case list or a folder with cases that are labelled.")
    counts = [
        tr("{n} cases", n=found["cases"]),
        tr("{n} patients", n=found["patients"]),
        tr("{n} sites", n=found["sites"]) if found["sites"] else "",
    ]
    text = " · ".join(part for part in counts if part)
    parts = {key: n for key, n in found["parts"].items() if key}
    if parts:
        text += "\n" + ", ".join(f"{key} {n}" for key, n in parts.items())
    else:
        text += "\n" + tr("A fifth of the patients is held out.")
    if found["labels"]:
        text += "\n" + ", ".join(f"{tr(key)}: {n}" for key, n in sorted(found["labels"].items()))
    ages = found.get("ages")
    if ages:
        text += "\n" + tr("ages {a} to {b}", a=f"{ages[0]:.0f}", b=f"{ages[1]:.0f}")
    return text


def pace_words(now: Tuned, device: str) -> str:
    """Time left, cases a second, device and memory, as far as they are known."""
    parts = [tr("paused")] if now.is_paused else []
    if now.seconds_left is not None:
        parts.append(tr("{time} left", time=duration(now.seconds_left)))
        left = now.epochs - now.epoch
        if left > 0 and now.seconds_left > 0 and now.found.get("cases"):
            pace = now.found["cases"] * left / now.seconds_left
            parts.append(tr("{n} cases/s", n=number(pace)))
    parts.append(tr("device {name}", name=tr("automatic") if device == "auto" else device))
    if now.memory_mb:
        parts.append(tr("{n} MB", n=f"{now.memory_mb:.0f}"))
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Whole seconds below two minutes, else minutes or hours."""
    if seconds < 120:
        return tr("{n} s", n=round(seconds))
    if seconds < 7200:
        return tr("{n} min", n=round(seconds / 60))
    return tr("{n} h", n=f"{seconds / 3600:.1f}")


def loss_curves(now: Tuned) -> dict[str, tuple[tuple[int, float], ...]]:
    """The curve of each part that stands for how well it goes."""
    chosen: dict[str, tuple[tuple[int, float], ...]] = {}
    for part in ("train", "val"):
        for loss in _LOSSES:
            if now.curves.get((part, loss)):
                chosen[part] = now.curves[part, loss]
                break
    return chosen


def health_words(now: Tuned) -> str:
    """What the training says of its own health, or the last figures of the curve."""
    fitted = now.outcome.get("calibrated", ())
    if fitted:
        return " · ".join(
            tr("{what} of {score} × {x}, {n} local cases", what=tr(one["what"]), score=one["score"],
               x=number(one["value"]), n=one["n"])
            for one in fitted
        )  # fmt: skip
    checks = now.outcome.get("health", ())
    if checks:
        return " · ".join(
            f"{check['name'].replace('_', ' ')} {number(check['value'])}"
            + ("" if check["ok"] else f" ({check.get('text') or tr('not healthy')})")
            for check in checks
        )
    last = {part: points[-1][1] for part, points in loss_curves(now).items() if points}
    parts = {"train": tr("training"), "val": tr("validation")}
    return " · ".join(f"{parts[part]} {number(value)}" for part, value in last.items())


def difference_cells(found: Mapping[str, Any]) -> list[Sequence[str]]:
    """Rows of texts: a head, then figure, old, new, difference."""
    rows: list[Sequence[str]] = []
    for one in found.get("differences", ())[:_MOST_DIFFERENCES]:
        values = {
            row["predictor"]: row["value"]
            for row in found["metrics"]
            if all(row[key] == one[key] for key in ("task", "level", "name", "subset", "group"))
        }
        spread = ""
        if one["low"] is not None:
            spread = f" ({one['low']:+.2f} – {one['high']:+.2f})"
        apart = one["new_minus_old"]
        rows.append(
            (
                f"{one['task']} {one['name'].replace('_', ' ')}",
                number(values.get("old")),
                number(values.get("new")),
                "-" if apart is None else f"{apart:+.3f}{spread}",
            )
        )
    head = ("", tr("before"), tr("after"), tr("difference"))
    return [head, *rows] if rows else []
