"""What a training starts from, what of it learns, how long; Start is enough."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox

from medview.services.training import METHODS
from medview.services.tuned import Tuned
from medview.ui.app import App
from medview.ui.containers import Card, Row
from medview.ui.controls import button, label, name, styled
from medview.ui.inputs import Segments, WholeField
from medview.ui.panels.training_rate import RateRow
from medview.ui.panels.training_words import duration
from medview.ui.words import tr

_FIELD_PX = 170
FEW_PATIENTS = 60
"""Below so many a fifth of the patients says little."""
_METHODS = (
    ("full", "Full", "All of the network learns"),
    ("head", "Head only", "Only its last part learns"),
    ("adapter", "Adapters", "Thin layers beside the network learn (not of the age models)"),
    ("site-effects", "Sites", "Only the effects of sites learn (of a model that has them)"),
    (
        *("calibrate", "Calibrate"),
        "Nothing learns: probabilities, or intervals of an age, are fitted to the cases",
    ),
)


METHOD_NAMES = {value: text for value, text, _ in _METHODS}
"""What can learn, in a word or two."""


class StartCard(Card):
    """What to start from, what learns, how long; Start is enough."""

    def __init__(self, app: App) -> None:
        super().__init__("training_start", tr("Start from"))
        self._app = app
        self._build_version()
        self.method = Segments("training_method", tr("What learns"))
        self.method.set_choices([(value, tr(text), tr(tip)) for value, text, tip in _METHODS])
        self.method.changed.connect(lambda method: app.tuning.wish(method=method))
        self._build_epochs()
        self._build_measures()
        self._expected = label("", "quiet", wraps=True)
        name(self._expected, "training_expected", tr("Time and memory"))
        self._go = button(tr("Start"), "training_go", look="primary")
        self._go.clicked.connect(lambda: app.tuning.start())
        self._resume = button(
            *(tr("Go on"), "training_resume"),
            look="primary",
            tip=tr("From the last whole epoch"),
        )
        self._resume.clicked.connect(lambda: app.tuning.start(resume=True))
        self.add(label(tr("Start from"), "strong"), self.version, self.method)
        self.rate = RateRow(app)
        self.add(Row(label(tr("Epochs")), 1, self.epochs), self.rate, self.folds, self.sites)
        self.add(self._expected, Row(1, self._resume, self._go))
        self._choose_one()

    @property
    def has_keyboard(self) -> bool:
        """Whether one of the two buttons that start is the one that Enter presses."""
        return self._go.hasFocus() or self._resume.hasFocus()

    def _build_version(self) -> None:
        self.version = QComboBox()
        name(self.version, "training_version", tr("Start from"))
        self._list_versions()
        self._app.tuning.models.changed.connect(self._on_versions)
        self.version.setToolTip(tr("The version whose weights are trained further"))
        self.version.setMinimumWidth(_FIELD_PX)
        self.version.currentIndexChanged.connect(self._on_version)

    def _list_versions(self) -> None:
        """List what can be trained further; what was chosen stays chosen."""
        here = self._app.tuning.now.wish.version
        self.version.blockSignals(True)
        self.version.clear()
        for choice in self._app.tuning.choices():
            self.version.addItem(f"{choice.card.title} {choice.card.version}", choice.name)
        self.version.setCurrentIndex(max(0, self.version.findData(here)))
        self.version.blockSignals(False)

    def _on_versions(self) -> None:
        self._list_versions()
        self._choose_one()

    def _choose_one(self) -> None:
        """Where what was wished for is not there: wish for the one that is seen."""
        now = self._app.tuning.now
        is_there = self.version.findData(now.wish.version) >= 0
        # Another wish would have the cases looked at anew, and an outcome would be gone.
        if not is_there and now.phase in ("empty", "ready"):
            self._on_version()

    def _build_epochs(self) -> None:
        self.epochs = WholeField()
        name(self.epochs, "training_epochs", tr("Epochs"))
        self.epochs.setToolTip(tr("How often all cases are gone through"))
        self.epochs.setRange(0, 10_000)
        self.epochs.setSpecialValueText(tr("as in the recipe"))
        self.epochs.setFixedWidth(_FIELD_PX)
        self.epochs.valueChanged.connect(lambda n: self._app.tuning.wish(epochs=n))

    def _build_measures(self) -> None:
        """More trainings, to know better what the one that is kept is worth."""
        wish = self._app.tuning.wish
        self.folds = QCheckBox(tr("Cross-validate as well (5 parts)"))
        name(self.folds, "training_folds", tr("Cross-validate as well"))
        self.folds.setToolTip(
            tr(
                "Few patients are held out here. Five trainings, each without a fifth of the "
                "patients, say more, and take five times as long"
            )
        )
        self.folds.toggled.connect(lambda on: wish(folds=5 if on else 0))
        self.sites = QCheckBox(tr("Leave each site out as well"))
        name(self.sites, "training_sites", tr("Leave each site out as well"))
        self.sites.setToolTip(
            tr(
                "One more training for each site, without its patients: the figures on them say "
                "how it would be at a site that was not seen"
            )
        )
        self.sites.toggled.connect(lambda on: wish(sites=on))

    def show_state(self, now: Tuned) -> None:
        """Start where there are cases; go on where a training was stopped."""
        self._go.setEnabled(now.may_start and not now.is_finding)
        self.rate.show_state(now)
        is_stopped = now.phase == "stopped"
        self._resume.setVisible(is_stopped)
        # What went so far is lost then, so that it is not what stands out.
        self._go.setText(tr("Start anew") if is_stopped else tr("Start"))
        self._go.setToolTip(tr("From the first epoch") if is_stopped else tr("Train further"))
        styled(self._go, "" if is_stopped else "primary")
        for field in (self.version, self.method, self.epochs, self.folds, self.sites):
            field.setEnabled(now.phase != "running")
        self.method.offer(METHODS.get(now.model, ()))
        self._show_wish(now)
        self.folds.setVisible(0 < now.found.get("patients", 0) < FEW_PATIENTS and not now.is_fit)
        self.sites.setVisible(now.can_leave_sites)
        self._expected.setText(self._expected_words(now))
        self._expected.setVisible(bool(self._expected.text()))

    def _show_wish(self, now: Tuned) -> None:
        """Have the fields say what was wished, also by a training of another day."""
        place = self.version.findData(now.wish.version)
        if place >= 0 and place != self.version.currentIndex():
            self.version.blockSignals(True)
            self.version.setCurrentIndex(place)
            self.version.blockSignals(False)
        self.method.set_value(now.wish.method)
        for box, on in ((self.folds, bool(now.wish.folds)), (self.sites, now.wish.sites)):
            box.blockSignals(True)
            box.setChecked(on)
            box.blockSignals(False)
        self.epochs.blockSignals(True)
        self.epochs.setValue(now.wish.epochs)
        self.epochs.blockSignals(False)

    def _expected_words(self, now: Tuned) -> str:
        if now.phase not in ("ready", "stopped"):
            return ""
        found = self._app.tuning.earlier.expected()
        if found is None:
            return tr("No such training has run here yet: time left is told after two epochs.")
        memory = tr(", {n} MB", n=f"{found.memory_mb:.0f}") if found.memory_mb else ""
        parts = now.trainings
        return tr("About {time}{memory}.", time=duration(found.seconds * parts), memory=memory)

    def _on_version(self) -> None:
        self._app.tuning.wish(version=self.version.currentData() or "")
