"""Results: run a model, and read what it says, one line first and the rest below."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.domain.prediction import Prediction
from medview.services.session import MAPS_IN_TURN
from medview.services.telling import family
from medview.ui.app import App
from medview.ui.controls import Card, Column, Row, button, clear, label
from medview.ui.panels.analysis import AnalysisCard
from medview.ui.panels.anomaly_card import AnomalyCard
from medview.ui.panels.brain_age_card import BrainAgeCard
from medview.ui.panels.chest_card import ChestCard
from medview.ui.panels.findings import FindingsList
from medview.ui.panels.first_reader import FirstReaderCard, TablesCard
from medview.ui.panels.icu_card import IcuCard
from medview.ui.panels.result_card import ResultCard
from medview.ui.panels.style_editor import StyleEditor
from medview.ui.words import tr


class ResultsPanel(Column):
    """The card to run models, a card for each result, and what the model saw."""

    def __init__(self, app: App) -> None:
        super().__init__("panel_results", tr("Results"))
        self._app = app
        self._shown: tuple[Prediction, ...] | None = None
        self._results = QVBoxLayout()
        self._results.setSpacing(10)
        holder = QWidget()
        self._results.setContentsMargins(0, 0, 0, 0)
        holder.setLayout(self._results)
        self._map = Card("results_map", tr("Map"))
        self._map.add(StyleEditor(app, "results"))
        self._findings = FindingsList(app)
        self._map.add(self._findings)
        self._saw = SawCard(app)
        self._first = FirstReaderCard(app)
        self._tables = TablesCard(app)
        self.analysis = AnalysisCard(app)
        for part in (self._first, holder, self._map, self.analysis, self._tables, self._saw):
            self.add(part)
        for field in _HEARD:
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Make a card for each result on screen."""
        session = self._app.session
        drawn = session.overlay_on and session.map(session.map_name) is not None
        in_turn = any(each.name in MAPS_IN_TURN for each in session.maps)
        self._map.setVisible(in_turn or drawn)
        if session.results == self._shown:
            return
        self._shown = session.results
        clear(self._results)
        for result in session.results:
            kind = CARDS.get(family(result.model), ResultCard)
            self._results.addWidget(kind(self._app, result, self._app.analysis.card_of(result)))
        self._saw.refresh()


_HEARD = (
    *("predictions", "volume_id", "unfinished", "series", "read", "first_reader"),
    *("overlay_on", "map_name"),
)

#: The card of each family of models; others have the plain one.
CARDS: dict[str, type[ResultCard]] = {
    "anomaly": AnomalyCard,
    "brain-age": BrainAgeCard,
    "cxr": ChestCard,
    "icu": IcuCard,
}


class SawCard(Card):
    """What the model saw: its input as a layer, and the steps that made it."""

    def __init__(self, app: App) -> None:
        super().__init__("results_saw", tr("What the model saw"))
        self._app = app
        self._show = button(
            tr("Show"), "saw_show", look="link", tip=tr("Show the image the model was given")
        )
        self._show.clicked.connect(self._on_show)
        self._steps = QVBoxLayout()
        self._steps.setSpacing(4)
        self.add(Row(label(tr("What the model saw")), 1, self._show))
        self.add(self._steps)
        for field in ("map_name", "overlay_on"):
            getattr(app.session.events, field).connect(self.refresh)

    def refresh(self) -> None:
        """List the steps of the newest result."""
        session = self._app.session
        steps = session.results[-1].preparation if session.results else ()
        self.setVisible(bool(steps))
        seen = session.map("seen") is not None
        self._show.setVisible(seen)
        shown = seen and session.map_name == "seen" and session.overlay_on
        self._show.setText(tr("Hide") if shown else tr("Show"))
        clear(self._steps)
        for place, step in enumerate(steps, 1):
            self._steps.addWidget(label(f"{place}. {step}", "quiet", wraps=True))

    def _on_show(self) -> None:
        session, viewing = self._app.session, self._app.viewing
        if session.map_name == "seen" and session.overlay_on:
            viewing.show_map("score")
            return
        viewing.show_map("seen")
        if not session.overlay_on:
            viewing.toggle_overlay()
