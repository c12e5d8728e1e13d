"""The reader's answer to one score or finding: agree, reject, unsure; who said it, and when."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from medview.domain.prediction import Opinion, Prediction
from medview.domain.wording import time_words
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.words import tr

ANSWERS = (("agree", "Agree"), ("rejected", "Reject"), ("unsure", "Unsure"))


def said_by(opinion: Opinion | None) -> str:
    """Who answered and when, such as "A. Reader, 21 Nov 2026 10:41 UTC"; empty without one."""
    if opinion is None:
        return ""
    return ", ".join(part for part in (opinion.by or tr("no name"), time_words(opinion.at)) if part)


class AnswerRow(QWidget):
    """Three buttons for one score, the answer is kept with the result."""

    def __init__(self, app: App, result: Prediction, about: str) -> None:
        super().__init__()
        self._app, self._result, self._about = app, result.key, about
        key = f"{result.model}_{about}".replace(" ", "_")
        name(self, f"answer_{key}", tr("Your answer"))
        self._buttons = {value: self._button(key, value, text) for value, text in ANSWERS}
        self._who = label("", "quiet")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addWidget(Row(*self._buttons.values()))
        rows.addWidget(self._who)
        app.session.events.opinions.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is kept."""
        said = self._app.session.opinion(self._result, self._about)
        for value, made in self._buttons.items():
            made.setChecked(said is not None and said.verdict == value)
        self._who.setText(said_by(said))
        self._who.setVisible(said is not None)

    def _button(self, key: str, value: str, text: str) -> QPushButton:
        made = button(
            tr(text), f"say_{key}_{value}", tip=tr("{answer} with this result", answer=tr(text))
        )
        made.setCheckable(True)
        made.clicked.connect(lambda on: self._on_answered(value if on else ""))
        return made

    def _on_answered(self, verdict: str) -> None:
        self._app.reading.answer(self._result, self._about, verdict)
        self.refresh()
