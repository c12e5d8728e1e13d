"""What values are chosen with: number fields, switches, sliders, ranges."""

from __future__ import annotations

from collections.abc import Container, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QWidget,
)

from medview.ui.containers import beside
from medview.ui.controls import button, clear, label, name
from medview.ui.words import tr

_STEPS = 1000
_FIELD_MARGINS_PX = (6, 0, 4, 0)


class WholeField(QSpinBox):
    """A field for a whole number, or for words in its place, not flush to its edge."""

    def __init__(self) -> None:
        super().__init__()
        _inset(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's hook
        """Type a number, also over the words in its place."""
        _give_way(self, event)
        super().keyPressEvent(event)


class DecimalField(QDoubleSpinBox):
    """A field for a number with decimals, or for words in its place, not flush to its edge."""

    def __init__(self) -> None:
        super().__init__()
        _inset(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's hook
        """Type a number, also over the words in its place."""
        _give_way(self, event)
        super().keyPressEvent(event)


def _inset(field: QAbstractSpinBox) -> None:
    """The style sheet's padding moves the frame of such a field only, never its text."""
    field.lineEdit().setTextMargins(*_FIELD_MARGINS_PX)


def _give_way(field: QSpinBox | QDoubleSpinBox, event: QKeyEvent) -> None:
    """Let what is typed replace words that stand for no number: between them Qt refuses it."""
    if event.text() and field.text() == field.specialValueText():
        field.lineEdit().selectAll()


class Segments(QFrame):
    """A switch between a few choices, one of them on."""

    changed = Signal(str)

    def __init__(self, key: str, accessible: str) -> None:
        super().__init__()
        name(self, key, accessible)
        self.setProperty("look", "segments")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2, 2, 2, 2)
        self._row.setSpacing(1)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, QPushButton] = {}

    def set_choices(self, choices: Sequence[tuple[str, str, str]]) -> None:
        """Offer (value, text, tip) in this order; the buttons stay if nothing changed."""
        if [value for value, _, _ in choices] == list(self._buttons):
            return
        for old in self._buttons.values():
            self._group.removeButton(old)
        clear(self._row)
        self._buttons = {value: self._button(value, text, tip) for value, text, tip in choices}

    def _button(self, value: str, text: str, tip: str) -> QPushButton:
        made = button(text, f"{self.objectName()}_{value}", look="segment", tip=tip)
        made.setCheckable(True)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        made.clicked.connect(lambda: self.changed.emit(value))
        self._group.addButton(made)
        self._row.addWidget(made)
        return made

    def offer(self, values: Container[str]) -> None:
        """Let only these be chosen; the others stay in sight."""
        for value, made in self._buttons.items():
            made.setEnabled(value in values)

    def value(self) -> str:
        """What is on; empty when nothing is."""
        return next((v for v, made in self._buttons.items() if made.isChecked()), "")

    def set_value(self, value: str) -> None:
        """Switch without telling; an unknown value switches all off."""
        self._group.setExclusive(value in self._buttons)
        for key, made in self._buttons.items():
            made.setChecked(key == value)
        self._group.setExclusive(True)


class SliderRow(QWidget):
    """A slider with its name on the left and its value on the right."""

    changed = Signal(float)

    def __init__(self, text: str, key: str, *, tip: str = "") -> None:
        super().__init__()
        self._low, self._high, self._suffix, self._digits = 0.0, 1.0, "", 2
        self._factor = 1.0
        self.setToolTip(tip or text)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        name(self.slider, key, text)
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_STEPS // 10)
        self.slider.setSingleStep(_STEPS // 100)
        self._value = label("", "value")
        self._value.setMinimumWidth(44)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._label = label(text)
        beside(self, self._label, self.slider, self._value, grow=(1,))
        #: One and the same thing while the slider is held by the mouse, else None.
        self.gesture: object = None
        self.slider.sliderPressed.connect(lambda: self._hold(object()))
        self.slider.sliderReleased.connect(lambda: self._hold(None))
        self.slider.valueChanged.connect(self._on_moved)

    def _hold(self, gesture: object) -> None:
        self.gesture = gesture

    def set_range(
        self, low: float, high: float, *, suffix: str = "", digits: int = 2, factor: float = 1.0
    ) -> None:
        """What the ends mean and how the value is written (times `factor`, then `suffix`)."""
        self._low, self._high = low, max(high, low + 1e-9)
        self._suffix, self._digits, self._factor = suffix, digits, factor

    def value(self) -> float:
        """The figure the slider stands at."""
        return self._low + (self._high - self._low) * self.slider.value() / _STEPS

    def set_value(self, value: float) -> None:
        """Move it without telling."""
        share = (value - self._low) / (self._high - self._low)
        self.slider.blockSignals(True)
        self.slider.setValue(round(min(max(share, 0.0), 1.0) * _STEPS))
        self.slider.blockSignals(False)
        self._write(value)

    def _on_moved(self) -> None:
        self._write(self.value())
        self.changed.emit(self.value())

    def _write(self, value: float) -> None:
        text = f"{value * self._factor:.{self._digits}f}{self._suffix}"
        self._value.setText(text)
        # What Qt would say of a slider is the number of its steps.
        self.slider.setAccessibleDescription(text)


class RangeRow(QWidget):
    """Two figures, low and high, that stay in order."""

    changed = Signal(float, float)

    def __init__(self, text: str, key: str, *, tip: str = "") -> None:
        super().__init__()
        self.setToolTip(tip or text)
        low_words, high_words = tr("{what}, low end", what=text), tr("{what}, high end", what=text)
        self._fields = (
            self._field(f"{key}_low", low_words),
            self._field(f"{key}_high", high_words),
        )
        low, high = self._fields
        beside(self, label(text), 1, low, label("–", "quiet"), high)

    def _field(self, key: str, text: str) -> QDoubleSpinBox:
        made = DecimalField()
        name(made, key, text)
        made.setRange(-1e9, 1e9)
        made.setDecimals(3)
        made.setFixedWidth(82)
        made.setKeyboardTracking(False)
        made.setAlignment(Qt.AlignmentFlag.AlignRight)
        made.valueChanged.connect(self._on_changed)
        return made

    def value(self) -> tuple[float, float]:
        """Low and high."""
        return self._fields[0].value(), self._fields[1].value()

    def set_value(self, low: float, high: float) -> None:
        """Write both without telling; small numbers get more decimals."""
        span = abs(high - low)
        decimals = 1 if span >= 10 else 2 if span >= 1 else 4 if span >= 0.01 else 6
        for field, value in zip(self._fields, (low, high), strict=True):
            field.blockSignals(True)
            if field.decimals() != decimals:
                field.setDecimals(decimals)
            field.setSingleStep(max(span / 20, 10.0**-decimals))
            field.setValue(value)
            field.blockSignals(False)

    def _on_changed(self) -> None:
        low, high = self.value()
        if low < high:
            self.changed.emit(low, high)
