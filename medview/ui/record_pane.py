"""The record of a stay beside the film: one row a variable, one time axis, one cursor."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from medview.domain.prediction import Prediction, TracePoint
from medview.domain.record import Record, Strip
from medview.domain.variable_names import unit_name, variable_name
from medview.services.telling import family, main_score, unit_tag
from medview.ui.app import App
from medview.ui.controls import label, name
from medview.ui.panels.icu_card import RISKS
from medview.ui.record_axis import TimeAxis
from medview.ui.theme import PANE_ACCENT, PANE_ACTIVE, PANE_BACK, PANE_QUIET, PANE_STRONG, base_font
from medview.ui.words import number, tr

_WORDS_PX = 168.0
_ROW_PX, _RISK_PX, _AXIS_PX = 46, 104, 22
_RIGHT_PX = 16.0
_GRID = "#20252c"
_DOT_PX = 2.2
_SHARE, _SHARE_ALONE = 0.46, 0.7
_LEAST_PX = 340
_LACKS_HOURS = "{n} of the hours not measured"

_HEARD = ("tables", "hour", "predictions", "volume", "volume_id", "read", "first_reader")


class RecordPane(QWidget):
    """Seen while a record is open; the cursor of all rows is ``session.hour``."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "record", tr("Record of the stay"))
        self._app = app
        self.strips = Strips(app)
        self.setMinimumWidth(_LEAST_PX)
        self._had_image = False
        scroll = QScrollArea()
        name(scroll, "record_scroll", tr("Variables in time"))
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what lies in it has the keyboard
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.strips)
        scroll.setProperty("look", "pane")
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The axis stays at the lower edge of what is seen: what moves would leave it behind.
        scroll.verticalScrollBar().valueChanged.connect(self.strips.update)
        scroll.verticalScrollBar().rangeChanged.connect(self.strips.update)
        self._foot = label("", "quiet", wraps=True)
        self._foot.setContentsMargins(10, 4, 10, 6)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(scroll, 1)
        rows.addWidget(self._foot)
        for field in _HEARD:
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Read the record, the result and the cursor again."""
        table = self._app.session.tables.get("series")
        record = table.record if table is not None else None
        came_up, has_image = self.isHidden(), self._app.session.volume is not None
        self.setVisible(record is not None)
        if record is None:
            return
        if came_up or has_image != self._had_image:
            self._had_image = has_image
            self._take_room(_SHARE if has_image else _SHARE_ALONE)
        self.strips.show_record(record, risk_of(self._app.session.results))
        said = tr("filled: measured   hollow: carried on")
        if self.strips.film_hour is not None:
            said = tr("{others}   dashed: film", others=said)
        share = f"{record.imputed_share:.0%}".replace("%", "\u00a0%")
        lacks = "{n} of the days not measured" if record.step > 1 else _LACKS_HOURS
        self._foot.setText(f"{said}   ·   {tr(lacks, n=share)}")

    def _take_room(self, share: float) -> None:
        """Nearly half of the room beside a film, and more where there is none."""
        splitter = self.parentWidget()
        if isinstance(splitter, QSplitter):
            here, sizes = splitter.indexOf(self), splitter.sizes()
            room = sizes[0] + sizes[here]
            sizes[0], sizes[here] = round(room * (1 - share)), round(room * share)
            splitter.setSizes(sizes)


def risk_of(results: tuple[Prediction, ...]) -> Prediction | None:
    """The newest result with a risk hour by hour."""
    fitting = [each for each in results if family(each.model) == "icu"]
    return fitting[-1] if fitting else None


class Strips(QWidget):
    """Draws risk and variables; press or drag to move the cursor."""

    def __init__(self, app: App) -> None:
        super().__init__()
        name(self, "strips", tr("Variables in time"))
        self._app = app
        self._record: Record | None = None
        self._result: Prediction | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(320)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(tr("Drag to read the values of an hour; Left and Right go an hour"))

    def show_record(self, record: Record, result: Prediction | None) -> None:
        """Draw this record with this result (or none)."""
        self._record, self._result = record, result
        self.setFixedHeight(self._top + len(record.strips) * _ROW_PX + _AXIS_PX)
        self.setAccessibleDescription(self.words)
        self.update()

    @property
    def words(self) -> str:
        """All values at the cursor, to be read aloud."""
        texts = self.value_texts().items()
        said = [f"{tr(variable_name(key))} {text}" for key, text in texts]
        return ", ".join((self.axis.words(self._cursor), *said))

    @property
    def _trace(self) -> tuple[TracePoint, ...]:
        return self._result.trace if self._result is not None else ()

    @property
    def _title(self) -> str:
        """What the trace is a risk of."""
        score = main_score(self._result) if self._result is not None else None
        return tr(RISKS.get(score.name if score is not None else "", RISKS["mortality"])[0])

    @property
    def _top(self) -> int:
        """Height of the risk above the variables; none without a trace."""
        return _RISK_PX if self._trace else 6

    @property
    def hours(self) -> float:
        """Length of the time axis."""
        last = self._record.last if self._record is not None else 0.0
        return max(1.0, last, *(point.hour for point in self._trace))

    @property
    def axis(self) -> TimeAxis:
        """Where the hours of the stay stand."""
        return TimeAxis(self.hours, _WORDS_PX, self.width() - _RIGHT_PX)

    @property
    def film_hour(self) -> float | None:
        """The hour of the film, where the run was told it; a run without the record knows none."""
        result = self._result
        has_record = result is not None and any(each.role == "series" for each in result.inputs)
        told = result.parameters.get("film_hour") if result is not None and has_record else None
        return float(told) if isinstance(told, int | float) else None

    def value_texts(self) -> dict[str, str]:
        """The value of each variable at the cursor (at the end without one), in words."""
        if self._record is None:
            return {}
        hour = self._cursor
        texts = {each.name: value_text(each, each.at(hour)) for each in self._record.strips}
        risk = [point for point in self._trace if point.hour <= hour]
        return texts | ({"mortality": f"{risk[-1].mortality:.2f}"} if risk else {})

    @property
    def _cursor(self) -> float:
        return self.hours if self._app.session.hour is None else self._app.session.hour

    # -- mouse -----------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Put the cursor there."""
        self._app.records.look_at(self.axis.hour_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw the cursor along."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._app.records.look_at(self.axis.hour_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's hook
        """Move the cursor by a step of the record, or to an end; Up and Down scroll."""
        key, record = Qt.Key(event.key()), self._record
        ends = {Qt.Key.Key_Home: 0.0, Qt.Key.Key_End: self.hours}
        step = {Qt.Key.Key_Left: -1.0, Qt.Key.Key_Right: 1.0}.get(key)
        if record is None or (step is None and key not in ends):
            super().keyPressEvent(event)
        elif step is None:
            self._app.records.look_at(ends[key])
        else:
            self._app.records.look_at(self._cursor + step * record.step)

    # -- drawing ---------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's hook
        """Draw all rows."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(PANE_BACK))
        if self._record is None:
            painter.end()
            return
        texts = self.value_texts()
        if self._trace:
            self._draw_risk(painter, texts.get("mortality", "–"))
        for row, strip in enumerate(self._record.strips):
            area = QRectF(0, self._top + row * _ROW_PX, self.width(), _ROW_PX)
            self._draw_row(painter, area, strip, texts[strip.name])
        self._draw_marks(painter)
        self._draw_axis(painter)
        if self.hasFocus():
            seen = QRectF(self.visibleRegion().boundingRect())
            painter.setPen(QPen(QColor(PANE_ACCENT), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(seen.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _draw_risk(self, painter: QPainter, value: str) -> None:
        area = QRectF(0, 0, self.width(), _RISK_PX)
        trace = self._trace
        _write(painter, 10, 8, self._title, PANE_STRONG, bold=True)
        _write(painter, 10, 27, tr("hour by hour"), PANE_QUIET, px=12)
        if trace[-1].low is not None:
            _write(painter, 10, 44, tr("with its interval"), PANE_QUIET, px=12)
        _write(painter, 10, 66, value, PANE_ACCENT, bold=True)
        tops = [p.high if p.high is not None else p.mortality for p in trace]
        top = min(1.0, max(0.2, math.ceil(max(tops) * 5) / 5))

        def place(hour: float, risk: float) -> QPointF:
            share = risk / top
            return QPointF(self.axis.x_of(hour), area.bottom() - 10 - (area.height() - 26) * share)

        band = [place(p.hour, p.high) for p in trace if p.high is not None]
        band += [place(p.hour, p.low) for p in reversed(trace) if p.low is not None]
        if band:
            soft = QColor(PANE_ACCENT)
            soft.setAlpha(45)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(soft)
            painter.drawPolygon(QPolygonF(band))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(PANE_ACCENT), 2))
        painter.drawPolyline(QPolygonF([place(p.hour, p.mortality) for p in trace]))
        for risk, words in ((top, f"{top:.1f}"), (0.0, "0.0")):
            y = place(0.0, risk).y() - 7
            _write(painter, _WORDS_PX - 12, y, words, PANE_QUIET, px=11, right=True)
        self._line_below(painter, area)

    def _draw_row(self, painter: QPainter, area: QRectF, strip: Strip, value: str) -> None:
        said = _fitted(tr(variable_name(strip.name)), _WORDS_PX - 76)
        _write(painter, 10, area.top() + 6, said, PANE_STRONG, px=12)
        tag = self._unit_tag(strip)
        colour = PANE_ACTIVE if tag else PANE_QUIET
        _write(painter, 10, area.top() + 24, tag or unit_name(strip.unit), colour, px=11)
        _write(painter, _WORDS_PX - 12, area.top() + 6, value, PANE_ACCENT, right=True)
        assert self._record is not None  # rows are those of a record
        step = max(self._record.step, self.axis.dot_step)
        carried = strip.carried(self._record.last, step)
        values = strip.values
        low, high = min(values), max(values)
        span = (high - low) or 1.0

        def place(hour: float, value: float) -> QPointF:
            share = (value - low) / span if high > low else 0.5
            return QPointF(self.axis.x_of(hour), area.bottom() - 11 - (area.height() - 22) * share)

        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(PANE_ACCENT).darker(140), 1))
        for hour, kept in carried:
            painter.drawEllipse(place(hour, kept), _DOT_PX, _DOT_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(PANE_ACCENT))
        for hour, value_ in zip(strip.hours, values, strict=True):
            painter.drawEllipse(place(hour, value_), _DOT_PX, _DOT_PX)
        self._line_below(painter, area)

    def _unit_tag(self, strip: Strip) -> str:
        """What a model has changed about the unit of a variable, else what speaks against it."""
        tag = unit_tag(strip, self._app.session.results)
        return tr(tag) if tag else ""

    @property
    def axis_top(self) -> int:
        """Where the axis begins: below the last row, or at the lower edge of what is seen of it."""
        seen = self.visibleRegion().boundingRect()
        return (self.height() if seen.isEmpty() else seen.bottom() + 1) - _AXIS_PX

    def _draw_axis(self, painter: QPainter) -> None:
        top, axis = self.axis_top, self.axis
        painter.fillRect(QRectF(0, top, self.width(), _AXIS_PX), QColor(PANE_BACK))
        self._line_below(painter, QRectF(0, 0, self.width(), top))
        for hour, text in axis.ticks:
            wide = _metrics(11).horizontalAdvance(text)
            left = min(axis.x_of(hour) - wide / 2, self.width() - wide - 2)
            _write(painter, left, top + 4, text, PANE_QUIET, px=11)

    def _draw_marks(self, painter: QPainter) -> None:
        axis = self.axis
        if self.film_hour is not None:
            words = tr("film, {when}", when=axis.words(self.film_hour))
            self._mark(painter, self.film_hour, words, PANE_ACTIVE, Qt.PenStyle.DashLine)
        cursor = self._app.session.hour
        if cursor is not None:
            words, plain = axis.words(cursor), Qt.PenStyle.SolidLine
            self._mark(painter, cursor, words, PANE_STRONG, plain, 16)

    def _mark(
        self, painter: QPainter, hour: float, words: str, colour: str, look: Qt.PenStyle, y: int = 2
    ) -> None:
        """A line through all rows, and at its top what it is, on the side with more room."""
        self._upright(painter, hour, colour, look)
        wide, at = _metrics(11).horizontalAdvance(words), self.axis.x_of(hour)
        left = at + 5 if at + wide + 8 < self.width() else at - wide - 5
        _write(painter, left, y, words, colour, px=11)

    def _upright(self, painter: QPainter, hour: float, colour: str, look: Qt.PenStyle) -> None:
        painter.setPen(QPen(QColor(colour), 1, look))
        at = round(self.axis.x_of(hour)) + 0.5
        painter.drawLine(QPointF(at, 0), QPointF(at, self.height() - _AXIS_PX))

    def _line_below(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QPen(QColor(_GRID), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())


def value_text(strip: Strip, value: float | None) -> str:
    """A value with the decimals that its column is written with; "–" where none is known."""
    if value is None:
        return "–"
    digits = strip.decimals
    text = number(value) if digits is None else f"{value:.{digits}f}"
    return text.replace("-", "\u2212")


def _font(px: int, *, bold: bool = False) -> QFont:
    font = base_font()
    font.setPixelSize(px)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def _metrics(px: int) -> QFontMetricsF:
    return QFontMetricsF(_font(px))


def _fitted(text: str, room: float) -> str:
    return _metrics(12).elidedText(text, Qt.TextElideMode.ElideRight, room)


def _write(
    painter: QPainter,
    x: float,
    y: float,
    text: str,
    colour: str,
    *,
    px: int = 13,
    bold: bool = False,
    right: bool = False,
) -> None:
    """Write one line with its top at `y`; `x` is its left end, or its right one."""
    font = _font(px, bold=bold)
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    left = x - metrics.horizontalAdvance(text) if right else x
    painter.drawText(QPointF(left, y + metrics.ascent()), text)
