"""What the reader says of the study on screen, and the report that is made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from psygnal import Signal

from medview.domain.exam import Exam
from medview.services.analysis import Analysis
from medview.services.jobs import Job, Jobs
from medview.services.report_text import ReaderText
from medview.services.reporting import Material, Outcome
from medview.services.session import Message, Session
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks

EXPORT = "medview.services.report_work:build_and_write"
REPORT_TITLE = "Report"
VERDICTS = ("agree", "rejected", "unsure")


class Reading:
    """Keeps the reader's words for each study and writes the report.

    ``changed`` tells that words are other ones, also because another study is on screen;
    ``exported`` tells where a report was written and how many pages it has.
    """

    changed = Signal()
    exported = Signal(Path, int)

    def __init__(
        self, jobs: Jobs, session: Session, preferences: Preferences, analysis: Analysis
    ) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self._analysis = analysis
        self._words: dict[str, ReaderText] = {}
        self.signer = ""
        session.events.series.connect(self._on_series)

    @property
    def words(self) -> ReaderText:
        """The reader's words about the study on screen."""
        return self._words.get(self._study, ReaderText())

    def write(self, **parts: str) -> None:
        """Put words in place: question, comparison, findings or impression."""
        self._keep(replace(self.words, **parts))  # type: ignore[arg-type]  # fields of ReaderText

    def judge(self, finding: int, verdict: str) -> None:
        """Say yes, no or maybe to a finding of the model; an empty verdict takes it back."""
        verdicts = {**self.words.verdicts, finding: verdict}
        self._keep(replace(self.words, verdicts={n: v for n, v in verdicts.items() if v}))

    def export(self, path: Path) -> Job | None:
        """Write the report of the study on screen; None and a message when nothing is open."""
        material = self._material()
        if material is None:
            self._session.message = Message("Open a study first; then its report can be made.")
            return None
        paper = self._preferences.settings.paper
        errand = Errand(REPORT_TITLE, "files", EXPORT, (material, path, paper), about=path.name)
        return self._tasks.run(errand, Answers(lambda pages: self.exported.emit(path, pages)))

    def _material(self) -> Material | None:
        """All that the report is made from: finished results only."""
        session = self._session
        owner = session.catalogue.owner(session.series) if session.series is not None else None
        if session.series is None or session.volume is None or owner is None:
            return None
        cards = {card.id: card for card in self._analysis.cards()}
        return Material(
            exam=Exam.of(*owner, session.series),
            volume=session.volume,
            outcomes=tuple(Outcome(each, cards.get(each.model)) for each in session.results),
            reader=self.words,
            signer=self.signer,
            private=session.private,
            pending=session.unfinished is not None,
        )

    @property
    def _study(self) -> str:
        series = self._session.series
        return series.study_uid or series.uid if series is not None else ""

    def _keep(self, words: ReaderText) -> None:
        if words != self.words:
            self._words[self._study] = words
            self.changed.emit()

    def _on_series(self) -> None:
        self.changed.emit()
