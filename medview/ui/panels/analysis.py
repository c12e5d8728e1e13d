"""The card that runs models: which fit, why others do not, options, Run and Cancel."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QApplication,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from medview.domain.card import ModelCard
from medview.domain.wording import duration_words
from medview.services.offers import Offer
from medview.services.session_values import Task
from medview.services.takes import Estimate, free_memory_mb
from medview.ui.app import App
from medview.ui.containers import Card, Fold, Row
from medview.ui.controls import button, clear, label, name
from medview.ui.panels.result_card import sentence
from medview.ui.panels.run_options import OptionsForm
from medview.ui.words import time_left, tr


class AnalysisCard(Card):
    """Chooses a model and runs it on the series on screen.

    ``listed`` tells that its list of models was made anew, ``turned`` that Run can be pressed now
    or no more, `parts` what lies in it from top to bottom.
    """

    listed = Signal()
    turned = Signal()

    def __init__(self, app: App) -> None:
        super().__init__("analysis", tr("Analysis"))
        self._app = app
        self._model = ""
        self.parts: tuple[QWidget, ...] = ()
        self._is_film = False
        # What the reader has chosen, and whether that was for a film.
        self._wish = ("", False)
        self._known: tuple[tuple[str, str, str], ...] | None = None
        self._choices: dict[str, tuple[QRadioButton, ModelCard]] = {}
        self._offers = QVBoxLayout()
        self._offers.setSpacing(4)
        self._run = button(tr("Run"), "analysis_run", look="primary", tip=tr("Run this model (F5)"))
        self._run.clicked.connect(self.run)
        self.more: QPushButton = button(tr("Options"), "analysis_more", look="link")
        self.more.setToolTip(tr("Device, number of samples, seed"))
        self.more.clicked.connect(self._on_more)
        self.options = OptionsForm(app)
        self.options.hide()
        self.options.samples.valueChanged.connect(self.refresh)
        self.options.version.currentIndexChanged.connect(self._name_choices)
        self._takes = label("", "quiet", wraps=True)
        name(self._takes, "analysis_estimate", tr("What a run takes"))
        self._queue = RunQueue()
        self.add(label(tr("Analysis"), "strong"))
        self.add(self._offers)
        self.add(self.options, self._takes, self._queue)
        self.add(Row(self.more, 1, self._run))
        for field in ("series", "volume", "volume_id", "tasks", "tables", "running"):
            getattr(app.session.events, field).connect(self.refresh)
        app.models.changed.connect(lambda: self.options.show_versions(self._model))
        self.refresh()

    def refresh(self) -> None:
        """Ask again which models fit, and how the running one gets on."""
        here = QApplication.focusWidget()
        goes = here is self._run or (here is not None and self._queue.isAncestorOf(here))
        self._show()
        if goes and QApplication.focusWidget() is not here:
            # Run cannot be pressed now, or Cancel is gone: the keyboard stays in this card.
            (self._run if self._run.isEnabled() else self.more).setFocus()

    def _show(self) -> None:
        offers = self._app.analysis.offers()
        known = tuple((each.card.id, each.card.version, each.why_not) for each in offers)
        session = self._app.session
        volume = session.volume
        # Between two images there is none for a moment: that says nothing about the next.
        is_film = volume.is_film if volume is not None else self._is_film
        if known != self._known or is_film != self._is_film:
            self._known, self._is_film = known, is_film
            self._list(offers)
            self.options.show_versions(self._model)
            self.listed.emit()
        titles = {each.card.title for each in offers}
        tasks = tuple(each for each in session.tasks if each.title in titles)
        away = [each for each in tasks if each.pixels and not session.is_shown(each.pixels)]
        self._queue.show_tasks(tasks, away)
        about = session.volume_id
        key_of = self._app.analysis.key_of
        chosen = next((each for each in offers if key_of(each.card) == self._model), None)
        model = self._model.partition("@")[0]
        running = session.running
        runs = any(pixels == about and key.startswith(f"{model}@") for pixels, key in running)
        fits = chosen is not None and chosen.fits and about is not None
        could = self._run.isEnabled()
        self._run.setEnabled(fits and not runs)
        if self._run.isEnabled() != could:
            self.turned.emit()
        self._run.setText(tr("Running") if runs else tr("Run"))
        passes = self.options.value().samples
        told = self._app.analysis.estimate(self._model, passes) if fits and not runs else None
        self._takes.setText(estimate_words(told, free_memory_mb()) if told is not None else "")
        self._takes.setVisible(told is not None)

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
        self._choices = {}
        # A film without a header could be anything; first what looks at films.
        ranked = sorted(offers, key=lambda each: self._is_film and each.role != "film")
        fitting = [self._app.analysis.key_of(each.card) for each in ranked if each.fits]
        wish, was_film = self._wish
        keeps = wish in fitting and was_film == self._is_film
        self._model = wish if keeps else next(iter(fitting), "")
        if not offers:
            self._offers.addWidget(label(tr("No model came with this copy."), "quiet", wraps=True))
        others = [each for each in offers if not each.fits]
        same = not fitting and len({each.why_not for each in others}) == 1
        rows: list[QWidget] = [self._choice(each) for each in ranked if each.fits or same]
        if same:
            rows.append(label(sentence(others[0].words), "quiet", wraps=True))
        elif others:
            rows.append(self._fold_of(others, none_fits=not fitting))
        for row in rows:
            self._offers.addWidget(row)
        self.parts = (*rows, self.options, self._queue, self.more, self._run)

    def _fold_of(self, others: list[Offer], *, none_fits: bool) -> Fold:
        """Models for other data, each with why it does not fit; open where there are no others."""
        more, none = tr("{n} more, for other data"), tr("None of {n} models fits")
        fold = Fold("analysis_others", (none if none_fits else more).format(n=len(others)))
        for each in others:
            fold.add(self._choice(each), label(sentence(each.words), "quiet", wraps=True))
        fold.set_open(on=none_fits)
        return fold

    def _choice(self, each: Offer) -> QRadioButton:
        made = QRadioButton(f"{each.card.title} {each.card.version}")
        key = self._app.analysis.key_of(each.card)
        self._choices[key] = (made, each.card)
        name(made, f"model_{key}", each.card.title)
        made.setToolTip(each.card.summary or each.card.intended_use)
        made.setEnabled(each.fits)
        made.setChecked(key == self._model)
        made.toggled.connect(lambda on: self._on_chosen(key, on))
        return made

    def _name_choices(self) -> None:
        """Call the chosen model by the version that Run would run, the others by their own."""
        for key, (made, card) in self._choices.items():
            chosen = self.options.version.currentText() if key == self._model else ""
            made.setText(f"{card.title} {chosen or card.version}")

    def _on_chosen(self, model: str, on: bool) -> None:
        if on:
            self._model, self._wish = model, (model, self._is_film)
            self.options.show_versions(model)
            self.refresh()

    def _on_more(self) -> None:
        self.options.setVisible(self.options.isHidden())
        self.more.setText(tr("Options") if self.options.isHidden() else tr("Fewer options"))
        if not self.options.isHidden():
            self.options.ask_devices()


class RunQueue(QWidget):
    """Models that run or wait: how far each is, how long it takes, and Cancel."""

    def __init__(self) -> None:
        super().__init__()
        name(self, "analysis_queue", tr("Running and waiting models"))
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(8)
        self._shown: list[RunProgress] = []

    def show_tasks(self, tasks: Sequence[Task], away: Collection[Task] = ()) -> None:
        """A row for each; rows stay while their number does. `away`: of images not on screen."""
        if len(tasks) != len(self._shown):
            clear(self._rows)
            self._shown = [RunProgress(place) for place in range(len(tasks))]
            for row in self._shown:
                self._rows.addWidget(row)
        for place, (row, task) in enumerate(zip(self._shown, tasks, strict=True)):
            row.show_task(task, waits=place > 0, head=_head(task, task in away, len(tasks)))
        self.setVisible(bool(tasks))


class RunProgress(QWidget):
    """How far one model is, how long it takes, and Cancel."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self._task: Task | None = None
        end = f"_{place}" if place else ""
        self._text = label("", "quiet", wraps=True)
        self._bar = QProgressBar()
        name(self._bar, f"analysis_bar{end}", tr("Progress"))
        self._bar.setTextVisible(False)
        cancel = button(
            tr("Cancel"), f"analysis_cancel{end}", tip=tr("Stop the model (Shift+Esc stops all)")
        )
        cancel.clicked.connect(self._on_cancel)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self._bar)
        rows.addWidget(Row(self._text, cancel, grow=(0,)))

    def show_task(self, task: Task, *, waits: bool, head: str) -> None:
        """Show a job; `waits`: another one goes first."""
        self._task = task
        self._bar.setVisible(not waits)
        self._bar.setRange(0, task.total)
        self._bar.setValue(task.done)
        self._text.setText(progress_words(task, waits=waits, head=head))

    def _on_cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _head(task: Task, is_away: bool, count: int) -> str:
    """The model, where several run, with the image, where that is not on screen any more."""
    if not is_away:
        return tr(task.title) if count > 1 else ""
    image = task.about or tr("a stay")
    return tr("{model} on {image}, not on screen", model=tr(task.title), image=image)


def progress_words(task: Task, *, waits: bool, head: str) -> str:
    """Percent, slice of slices and time left; or that it waits, or has fallen silent."""
    first = [head] if head else []
    if task.is_silent:
        return " · ".join([*first, tr("no answer for a while; Cancel ends it and starts afresh")])
    if waits:
        return " · ".join([*first, tr("waiting")])
    share = f"{100 * task.done // task.total} %" if task.total > 1 else ""
    parts = (*first, share, tr(task.text) if task.text else tr("starting"))
    return " · ".join(part for part in (*parts, time_left(task.seconds_left)) if part)


def estimate_words(told: Estimate, free_mb: float | None) -> str:
    """What a run will take and where that is known from; a word where memory is short."""
    size = f"{told.peak_memory_mb / 1000:.1f} GB"
    took = duration_words(max(1.0, told.seconds))
    device = "GPU" if told.device.startswith("cuda") else told.device.upper()
    said = tr("About {s}, {m}, as measured on another machine ({d}).", s=took, m=size, d=device)
    if told.is_own:
        said = tr("About {s}, {m}, as in the last run here ({d}).", s=took, m=size, d=device)
    if free_mb is None or free_mb >= told.peak_memory_mb:
        return said
    return f"{said} " + tr("Only {m} are free now.", m=f"{free_mb / 1000:.1f} GB")
