"""The card that runs models: which fit, why others do not, options, Run and Cancel."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QComboBox,
    QProgressBar,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from medview.services.analysis import Choices
from medview.services.offers import Offer
from medview.services.session import Task
from medview.ui.app import App
from medview.ui.controls import Card, Row, button, clear, label, name
from medview.ui.words import time_left, tr

_DEVICES = (("auto", "Automatic"), ("cpu", "CPU"), ("cuda", "GPU"))
_MOST_SAMPLES = 100


class AnalysisCard(Card):
    """Chooses a model and runs it on the series on screen."""

    def __init__(self, app: App) -> None:
        super().__init__("analysis", tr("Analysis"))
        self._app = app
        self._model = ""
        self._known: tuple[tuple[str, str], ...] | None = None
        self._offers = QVBoxLayout()
        self._offers.setSpacing(4)
        self._run = button(tr("Run"), "analysis_run", look="primary", tip=tr("Run this model (F5)"))
        self._run.clicked.connect(self.run)
        self._more = button(tr("Options"), "analysis_more", look="link")
        self._more.setToolTip(tr("Device, number of samples, seed"))
        self._more.clicked.connect(self._on_more)
        self.options = RunOptions(app)
        self.options.hide()
        self._progress = RunProgress()
        self.add(label(tr("Analysis"), "strong"))
        self.add(self._offers)
        self.add(self.options, self._progress)
        self.add(Row(self._more, 1, self._run))
        for field in ("series", "volume", "volume_id", "tasks", "tables", "running"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Ask again which models fit, and how the running one gets on."""
        offers = self._app.analysis.offers()
        known = tuple((each.card.id, each.why_not) for each in offers)
        if known != self._known:
            self._known = known
            self._list(offers)
        task = next((t for t in self._app.session.tasks if t.title in _titles(offers)), None)
        self._progress.show_task(task)
        chosen = next((each for each in offers if each.card.id == self._model), None)
        ready = self._app.session.volume_id is not None
        self._run.setEnabled(chosen is not None and chosen.fits and task is None and ready)
        self._run.setText(tr("Run") if task is None else tr("Running"))

    def run(self) -> None:
        """Run the chosen model with the chosen options."""
        if self._run.isEnabled():
            self._app.analysis.run(self._model, self.options.value())

    @property
    def can_run(self) -> bool:
        """Whether a model that fits is chosen and none is running."""
        return self._run.isEnabled()

    def _list(self, offers: tuple[Offer, ...]) -> None:
        clear(self._offers)
        fitting = [each.card.id for each in offers if each.fits]
        if self._model not in fitting:
            self._model = fitting[0] if fitting else ""
        if not offers:
            self._offers.addWidget(label(tr("No model came with this copy."), "quiet", wraps=True))
        for each in offers:
            self._offers.addWidget(self._choice(each))
            if each.why_not:
                why = each.why_not[:1].upper() + each.why_not[1:] + "."
                self._offers.addWidget(label(why, "quiet", wraps=True))

    def _choice(self, each: Offer) -> QRadioButton:
        made = QRadioButton(f"{each.card.title} {each.card.version}")
        name(made, f"model_{each.card.id}", each.card.title)
        made.setToolTip(each.card.summary or each.card.intended_use)
        made.setEnabled(each.fits)
        made.setChecked(each.card.id == self._model)
        made.toggled.connect(lambda on: self._on_chosen(each.card.id, on))
        return made

    def _on_chosen(self, model: str, on: bool) -> None:
        if on:
            self._model = model
            self.refresh()

    def _on_more(self) -> None:
        self.options.setVisible(self.options.isHidden())
        self._more.setText(tr("Options") if self.options.isHidden() else tr("Fewer options"))


class RunOptions(QWidget):
    """Device, samples and seed of a run."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "analysis_options", tr("Options"))
        self._app = app
        self.device = QComboBox()
        name(self.device, "run_device", tr("Device"))
        self.device.setToolTip(tr("Where the model runs"))
        for value, text in _DEVICES:
            self.device.addItem(tr(text), value)
        self.device.setCurrentIndex(max(0, self.device.findData(app.preferences.settings.device)))
        self.device.activated.connect(self._on_device)
        self.samples = _figure(
            "run_samples", tr("Samples"), tr("Passes whose spread is the uncertainty")
        )
        self.samples.setRange(0, _MOST_SAMPLES)
        self.samples.setSpecialValueText(tr("as in the card"))
        self.seed = _figure("run_seed", tr("Seed"), tr("The same seed gives the same maps"))
        self.seed.setRange(0, 2**31 - 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        for text, field in (
            (tr("Device"), self.device),
            (tr("Samples (K)"), self.samples),
            (tr("Seed"), self.seed),
        ):
            field.setFixedWidth(150)
            rows.addLayout(Row(label(text), 1, field))

    def value(self) -> Choices:
        """What is chosen; 0 samples mean the card's own number."""
        return Choices(samples=self.samples.value() or None, seed=self.seed.value())

    def _on_device(self) -> None:
        self._app.preferences.change(device=self.device.currentData())


class RunProgress(QWidget):
    """How far the running model is, how long it takes, and Cancel."""

    def __init__(self) -> None:
        super().__init__()
        self._task: Task | None = None
        self._text = label("", "quiet")
        self._bar = QProgressBar()
        name(self._bar, "analysis_bar", tr("Progress"))
        self._bar.setTextVisible(False)
        cancel = button(tr("Cancel"), "analysis_cancel", tip=tr("Stop the model (Shift+Esc)"))
        cancel.clicked.connect(self._on_cancel)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self._bar)
        rows.addLayout(Row(self._text, 1, cancel))

    def show_task(self, task: Task | None) -> None:
        """Show a job; None hides all of it."""
        self._task = task
        self.setVisible(task is not None)
        if task is None:
            return
        self._bar.setRange(0, task.total)
        self._bar.setValue(task.done)
        parts = (tr(task.text) if task.text else tr("starting"), time_left(task.seconds_left))
        self._text.setText(" · ".join(part for part in parts if part))

    def _on_cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _figure(key: str, text: str, tip: str) -> QSpinBox:
    made = QSpinBox()
    name(made, key, text)
    made.setToolTip(tip)
    return made


def _titles(offers: tuple[Offer, ...]) -> set[str]:
    return {each.card.title for each in offers}
