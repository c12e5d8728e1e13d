"""What a reader may choose for a run: version, device, precision, draws, seed."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from medview.domain.prediction import MOST_SAMPLES
from medview.services.choices import Choices
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import label, name
from medview.ui.inputs import DecimalField, WholeField
from medview.ui.words import tr

_DEVICES = (("auto", "Automatic"), ("cpu", "CPU"), ("cuda", "GPU"))
_PRECISIONS = ("float32", "bfloat16")
_FIELD_PX = 150


class OptionsForm(QWidget):
    """Version, device, precision, samples and seed of a run; the reader's name."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "analysis_options", tr("Options"))
        self._app = app
        self.version = _choice(
            "run_version",
            tr("Version"),
            tr("Shipped weights, or weights of your own (panel Models)"),
        )
        self.device = _choice("run_device", tr("Device"), tr("Where the model runs"))
        for value, text in _DEVICES:
            self.device.addItem(tr(text), value)
        self._show_device(app.preferences.settings.device)
        self.device.activated.connect(self._on_device)
        self._has_asked = False
        self.precision = _choice(
            "run_precision",
            tr("Precision"),
            tr("Shorter numbers are faster on a GPU and a little coarser"),
        )
        for value in _PRECISIONS:
            self.precision.addItem(value, value)
        self.samples = _figure(
            "run_samples", tr("Samples"), tr("Passes whose spread is the uncertainty")
        )
        self.samples.setRange(0, MOST_SAMPLES)
        self.samples.setSpecialValueText(tr("as in the card"))
        self.seed = _figure("run_seed", tr("Seed"), tr("The same seed gives the same maps"))
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setValue(app.preferences.seed)
        self.reader, self.film_hour = self._reader(), _film_hour()
        self._film_row = _row(tr("Hour of the film"), self.film_hour)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self._film_row)
        for text, field in (
            (tr("Version"), self.version),
            (tr("Device"), self.device),
            (tr("Precision"), self.precision),
            (tr("Samples (K)"), self.samples),
            (tr("Seed"), self.seed),
            (tr("Your name"), self.reader),
        ):
            rows.addWidget(_row(text, field))

    def _reader(self) -> QLineEdit:
        preferences = self._app.preferences
        made = QLineEdit(preferences.settings.reader)
        name(made, "reader_name", tr("Your name"))
        made.setPlaceholderText(tr("kept with your answers"))
        made.setToolTip(tr("Your name, kept with each agree, reject or unsure"))
        made.editingFinished.connect(lambda: preferences.change(reader=made.text().strip()))
        return made

    def value(self) -> Choices:
        """What is chosen; 0 samples mean the card's own number."""
        return Choices(
            samples=self.samples.value() or None,
            seed=self.seed.value(),
            precision=self.precision.currentData(),
            weights=self.version.currentData(),
            film_hour=hour if (hour := self.film_hour.value()) >= 0 else None,
        )

    def show_versions(self, model: str) -> None:
        """Offer the versions of a model; None stands for the shipped weights."""
        here = self.version.currentData()
        # Only a stay has hours.
        self._film_row.setVisible(model.partition("@")[0] == "icu")
        self.version.clear()
        # Another shipped version is a model of its own in the list.
        known = self._app.models.versions(model.partition("@")[0]) if model else ()
        for each in known if "@" not in model else ():
            if not each.own and self._app.analysis.key_of(each.card) != model:
                continue
            self.version.addItem(each.card.version, str(each.weights) if each.own else None)
        self.version.setCurrentIndex(max(0, self.version.findData(here)))

    def ask_devices(self) -> None:
        """List the devices of this machine by their names, once."""
        if not self._has_asked:
            self._has_asked = True
            self._app.analysis.ask_devices(self._on_devices)

    def _on_devices(self, found: tuple[tuple[str, str], ...]) -> None:
        here = self.device.currentData()
        self.device.clear()
        self.device.addItem(tr("Automatic"), "auto")
        for value, text in found:
            self.device.addItem(text, value)
        # "cuda" without a number is the first one.
        self._show_device("cuda:0" if here == "cuda" else here)

    def _show_device(self, value: str) -> None:
        """Choose a device in the list; one that is not there is shown as it is called."""
        if self.device.findData(value) < 0:
            self.device.addItem(value, value)
        self.device.setCurrentIndex(self.device.findData(value))

    def _on_device(self) -> None:
        self._app.preferences.change(device=self.device.currentData())


def _figure(key: str, text: str, tip: str) -> WholeField:
    made = WholeField()
    name(made, key, text)
    made.setToolTip(tip)
    return made


def _choice(key: str, text: str, tip: str) -> QComboBox:
    made = QComboBox()
    name(made, key, text)
    made.setToolTip(tip)
    return made


def _film_hour() -> DecimalField:
    made = DecimalField()
    name(made, "run_film_hour", tr("Hour of the film"))
    made.setToolTip(tr("Hours from admission to the film; no header tells it"))
    made.setRange(-1, 10_000)
    made.setDecimals(1)
    made.setValue(-1)
    made.setSpecialValueText(tr("not known"))
    return made


def _row(text: str, field: QWidget) -> Row:
    field.setFixedWidth(_FIELD_PX)
    return Row(label(text), 1, field)
