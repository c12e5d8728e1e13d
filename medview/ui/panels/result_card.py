"""The card of one result: the line that matters, then what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from medview.domain.card import ModelCard
from medview.domain.prediction import Prediction, Score
from medview.domain.wording import duration_words, typeset
from medview.services.telling import interval_text, main_score, score_text
from medview.ui.app import App
from medview.ui.containers import GAP, Card, Fold, Row
from medview.ui.controls import label, name
from medview.ui.eliding import ElidedLabel
from medview.ui.panels.answers import AnswerRow
from medview.ui.words import interval, number, tr, unbroken

_UNUSUAL_PERCENT = 95.0
# What a card has for a row in a small window, beside the scroll bar.
_LEAST_PX = 280


@dataclass(frozen=True, slots=True)
class Badge:
    """A word beside the name of a result; `look` is that of the style sheet."""

    text: str
    look: str = "tag-attention"
    tip: str = ""


class ResultCard(Card):
    """One result of any model; models with more to say have cards of their own."""

    def __init__(self, app: App, result: Prediction, card: ModelCard | None) -> None:
        self.title = card.title if card is not None else result.model
        super().__init__(f"result_{result.model}", self.title)
        self.app, self.result, self.card = app, result, card
        self.behind = Fold("result_behind", tr("Details"))
        self.build()
        self.add_notes()

    def build(self) -> None:
        """Fill the card between its top and the warnings."""
        first = main_score(self.result)
        self.add_head(tr(_words_of(first, self.result.model)), tag_of(self.result))
        self.add_line(rank_text(self.result))
        for score in self.result.scores:
            if score is not first and not score.name.endswith("_percentile"):
                self.add(score_row(score))
        self.add_answer()

    def add_head(self, what: str, *badges: Badge | None) -> None:
        """What it is, what to notice, and by which model on which device."""
        parts: list[QWidget] = [label(what)]
        for each in filter(None, badges):
            made = label(tr(each.text), each.look)
            made.setToolTip(each.tip)
            parts.append(made)
        full = f"{self.title} {self.result.version}"
        whole = f"{full} · {device_name(self.result.device)}"
        by = ElidedLabel(whole, "quiet", shorter=(full,))
        name(by, "result_by", whole)
        if _width_of(parts, by, full) <= _LEAST_PX:
            by.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.add(Row(*parts, by, grow=(len(parts),)))
        elif _width_of(parts, by, "") <= _LEAST_PX:
            # Beside long words too little would be left of it: a line of its own.
            self.add(Row(*parts, 1), by)
        else:
            self.add(Row(*parts[:-1], 1), Row(parts[-1], by, grow=(1,)))

    def add_line(self, *more: str, score: Score | None = None, meant: bool = True) -> None:
        """The figure that matters, large, with its interval and what it is compared with.

        Its meaning stands among the details, or with `meant` False in its tip alone.
        """
        first = score or main_score(self.result)
        if first is None:
            return
        value = label(score_text(first), "result" if first.status == "ok" else "result-doubtful")
        name(value, "result_value", f"{first.name} {score_text(first)}")
        value.setToolTip(first.meaning)
        parts = [unbroken(interval_text(first)), *more]
        if first.status == "extrapolating":
            parts.append(tr("outside the training data"))
        if first.value is None:
            parts = [first.meaning]
        rest = label(" · ".join(part for part in parts if part), "quiet", wraps=True)
        name(rest, "result_rest", rest.text())
        self.add(Row(value, rest, gap=10, grow=(1,)))
        if meant and first.value is not None and first.meaning:
            self.behind.add(label(sentence(first.meaning), "quiet", wraps=True))

    def add_answer(self) -> None:
        """Buttons to agree or not with the score that matters."""
        first = main_score(self.result)
        if first is not None and first.value is not None and not self.result.findings:
            self.add(AnswerRow(self.app, self.result, f"score {first.name}"))

    def add_notes(self) -> None:
        """What the model warns of; how the result was made stands among the details."""
        for text in dict.fromkeys(note.text for note in self.result.warnings):
            self.add(label(sentence(text), "quiet", wraps=True))
        how = label(made_words(self.result), "quiet", wraps=True)
        name(how, f"made_{self.result.model}", how.text())
        self.behind.add(how)
        self.add(self.behind)

    def row(self, text: str, value: str, key: str = "", tip: str = "") -> QLabel:
        """A name and a value at the right edge; return the value's label."""
        made = label(value, "value")
        name(made, key or f"row_{text.lower().replace(' ', '_')}", f"{text} {value}")
        made.setToolTip(tip)
        self.add(Row(label(text), 1, made))
        return made

    def scored(self, *names: str) -> Sequence[Score]:
        """The scores of these names that have a value."""
        found = [self.result.score(each) for each in names]
        return [each for each in found if each is not None and each.value is not None]


def made_words(result: Prediction) -> str:
    """Device, precision, mode, passes, seed and time of a run, in one line."""
    told = result.parameters.get("samples")
    parts = (
        tr("Made on {device}", device=device_name(result.device)),
        result.dtype,
        result.mode,
        f"K {told}" if told else "",
        tr("seed {n}", n=result.seed),
        unbroken(duration_words(max(0.1, result.seconds))),
    )
    return " · ".join(part for part in parts if part)


def sentence(text: str) -> str:
    """A phrase with a capital and a full stop; what ends in dots keeps them."""
    text = typeset(text)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…")) else ".")


def tag_of(result: Prediction) -> Badge | None:
    """A word for a result that stands out among normals."""
    rank = next((s for s in result.scores if s.name.endswith("_percentile")), None)
    if rank is None or rank.value is None or rank.status != "ok":
        return None
    return Badge("unusual") if rank.value >= _UNUSUAL_PERCENT else None


def rank_text(result: Prediction) -> str:
    """Where the result stands among normals, such as "above 98 % of normals"."""
    rank = next((s for s in result.scores if s.name.endswith("_percentile")), None)
    if rank is None or rank.value is None:
        return ""
    if rank.value >= 100:
        return tr("above all normals left out in training")
    return tr("above {n} % of normals", n=f"{rank.value:.0f}")


def device_name(device: str) -> str:
    """Name a device as a reader knows it: "cuda:0" is the GPU."""
    return "GPU" if device.startswith("cuda") else device.upper()


def score_row(score: Score) -> Row:
    """A score in one line: its name, value and interval."""
    unit = "" if score.unit in ("1", "") else f" {score.unit}"
    text = "–" if score.value is None else f"{number(score.value)}{unit}"
    spread = interval(score.low, score.high)
    value = label(f"{text}  ({spread})" if spread else text, "value")
    value.setToolTip(score.meaning)
    return Row(label(tr(score.name.replace("_", " ").capitalize())), 1, value)


def _width_of(parts: Sequence[QWidget], last: QWidget, words: str) -> int:
    """How wide a row of these is, in pixels, with a label that says `words` at its end."""
    for part in (*parts, last):
        part.ensurePolished()
    wide = sum(part.sizeHint().width() + GAP for part in parts)
    return wide + last.fontMetrics().horizontalAdvance(words)


def _words_of(score: Score | None, model: str) -> str:
    return (score.name if score is not None else model).replace("_", " ").capitalize()
