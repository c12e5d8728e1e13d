"""What the reader says of the study on screen, and the report that is made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from psygnal import Signal

from medview.domain.exam import Exam
from medview.domain.prediction import Opinion
from medview.services.analysis import Analysis
from medview.services.jobs import Job, Jobs
from medview.services.report_text import ReaderText
from medview.services.reporting import Material, Outcome
from medview.services.session import Message, Session
from medview.services.settings import Preferences
from medview.services.shelf import Shelf
from medview.services.tasks import Answers, Errand, Tasks

EXPORT = "medview.services.report_work:build_and_write"
REPORT_TITLE = "Report"
_FINDING = "finding "


class Reading:
    """Keeps the reader's words for each study and writes the report.

    ``changed`` tells that words are other ones, also because another study is on screen;
    ``exported`` tells where a report was written and how many pages it has.
    """

    changed = Signal()
    exported = Signal(Path, int)

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        preferences: Preferences,
        analysis: Analysis,
        shelf: Shelf | None = None,
    ) -> None:
        self._shelf = shelf or Shelf(jobs, session)
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self._analysis = analysis
        self._words: dict[str, ReaderText] = {}
        self.signer = ""
        session.events.series.connect(self._on_series)
        session.events.opinions.connect(self._on_series)

    @property
    def words(self) -> ReaderText:
        """The reader's words about the study on screen."""
        return replace(self._words.get(self._study, ReaderText()), verdicts=self._verdicts())

    def write(self, **parts: str) -> None:
        """Put words in place: question, comparison, findings or impression."""
        self._keep(replace(self.words, **parts))  # type: ignore[arg-type]  # fields of ReaderText

    def judge(self, finding: int, verdict: str) -> None:
        """Say yes, no or maybe to a finding of the model; an empty verdict takes it back."""
        finder = self._session.finder
        self.answer(finder.key if finder is not None else "", f"{_FINDING}{finding}", verdict)

    def answer(self, result: str, about: str, verdict: str) -> None:
        """The same of a finding ("finding 3") or a score ("score severe") of any result.

        Name and time are kept with it, in the store of results.
        """
        by = self.signer or self._preferences.settings.reader
        self._shelf.answer(result, about, verdict, by)

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
        return Material(
            exam=Exam.of(*owner, session.series),
            volume=session.volume,
            outcomes=tuple(
                Outcome(each, self._analysis.card_of(each), opinions=self._opinions(each.key))
                for each in session.results
            ),
            reader=self.words,
            signer=self.signer,
            private=session.private,
            pending=session.unfinished is not None,
        )

    def _opinions(self, result: str) -> tuple[Opinion, ...]:
        about = self._session.volume_id
        return () if about is None else self._session.opinions.get((about, result), ())

    def _verdicts(self) -> dict[int, str]:
        """Answers to the findings that are listed, by the number of the finding."""
        finder = self._session.finder
        return {
            int(each.about.removeprefix(_FINDING)): each.verdict
            for each in self._opinions(finder.key if finder is not None else "")
            if each.about.startswith(_FINDING)
        }

    @property
    def _study(self) -> str:
        series = self._session.series
        return series.study_uid or series.uid if series is not None else ""

    def _keep(self, words: ReaderText) -> None:
        words = replace(words, verdicts={})
        if words != self._words.get(self._study, ReaderText()):
            self._words[self._study] = words
            self.changed.emit()

    def _on_series(self) -> None:
        self.changed.emit()
