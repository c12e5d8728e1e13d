"""A stay in intensive care: the risk, what it rests on, and the phenotypes behind it."""

from __future__ import annotations

from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from medview.domain.prediction import Score
from medview.services.telling import main_score
from medview.ui.containers import Row
from medview.ui.controls import button, clear, label, name
from medview.ui.eliding import ElidedLabel
from medview.ui.inputs import DecimalField, Segments
from medview.ui.panels.plots import ShareBar
from medview.ui.panels.result_card import Badge, ResultCard
from medview.ui.panels.site_choice import add_site, site_badge
from medview.ui.record_axis import length_words
from medview.ui.words import tr

_FIRST_SHOWN = 5
#: What the weights were trained to tell: title and words beside the figure.
RISKS = {
    "mortality": ("Mortality", "risk of death in hospital"),
    "icu_admission": ("ICU admission", "risk of intensive care"),
}
_WITHOUT: dict[str, tuple[str, ...]] = {"both": (), "series": ("film",), "film": ("series",)}


class IcuCard(ResultCard):
    """Mortality with its interval, which inputs it was made of, and switches to leave one out."""

    def build(self) -> None:
        """Head, line, switch, shares, phenotypes."""
        given = {each.role for each in self.result.inputs}
        risk = main_score(self.result)
        what, words = RISKS.get(risk.name if risk is not None else "", RISKS["mortality"])
        takes = {each.role for each in self.card.inputs} if self.card is not None else given
        site = site_badge(self, f"{risk.name}_mixed") if risk is not None else None
        self.add_head(tr(what), self._window_badge(), site, _left_out_badge(given, takes))
        if risk is not None:
            self.add_line(tr(words), score=risk, meant=risk.name not in RISKS)
        self._add_switch(given)
        self._add_film_hour(given)
        if "film" in takes:  # shares of what the weights can take; of one input there are none
            self._pair(tr("Attention, series / film"), "attention", signed=False)
            self._pair(tr("Contribution, series / film"), "shapley", signed=True)
        imputed = self.result.score("imputed_share")
        if imputed is not None and imputed.value is not None:
            self.row(tr("Imputed values"), f"{imputed.value:.0%}".replace("%", " %"))
        if risk is not None:
            add_site(self, f"{risk.name}_fixed", f"{risk.name}_mixed")
        self.add_answer()
        self._phenotypes()

    def _window_badge(self) -> Badge | None:
        hours = max((point.hour for point in self.result.trace), default=None)
        return Badge(length_words(hours), "tag") if hours else None

    def _add_switch(self, given: set[str]) -> None:
        """Run again without the film or without the series, where both are open."""
        if self.card is None or not self._has_both():
            return
        switch = Segments("icu_inputs", tr("Inputs"))
        switch.set_choices(
            [
                ("both", tr("Series + film"), tr("Use the record and the film")),
                ("series", tr("Series only"), tr("Leave the film out")),
                ("film", tr("Film only"), tr("Leave the record out")),
            ]
        )
        now = "both" if {"series", "film"} <= given else "film" if "film" in given else "series"
        switch.set_value(now)
        switch.changed.connect(
            lambda value: self.app.analysis.again(self.result.key, without=_WITHOUT[value])
        )
        self.add(switch)

    def _add_film_hour(self, given: set[str]) -> None:
        """When the film was taken, counted from admission; no header tells it."""
        if "film" not in given or "series" not in given:
            return
        told = self.result.parameters.get("film_hour")
        field = DecimalField()
        name(field, "film_hour", tr("Hour of the film"))
        field.setToolTip(tr("Hours from admission to the film"))
        field.setRange(0, 10_000)
        field.setDecimals(1)
        field.setSuffix(tr(" h"))
        field.setFixedWidth(96)
        field.setValue(float(told) if isinstance(told, int | float) else 0.0)
        go = button(tr("Run again"), "film_hour_run", tip=tr("Run with the film at this hour"))
        go.setEnabled(False)
        field.valueChanged.connect(lambda _: go.setEnabled(True))
        go.clicked.connect(
            lambda: self.app.analysis.again(self.result.key, film_hour=field.value())
        )
        self.add(Row(label(tr("Film at")), 1, field, go))

    def _has_both(self) -> bool:
        """Record and film are open, and the weights have learnt from both."""
        session = self.app.session
        takes = {each.role for each in self.card.inputs} if self.card is not None else set()
        given = {each.role for each in self.result.inputs}
        of_film = self.result.score("shapley_film")
        if {"series", "film"} <= given and of_film is not None and of_film.value is None:
            return False  # the film was there, and these weights have no use for it
        return (
            {"series", "film"} <= takes
            and "series" in session.tables
            and session.volume is not None
            and session.volume.is_film
        )

    def _pair(self, text: str, what: str, *, signed: bool) -> None:
        both = [self.result.score(f"{what}_{part}") for part in ("series", "film")]
        if all(score is None for score in both):
            return
        known = [score for score in both if score is not None and score.value is not None]
        if not known:
            why = next((score.meaning for score in both if score is not None), "")
            self.row(text, tr("not available"), key=f"row_{what}", tip=why)
            return
        self.row(text, " / ".join(_share(score, signed=signed) for score in both), f"row_{what}")

    def _phenotypes(self) -> None:
        found = [s for s in self.result.scores if s.name.startswith("phenotype_")]
        if found:
            self.add(Phenotypes(found))


class Phenotypes(QWidget):
    """Phenotypes with bars, the likeliest first; those without a trained head are counted."""

    def __init__(self, scores: list[Score]) -> None:
        super().__init__()
        name(self, "phenotypes", tr("Phenotypes"))
        known = [score for score in scores if score.value is not None]
        self.sorted = sorted(known, key=lambda score: -(score.value or 0.0))
        self._missing = len(scores) - len(known)
        self._all = False
        self._more = button("", "phenotypes_more", look="link")
        self._more.clicked.connect(self._on_more)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 6, 0, 0)
        rows.setSpacing(4)
        rows.addWidget(Row(label(tr("Phenotypes")), 1, self._more))
        rows.addLayout(self._rows)
        if self._missing:
            text = tr("{n} not available", n=self._missing) + _why_missing(scores)
            rows.addWidget(label(text, "quiet", wraps=True))
        self._fill()

    def _fill(self) -> None:
        clear(self._rows)
        shown = self.sorted if self._all else self.sorted[:_FIRST_SHOWN]
        for score in shown:
            self._rows.addWidget(_phenotype_row(score))
        self._more.setVisible(len(self.sorted) > _FIRST_SHOWN)
        count = len(self.sorted)
        self._more.setText(tr("fewer ▴") if self._all else tr("all {n} ▾", n=count))

    def _on_more(self) -> None:
        self._all = not self._all
        self._fill()


def _phenotype_row(score: Score) -> Row:
    value = score.value or 0.0
    whole = phenotype_name(score)
    plain = whole.partition(" (")[0]
    text = ElidedLabel(whole, shorter=(plain, plain.removesuffix(" disorders")))
    text.setFixedWidth(168)
    # As it comes it asks for no room, and beside a stretch it would get none.
    text.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    share = label(f"{value:.0%}".replace("%", " %"), "value")
    share.setMinimumWidth(38)
    return Row(text, ShareBar(value, score.low, score.high), share, grow=(1,))


def phenotype_name(score: Score) -> str:
    """What a phenotype is called: its meaning up to the first comma, colon or full stop."""
    first = score.meaning
    for stop in (";", ":", ". "):
        first = first.partition(stop)[0]
    return first[:1].upper() + first[1:] if first else score.name.replace("_", " ").capitalize()


def _why_missing(scores: list[Score]) -> str:
    """The reason of the first one without a value, where it tells one."""
    meaning = next((score.meaning for score in scores if score.value is None), "")
    reason = meaning.partition(": ")[2]
    return f": {reason}." if reason else "."


def _left_out_badge(given: set[str], takes: set[str]) -> Badge | None:
    """What was not used of that which the model can use."""
    if "series" in given and "film" in takes - given:
        return Badge("film off", tip=tr("Made without a film"))
    if "film" in given and "series" in takes - given:
        return Badge("series off", tip=tr("Made without the record"))
    return None


def _share(score: Score | None, *, signed: bool) -> str:
    if score is None or score.value is None:
        return "–"
    if signed:
        return f"{score.value:+.2f}".replace("-", "\u2212")
    return f"{score.value:.0%}".replace("%", " %")
