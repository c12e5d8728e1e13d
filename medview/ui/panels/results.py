"""Results: run a model, and read what it says, one line first and the rest below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medview.domain.prediction import Prediction, Score
from medview.ui.app import App
from medview.ui.controls import Card, Column, ElidedLabel, Row, button, clear, label, name
from medview.ui.panels.analysis import AnalysisCard
from medview.ui.panels.findings import FindingsList
from medview.ui.panels.style_editor import StyleEditor
from medview.ui.words import interval, number, tr

_UNUSUAL_PERCENT = 95.0


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
        self.analysis = AnalysisCard(app)
        for part in (holder, self._map, self.analysis, self._saw):
            self.add(part)
        for field in ("predictions", "volume_id", "unfinished", "series"):
            getattr(app.session.events, field).connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Make a card for each result on screen."""
        session = self._app.session
        self._map.setVisible(bool(session.maps))
        if session.results == self._shown:
            return
        self._shown = session.results
        clear(self._results)
        cards = {card.id: card for card in self._app.analysis.cards()}
        for result in session.results:
            card = cards.get(result.model)
            title = card.title if card is not None else result.model
            self._results.addWidget(ResultCard(result, title))
        self._saw.refresh()


class ResultCard(Card):
    """One result: the line that matters, then warnings and other scores."""

    def __init__(self, result: Prediction, title: str) -> None:
        super().__init__(f"result_{result.model}", title)
        self._add_head(result, title)
        if result.scores:
            self._add_line(result)
        for score in result.scores[1:]:
            if not score.name.endswith("_percentile"):
                self.add(_score_row(score))
        for text in dict.fromkeys(note.text for note in result.warnings):
            self.add(label(text[:1].upper() + text[1:], "quiet", wraps=True))

    def _add_head(self, result: Prediction, title: str) -> None:
        what = result.scores[0].name if result.scores else result.model
        head = label(tr(what.replace("_", " ").capitalize()))
        made_by = f"{title} {result.version} · {device_name(result.device)}"
        self.add(head_row(head, tag_of(result), made_by))

    def _add_line(self, result: Prediction) -> None:
        first = result.scores[0]
        unit = "" if first.unit in ("1", "") else f" {first.unit}"
        value = label(number(first.value) + unit if first.value is not None else "–", "result")
        name(value, "result_value", f"{first.name} {number(first.value)}{unit}")
        value.setToolTip(first.meaning)
        parts = [interval(first.low, first.high), rank_text(result)]
        if first.status == "extrapolating":
            parts.append(tr("outside the training data"))
        if first.value is None:
            parts = [first.meaning]
        rest = label(" · ".join(part for part in parts if part), "quiet", wraps=True)
        name(rest, "result_rest", rest.text())
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(value)
        row.addWidget(rest, 1)
        self.add(row)
        if first.value is not None and first.meaning:
            self.add(
                label(first.meaning[:1].upper() + first.meaning[1:] + ".", "quiet", wraps=True)
            )


def head_row(head: QWidget, tag: str, made_by: str) -> QHBoxLayout:
    """The first line of a card: what, a tag where there is something to notice, and by whom."""
    parts: list[QWidget | int] = [head]
    if tag:
        parts.append(label(tr(tag), "tag-attention"))
    right = ElidedLabel(made_by, "quiet")
    right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    row = Row(*parts, right)
    row.setStretch(row.count() - 1, 1)
    return row


def tag_of(result: Prediction) -> str:
    """A word for a result that stands out among normals; empty where it does not."""
    rank = next((s for s in result.scores if s.name.endswith("_percentile")), None)
    if rank is None or rank.value is None or rank.status != "ok":
        return ""
    return "unusual" if rank.value >= _UNUSUAL_PERCENT else ""


def rank_text(result: Prediction) -> str:
    """Where the result stands among normals, such as "above 98 % of normals"."""
    rank = next((s for s in result.scores if s.name.endswith("_percentile")), None)
    if rank is None or rank.value is None:
        return ""
    if rank.value >= 100:
        return tr("above all normals")
    if rank.value >= 100:
        return tr("above all normals left out in training")
    return tr("above {n} % of normals", n=f"{rank.value:.0f}")


def device_name(device: str) -> str:
    """Name a device as a reader knows it: "cuda:0" is the GPU."""
    return "GPU" if device.startswith("cuda") else device.upper()


def _score_row(score: Score) -> QHBoxLayout:
    unit = "" if score.unit in ("1", "") else f" {score.unit}"
    text = "–" if score.value is None else f"{number(score.value)}{unit}"
    spread = interval(score.low, score.high)
    value = label(f"{text}  ({spread})" if spread else text, "value")
    value.setToolTip(score.meaning)
    return Row(label(tr(score.name.replace("_", " ").capitalize())), 1, value)


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
