"""Results: run a model, and read what it says, one line first and the rest below."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.domain.prediction import Prediction
from medview.domain.wording import typeset
from medview.services.session import MAPS_IN_TURN
from medview.services.session_values import VolumeId
from medview.services.telling import family
from medview.ui.app import App
from medview.ui.containers import Card, Column, Fold, Row
from medview.ui.controls import button, clear, label
from medview.ui.panels.analysis import AnalysisCard
from medview.ui.panels.anomaly_card import AnomalyCard
from medview.ui.panels.brain_age_card import BrainAgeCard
from medview.ui.panels.chest_card import ChestCard
from medview.ui.panels.findings import FindingsList
from medview.ui.panels.first_reader import FirstReaderCard, TablesCard
from medview.ui.panels.icu_card import IcuCard
from medview.ui.panels.kept_focus import KeptFocus
from medview.ui.panels.result_card import ResultCard
from medview.ui.panels.style_editor import StyleEditor
from medview.ui.tab_order import in_order
from medview.ui.words import tr


class ResultsPanel(Column):
    """The card to run models, a card for each result, and what the model saw."""

    def __init__(self, app: App) -> None:
        super().__init__("panel_results", tr("Results"))
        self._app = app
        self._open: set[tuple[str, VolumeId | None]] = set()
        self._about: VolumeId | None = None
        self._shown: tuple[tuple[Prediction, ...], tuple[str, ...]] | None = None
        self._results = QVBoxLayout()
        self._results.setSpacing(10)
        self._cards = QWidget()
        self._results.setContentsMargins(0, 0, 0, 0)
        self._cards.setLayout(self._results)
        self._map = Card("results_map", tr("Map"))
        self._map.add(StyleEditor(app, "results"))
        self._findings = FindingsList(app)
        self._map.add(self._findings)
        self._saw = SawCard(app)
        self._first = FirstReaderCard(app)
        self._tables = TablesCard(app)
        self.analysis = AnalysisCard(app)
        self._focus = KeptFocus(self._cards, self.analysis.more)
        self.analysis.listed.connect(self._in_order)
        for part in (self._first, self._cards, self._map, self.analysis, self._tables, self._saw):
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
        # Cards say which of the open tables they were made from.
        shown = (session.results, tuple(session.tables))
        if shown == self._shown:
            return
        self._shown = shown
        self._focus.before()
        self._remember_open()
        # Empty, it would still take the gap between two cards.
        self._cards.setVisible(bool(session.results))
        clear(self._results)
        for result in session.results:
            kind = CARDS.get(family(result.model), ResultCard)
            made = kind(self._app, result, self._app.analysis.card_of(result))
            made.behind.set_open(on=(result.model, session.volume_id) in self._open)
            self._results.addWidget(made)
        self._saw.refresh()
        self._in_order()
        self._focus.after()

    def _remember_open(self) -> None:
        """Of which results on screen the details are open: one that is made anew keeps them."""
        about = self._about
        self._about = self._app.session.volume_id
        for card in self._cards.findChildren(ResultCard):
            if card.behind.is_open:
                self._open.add((card.result.model, about))
            else:
                self._open.discard((card.result.model, about))

    def _in_order(self) -> None:
        """Let Tab go through the cards as they are seen."""
        above = (self._first, self._cards, self._map)
        in_order(self, (*above, *self.analysis.parts, self._tables, self._saw))


_HEARD = (
    *("predictions", "volume_id", "unfinished", "series", "read", "first_reader"),
    *("overlay_on", "map_name", "tables"),
)

_SEEN = "seen"

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
        fold = Fold("saw_steps", tr("Preparation"))
        fold.add(self._steps)
        self.add(Row(label(tr("What the model saw")), 1, self._show), fold)
        self._told: Prediction | None = None
        for field in ("map_name", "overlay_on", "predictions", "volume_id"):
            getattr(app.session.events, field).connect(self.refresh)

    @property
    def result(self) -> Prediction | None:
        """What it is about: the result of the chosen map, else the newest one."""
        session = self._app.session
        return session.owner(session.map_name) or next(reversed(session.results), None)

    @property
    def _key(self) -> str | None:
        """The key of the picture that the model was given."""
        result = self.result
        return self._app.session.key_of(result, _SEEN) if result is not None else None

    def refresh(self) -> None:
        """List the steps of the result."""
        session, result = self._app.session, self.result
        self.setVisible(result is not None and bool(result.preparation))
        key = self._key
        self._show.setVisible(key is not None)
        shown = key is not None and session.map_name == key and session.overlay_on
        self._show.setText(tr("Hide") if shown else tr("Show"))
        if result is self._told:
            return
        self._told = result
        clear(self._steps)
        steps = result.preparation if result is not None else ()
        if result is not None and len(session.results) > 1:
            by = label(session.named(result), "quiet")
            self._steps.addWidget(by)
        for place, step in enumerate(steps, 1):
            self._steps.addWidget(label(f"{place}. {typeset(step)}", "quiet", wraps=True))

    def _on_show(self) -> None:
        session, viewing, key = self._app.session, self._app.viewing, self._key
        if key is None:
            return
        if session.map_name == key and session.overlay_on:
            viewing.maps.show_map("score")
            if session.map_name == key:
                viewing.maps.toggle_overlay()
            return
        viewing.maps.show_map(key)
        if not session.overlay_on:
            viewing.maps.toggle_overlay()
