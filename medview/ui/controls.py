"""Small parts that several panels are made of: cards, headings, tags, sliders, switches."""

from __future__ import annotations

from collections.abc import Container, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QButtonGroup,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from medview.ui.words import plain_tip

_STEPS = 1000
_FIELD_MARGINS_PX = (6, 0, 4, 0)
# Frame and padding of a button of the look "row", as in the style sheet.
_BUTTON_PADDING_PX = 9
GAP = 8


def name(widget: QWidget, key: str, accessible: str) -> None:
    """Give a widget the name tests use and the one a screen reader says."""
    widget.setObjectName(key)
    widget.setAccessibleName(accessible)


def styled(widget: QWidget, look: str) -> None:
    """Let the style sheet know what a widget is; the look may change later."""
    if widget.property("look") == look:
        return
    widget.setProperty("look", look)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def label(text: str = "", look: str = "", *, wraps: bool = False) -> QLabel:
    """A text with a look of the style sheet: strong, quiet, result, heading, tag, ..."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    if look:
        made.setProperty("look", look)
    return made


def button(text: str, key: str, *, look: str = "", tip: str = "") -> QPushButton:
    """A push button with its names and tip."""
    made = QPushButton(text)
    name(made, key, text)
    made.setToolTip(tip or text)
    if "\n" in text:
        made.setProperty("lines", 2)
    if look:
        made.setProperty("look", look)
    return made


class WholeField(QSpinBox):
    """A field for a whole number, or for words in its place, not flush to its edge."""

    def __init__(self) -> None:
        super().__init__()
        _inset(self)


class DecimalField(QDoubleSpinBox):
    """A field for a number with decimals, not flush to its edge."""

    def __init__(self) -> None:
        super().__init__()
        _inset(self)


def _inset(field: QAbstractSpinBox) -> None:
    """The style sheet's padding moves the frame of such a field only, never its text."""
    field.lineEdit().setTextMargins(*_FIELD_MARGINS_PX)


def clear(layout: QLayout) -> None:
    """Take all widgets out of a layout that lies in a widget, and let them go; stretches stay."""
    owner = layout.parentWidget()
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    for widget in owner.findChildren(QWidget, options=direct) if owner is not None else []:
        if layout.indexOf(widget) >= 0:
            layout.removeWidget(widget)
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()


def beside(
    owner: QWidget, *parts: QWidget | int, gap: int = GAP, grow: Sequence[int] = ()
) -> QHBoxLayout:
    """Lay parts out from left to right in a widget; an int among them is a stretch.

    The parts at the places in `grow` share the free room. The layout has its widget before it
    holds anything: PySide gives each item of a filled layout that is put into another, or onto a
    widget, a Python object that outlives the item (`itemAt` and `takeAt` do the same). When a
    layout is made later at the same address, the end of that layout ends the program.
    """
    row = QHBoxLayout(owner)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(gap)
    for part in parts:
        if isinstance(part, int):
            row.addStretch(part)
        else:
            row.addWidget(part)
    for place in grow:
        row.setStretch(place, 1)
    return row


class Row(QWidget):
    """Widgets beside each other."""

    def __init__(self, *parts: QWidget | int, gap: int = GAP, grow: Sequence[int] = ()) -> None:
        super().__init__()
        beside(self, *parts, gap=gap, grow=grow)


def _add(rows: QVBoxLayout, parts: Sequence[QWidget | QLayout]) -> None:
    for part in parts:
        if isinstance(part, QLayout):
            rows.addLayout(part)
        else:
            rows.addWidget(part)


class Card(QFrame):
    """A rounded box with rows below each other."""

    def __init__(self, key: str, accessible: str) -> None:
        super().__init__()
        name(self, key, accessible)
        self.setProperty("look", "card")
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(12, 10, 12, 12)
        self.rows.setSpacing(GAP)

    def add(self, *parts: QWidget | QLayout) -> None:
        """Put rows at the end; a layout among them is still empty."""
        _add(self.rows, parts)


class Fold(QWidget):
    """Rows that are there when asked for: a link that opens and closes them."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__()
        self._text = text
        self.link = button(text, key, look="link")
        self.link.clicked.connect(lambda: self.set_open(on=not self.is_open))
        self._body = QWidget()
        self._rows = QVBoxLayout(self._body)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(GAP)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        rows.addWidget(Row(self.link, 1))
        rows.addWidget(self._body)
        self.set_open(on=False)

    @property
    def is_open(self) -> bool:
        """Whether its rows are to be seen."""
        return not self._body.isHidden()

    def set_open(self, *, on: bool) -> None:
        """Show or hide the rows."""
        self._body.setVisible(on)
        self.link.setText(f"{self._text} {'▾' if on else '▸'}")

    def add(self, *parts: QWidget | QLayout) -> None:
        """Put rows at the end; a layout among them is still empty."""
        _add(self._rows, parts)


class Column(QScrollArea):
    """Cards below each other that scroll when there is no room."""

    def __init__(self, key: str, accessible: str) -> None:
        super().__init__()
        name(self, key, accessible)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        self.rows = QVBoxLayout(inner)
        self.rows.setContentsMargins(12, 12, 12, 12)
        self.rows.setSpacing(10)
        self.rows.addStretch(1)
        self.setWidget(inner)

    def add(self, part: QWidget) -> None:
        """Put a widget below the others."""
        self.rows.insertWidget(self.rows.count() - 1, part)


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
        self._value.setText(f"{value * self._factor:.{self._digits}f}{self._suffix}")


class RangeRow(QWidget):
    """Two figures, low and high, that stay in order."""

    changed = Signal(float, float)

    def __init__(self, text: str, key: str, *, tip: str = "") -> None:
        super().__init__()
        self.setToolTip(tip or text)
        self._fields = (self._field(f"{key}_low", text), self._field(f"{key}_high", text))
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


class ElidedLabel(QLabel):
    """A line with less room than it may need, then with the whole text as its tip.

    The first of the `shorter` texts that fits stands in its place; where there is none, the line
    ends in "…".
    """

    def __init__(self, text: str = "", look: str = "", shorter: Sequence[str] = ()) -> None:
        super().__init__()
        self._text, self._shorter = "", shorter
        self.setTextFormat(Qt.TextFormat.PlainText)
        if look:
            self.setProperty("look", look)
        self.setMinimumWidth(20)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show a text, as much of it as fits."""
        if text == self._text:
            return
        self._text = text
        self.setAccessibleName(text)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As wide as the whole text."""
        return QSize(
            self.fontMetrics().horizontalAdvance(self._text) + 2, super().sizeHint().height()
        )

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Fit the text again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        size, right = self.fontMetrics(), Qt.TextElideMode.ElideRight
        texts = (self._text, *self._shorter)
        fits = (text for text in texts if size.elidedText(text, right, self.width()) == text)
        fitted = next(fits, None) or size.elidedText(texts[-1], right, self.width())
        tip = plain_tip(self._text) if fitted != self._text else ""
        self.setText(fitted)
        if tip != self.toolTip():
            self.setToolTip(tip)


class ElidedButton(QPushButton):
    """A button whose text ends in "…" where there is no room; the tip begins with it then."""

    def __init__(self, text: str, key: str, tip: str) -> None:
        super().__init__(text)
        self._text, self._tip = text, tip
        name(self, key, text)
        self.setToolTip(plain_tip(tip))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Fit the text again."""
        super().resizeEvent(event)
        room = self.width() - 2 * _BUTTON_PADDING_PX
        fitted = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, room)
        self.setText(fitted)
        cut = fitted != self._text
        self.setToolTip(plain_tip(f"{self._text}\n{self._tip}" if cut else self._tip))


class Held(QWidget):
    """As large as its place, with one widget in it: that one's text lays out nothing anew.

    A label tells every layout above it of each text, for it could need more room.
    """

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside = inside
        inside.setParent(self)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's hook
        """As high as what it holds."""
        return self._inside.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's hook
        """Give all the room away."""
        super().resizeEvent(event)
        self._inside.resize(self.size())
