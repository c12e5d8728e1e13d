"""A chest film: one line first, evidence and zones on demand, the model's accuracy beside it."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from medview.domain.card import Figure
from medview.domain.prediction import Score
from medview.services.evidence import LEAST_SHARE, share_in_lungs
from medview.services.report_lines import detects
from medview.services.telling import interval_text, score_text, zone_texts
from medview.ui.containers import Row
from medview.ui.controls import button, label, name, styled
from medview.ui.panels.result_card import ResultCard, sentence
from medview.ui.panels.site_choice import add_site, site_badge
from medview.ui.panels.zone_grades import ZoneGrades
from medview.ui.words import interval, number, tr, unbroken

_ACCURACIES = ("accuracy", "balanced_accuracy", "roc_auc")
# Where the accuracy beside it was measured at.
_SEVERE = 0.5
_ACCURACY_WORDS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "roc_auc": "AUROC",
}


class ChestCard(ResultCard):
    """Severity with its interval, the Brixia sum, and buttons for all else."""

    def build(self) -> None:
        """Head, line, accuracy, total, buttons."""
        self.add_head(tr("Chest severity"), site_badge(self, "severe_mixed"))
        severe = self.result.score("severe")
        if severe is not None:
            self.add_line(*_class_words(severe), score=severe, meant=False)
        self._add_accuracy()
        total = self.result.score("brixia_total")
        if total is not None:
            bounds = unbroken(interval_text(total))
            value = score_text(total) + (f"  ({bounds})" if bounds else "")
            told = value if total.value is not None else tr("not available")
            self.row(tr("Brixia total"), told, key="brixia_total", tip=total.meaning)
        self._add_limit()
        self._add_share()
        add_site(self, "severe_fixed", "severe_mixed")
        self._buttons()
        self._zones = label("", "quiet", wraps=True)
        name(self._zones, "zone_scores", tr("Scores of the zones"))
        self.add(self._zones)
        self._zones.setText(self._zone_words())
        if self._zones.text():
            self.add(ZoneGrades(self.app, self.result))
        for field in ("overlay_on", "map_name", "zones_on", "running"):
            getattr(self.app.session.events, field).connect(self._refresh)
        self._refresh()
        self.add_answer()

    def _add_accuracy(self) -> None:
        """How well the model does on patients it never saw, or that nobody has measured it."""
        best = measured(self.card.measured if self.card is not None else ())
        text = tr("Accuracy of this model: not measured.") if best is None else accuracy_words(best)
        made = label(text, "quiet", wraps=True)
        name(made, "model_accuracy", text)
        self.add(made)

    def _add_limit(self) -> None:
        """What the model really detects, or the first of its limits where none says so."""
        if self.card is not None and self.card.limits:
            told = detects(self.card) or self.card.limits[0]
            self.add(label(sentence(told), "quiet", wraps=True))

    def _add_share(self) -> None:
        """How much of the evidence is about the lungs; in colour where most of it is not."""
        share = share_in_lungs(self.result)
        if share is None:
            return
        tip = tr("Share of what speaks for a severe course that lies in the six zones")
        text = f"{share:.0%}".replace("%", "\u00a0%")
        told = self.row(tr("Evidence inside the lungs"), text, key="evidence_share", tip=tip)
        if share < LEAST_SHARE:
            styled(told, "attention")

    def _buttons(self) -> None:
        self._evidence = self._switch("evidence", tr("Evidence"), tr("Where the score comes from"))
        self._occluded = self._switch(
            "occlusion", tr("Occlusion"), tr("How far the score falls where the film is covered")
        )
        self._saw = self._switch("seen", tr("What it saw"), tr("The picture the model was given"))
        self._boxes = button(tr("Zones"), "show_zones", tip=tr("Boxes of the six zones"))
        self._boxes.setCheckable(True)
        self._boxes.clicked.connect(self._on_zones)
        self.add(Row(self._evidence, self._occluded))
        self.add(Row(self._saw, self._boxes))

    def _switch(self, map_name: str, text: str, tip: str) -> QPushButton:
        made = button(text, f"show_{map_name}", tip=tip)
        made.setCheckable(True)
        if not (self._has(map_name) or self._can_make(map_name)):
            made.hide()  # shown before it has its place it would be a window for a moment
        made.clicked.connect(lambda on: self._on_map(map_name, on=on))
        return made

    def _has(self, map_name: str) -> bool:
        return self.result.map(map_name) is not None

    def _can_make(self, map_name: str) -> bool:
        """Whether a run that is asked for it gives this map."""
        return self.card is not None and map_name in self.card.on_demand

    def _on_map(self, map_name: str, *, on: bool) -> None:
        """Show a map or hide it; one that takes long is made now, and shown when it is there."""
        if not self._has(map_name):
            self.app.analysis.again(self.result.key, maps=(map_name,))
            self._refresh()
            return
        session, viewing = self.app.session, self.app.viewing
        viewing.maps.show_map(map_name)
        if session.overlay_on != on:
            viewing.maps.toggle_overlay()
        self._refresh()

    def _on_zones(self, on: bool) -> None:
        self.app.viewing.maps.show_zones(on=on)

    def _refresh(self) -> None:
        session = self.app.session
        switches = (self._evidence, "evidence"), (self._occluded, "occlusion"), (self._saw, "seen")
        for made, map_name in switches:
            made.setChecked(session.overlay_on and session.map_name == map_name)
        runs = (session.volume_id, self.result.key) in session.running
        self._occluded.setEnabled(self._has("occlusion") or not runs)
        self._boxes.setChecked(session.zones_on)

    def _zone_words(self) -> str:
        parts = [f"{zone}\u00a0{text}" for zone, text in zone_texts(self.result).items()]
        self._boxes.setVisible(bool(parts) and self.result.map("lungs") is not None)
        return tr("Zones: ") + "  ".join(parts) if parts else ""


def _class_words(severe: Score) -> tuple[str, ...]:
    """What the figure is, the class it makes of the film, and that there is no interval."""
    what = tr("probability of a severe course")
    if severe.value is None:
        return (what,)
    is_severe = severe.value >= _SEVERE
    made = tr("class severe (from 0.5 on)") if is_severe else tr("class mild (below 0.5)")
    spread = "" if severe.low is not None else tr("interval not available")
    return what, made, spread


def measured(figures: tuple[Figure, ...]) -> Figure | None:
    """The figure that says best how often the model is right about a whole film."""
    for wanted in _ACCURACIES:
        for each in figures:
            is_case = each.level in ("", "case") and each.predictor == "model"
            about = each.extra.get("task") in (None, "prognosis", "outcome", "severe")
            is_own = is_case and not each.is_of_variants
            if each.name == wanted and each.value is not None and is_own and about:
                return each
    return None


def accuracy_words(figure: Figure) -> str:
    """The figure with interval, number of cases and set."""
    value = number(figure.value, 2)
    bounds = interval(figure.low, figure.high, 2)
    said = f"{value} ({bounds})" if bounds else value
    of = tr(", n = {n}", n=figure.n) if figure.n else ""
    return tr(
        "Measured {what} of this model {said}{of}, on {where}.",
        what=_ACCURACY_WORDS[figure.name],
        said=said,
        of=of,
        where=figure.on,
    )
