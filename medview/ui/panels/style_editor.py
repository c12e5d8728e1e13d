"""How the shown map is drawn: which map, opacity, threshold, range and what fades it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from medview.domain.overlay import LayerStyle, ScalarMap
from medview.imaging.colour import COLOUR_MAPS
from medview.services.session import MAPS_IN_TURN
from medview.ui.app import App
from medview.ui.containers import GAP, Row
from medview.ui.controls import label, name
from medview.ui.inputs import RangeRow, Segments, SliderRow
from medview.ui.words import tr

SHORT_NAMES = {
    "score": "Score",
    "residual": "Residual",
    "epistemic": "Epistemic",
    "aleatoric": "Aleatoric",
    "total": "Total",
}
_TIPS = {
    "score": "How unusual a place is, measured in its own uncertainty",
    "residual": "Squared difference between the image and what the model expects",
    "epistemic": "Uncertainty of the model: it has seen little like this",
    "aleatoric": "Uncertainty of the image: noise, edges, partial volume",
    "total": "Epistemic and aleatoric uncertainty together",
}


def map_title(found: ScalarMap) -> str:
    """What a map is called on screen."""
    title = found.title or SHORT_NAMES.get(found.name, found.name)
    return title[:1].upper() + title[1:]


class StyleEditor(QWidget):
    """Edits the style of ``session.map_name``; nothing here touches the image's window."""

    def __init__(self, app: App, key: str = "style") -> None:
        super().__init__()
        self._app = app
        self.maps = Segments(f"{key}_maps", tr("Map"))
        self.opacity = SliderRow(tr("Opacity"), f"{key}_opacity", tip=tr("Opacity ([ and ])"))
        self.opacity.set_range(0, 1, suffix=" %", digits=0, factor=100)
        self.threshold = SliderRow(
            tr("Threshold"), f"{key}_threshold", tip=tr("Nothing is drawn below this value")
        )
        self.range = RangeRow(
            tr("Display range"), f"{key}_range", tip=tr("Values that the colours span")
        )
        self.fade = _combo(f"{key}_fade", tr("Fade by"), tr("High values of it take opacity away"))
        self.colours = _combo(f"{key}_colours", tr("Colours"), tr("Colours of this map"))
        self.colours.addItems(COLOUR_MAPS)
        self.drawing = Segments(f"{key}_drawing", tr("Drawing"))
        self.drawing.set_choices(
            [
                ("fill", tr("Fill"), tr("Colour the whole region")),
                ("outline", tr("Outline"), tr("Draw its edge only; the image stays clear")),
            ]
        )
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        for part in (self.maps, self.opacity, self.threshold, self.range):
            rows.addWidget(part)
        for text, combo in ((tr("Fade by"), self.fade), (tr("Colours"), self.colours)):
            rows.addWidget(Row(label(text), 1, combo))
        rows.addWidget(Row(label(tr("Drawing")), 1, self.drawing))
        self.drawing.setFixedWidth(176)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        viewing, events = self._app.viewing, self._app.session.events
        self.maps.changed.connect(viewing.maps.show_map)
        opacity, threshold = self.opacity, self.threshold
        opacity.changed.connect(lambda to: self._change(opacity.gesture, opacity=round(to, 2)))
        threshold.changed.connect(lambda to: self._change(threshold.gesture, threshold=to))
        self.range.changed.connect(lambda low, high: self._change(range=(low, high)))
        self.fade.activated.connect(lambda: self._change(fade_by=self.fade.currentData()))
        self.colours.activated.connect(lambda: self._change(colour_map=self.colours.currentText()))
        self.drawing.changed.connect(lambda value: self._change(outline=value == "outline"))
        for field in ("styles", "map_name", "predictions", "unfinished", "volume_id"):
            getattr(events, field).connect(self.refresh)

    def _change(self, gesture: object = None, **fields: object) -> None:
        """Give the shown map a style that differs in these fields; a drag is one step back."""
        session = self._app.session
        style = replace(session.style(session.map_name), **fields)  # type: ignore[arg-type]  # fields of LayerStyle
        self._app.viewing.maps.set_style(session.map_name, style, gesture)

    def refresh(self) -> None:
        """Read map and style again."""
        session = self._app.session
        found = session.map(session.map_name)
        self.setEnabled(found is not None)
        there = {each.name: each for each in session.maps}
        names = [each for each in MAPS_IN_TURN if each in there]
        self.maps.set_choices([(n, tr(SHORT_NAMES[n]), tr(_TIPS[n])) for n in names])
        self.maps.setVisible(len(names) > 1)
        self.maps.set_value(session.map_name)
        if found is not None:
            self._show(found, session.style(session.map_name), there)

    def _show(self, found: ScalarMap, style: LayerStyle, there: dict[str, ScalarMap]) -> None:
        self.opacity.set_value(style.opacity)
        # Labels have no order: neither a value to begin at nor a span.
        for part in (self.threshold, self.range):
            part.setVisible(found.kind != "labels")
        low, high = min(0.0, found.range[0]), max(found.range[1], style.threshold)
        self.threshold.set_range(low, high, digits=1 if high >= 5 else 2 if high >= 0.5 else 4)
        self.threshold.set_value(style.threshold)
        self.range.set_value(*style.range)
        self.drawing.set_value("outline" if style.outline else "fill")
        self.fade.clear()
        self.fade.addItem(tr("nothing"), None)
        for each in there.values():
            if each.kind == "uncertainty" and each.name != found.name:
                self.fade.addItem(tr(each.title or each.name), each.name)
        self.fade.setCurrentIndex(max(0, self.fade.findData(style.fade_by)))
        if self.colours.findText(style.colour_map) < 0:
            self.colours.addItem(style.colour_map)
        self.colours.setCurrentText(style.colour_map)


def _combo(key: str, text: str, tip: str) -> QComboBox:
    made = QComboBox()
    name(made, key, text)
    made.setToolTip(tip)
    made.setFixedWidth(176)
    return made
