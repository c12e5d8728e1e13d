"""What the reader says of the study on screen, and the report that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from psygnal import Signal

from medview.domain.draft import FIELDS, Draft
from medview.domain.errors import MedviewError
from medview.domain.exam import Exam
from medview.domain.prediction import Opinion
from medview.domain.signing import Signature
from medview.services import report_history
from medview.services.analysis import Analysis
from medview.services.drafts import Drafts
from medview.services.jobs import Job, Jobs
from medview.services.marking import marked_of
from medview.services.printing import Printing
from medview.services.report_manifest import new_report_id
from medview.services.report_material import Material, Outcome
from medview.services.report_order import Copied, Order, Preview, Written
from medview.services.report_text import ReaderText
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.settings import Preferences
from medview.services.shelf import Shelf

_FINDING = "finding "
Made = TypeVar("Made", Copied, Preview)


class Reading:
    """Keeps the reader's words for each study, signs, shows and writes the report.

    ``changed`` tells that words are other ones, also because another study is on screen;
    ``exported`` tells where a report was written and how many pages it has, ``filed`` of which
    study it is and when (ns); ``left`` what of it went to the clipboard or a printer.
    """

    changed = Signal()
    exported = Signal(Path, int)
    filed = Signal(str, Path, int)
    signed = Signal(str)
    wrote = Signal(str, str)
    left = Signal(str)

    def __init__(
        self,
        jobs: Jobs,
        session: Session,
        preferences: Preferences,
        analysis: Analysis,
        shelf: Shelf | None = None,
    ) -> None:
        self._shelf = shelf or Shelf(jobs, session)
        self._session = session
        self._preferences = preferences
        self._analysis = analysis
        self._drafts = Drafts(
            session, self._shelf.drafts_folder, preferences.writer, self.changed.emit
        )
        self._printing = Printing(jobs, session)
        self.signer = ""
        for field in ("series", "opinions", "volume_id", "predictions", "key_images", "drawings"):
            getattr(session.events, field).connect(self._on_change)

    # -- the reader's words ----------------------------------------------------------------

    @property
    def words(self) -> ReaderText:
        """The reader's words about the study on screen."""
        draft = self.draft
        written = {name: getattr(draft, name) for name in FIELDS}
        return ReaderText(**written, verdicts=self._verdicts())

    @property
    def draft(self) -> Draft:
        """What was written about the study on screen, with template and signatures."""
        return self._drafts.of(self._study)

    def write(self, **parts: str) -> None:
        """Put words in place: question, comparison, findings or impression; or the template."""
        self._keep(replace(self.draft, **parts))  # type: ignore[arg-type]  # fields of Draft

    def judge(self, finding: int, verdict: str) -> None:
        """Say yes, no or maybe to a finding of the model; an empty verdict takes it back."""
        finder = self._session.finder
        self.answer(finder.key if finder is not None else "", f"{_FINDING}{finding}", verdict)

    def answer(self, model: str, about: str, verdict: str) -> None:
        """The same of a finding ("finding 3") or a score ("score severe") of any model.

        Name and time are kept with it, in the store of results.
        """
        by = self.signer or self._preferences.settings.reader
        self._shelf.answer(model, about, verdict, by)

    def forget(self) -> None:
        """Drop what was written about the study on screen, on the disk as well."""
        if self._study:
            self._drafts.forget(self._study)
            self.changed.emit()

    # -- the report ------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """What a report of the study on screen would be marked as now."""
        material = self.material
        return report_history.status(material) if material else report_history.DRAFT

    def sign(self, name: str, role: str = "") -> bool:
        """Sign the report as it stands; False and a message where it cannot be signed."""
        material, name = self.material, name.strip()
        refusal = _refusal(material, name)
        if refusal or material is None:
            self._session.message = Message(refusal, "warning")
            return False
        now = datetime.now(UTC).isoformat(timespec="seconds")
        made = Signature(
            name,
            role.strip(),
            now,
            new_report_id(),
            report_history.statements(material),
            about=self._about,
        )
        self._keep(replace(self.draft, signatures=(*self.draft.signatures, made)))
        self.signed.emit(made.report_id)
        return True

    def export(self, path: Path) -> Job | None:
        """Write the report of the study on screen; None and a message when nothing is open."""
        material = self.material
        if material is None:
            self._session.message = Message("Open a study first; then its report can be made.")
            return None
        study, order = self._study, self._order(material)
        return self._printing.write(
            material, order, path, lambda made: self._written(study, path, made)
        )

    def preview(
        self,
        width: int,
        done: Callable[[Preview], object],
        failed: Callable[[MedviewError], object],
    ) -> bool:
        """Have the pages drawn `width` pixels wide; False when nothing is open."""
        material = self.material
        if material is None:
            return False
        order = self._order(material)
        order = replace(order, report_id=order.report_id or "preview")
        self._printing.draw(material, order, width, done, failed)
        return True

    def copy(
        self, done: Callable[[Copied], object], failed: Callable[[MedviewError], object]
    ) -> bool:
        """Have the words of the report made for the clipboard; False when nothing is open."""
        material = self.material
        if material is None:
            return False
        made = self._leaving("report words", done)
        self._printing.words(material, self._named(material), made, failed)
        return True

    def printed(
        self,
        width: int,
        done: Callable[[Preview], object],
        failed: Callable[[MedviewError], object],
    ) -> bool:
        """Have the pages drawn `width` pixels wide for a printer; False when nothing is open."""
        material = self.material
        if material is None:
            return False
        made = self._leaving("report pages", done)
        self._printing.sheets(material, self._named(material), width, made, failed)
        return True

    def _leaving(self, what: str, done: Callable[[Made], object]) -> Callable[[Made], None]:
        """What to do with `what` once it is made: tell that it leaves the program, hand it on."""

        def made(answer: Made) -> None:
            self.left.emit(what)
            done(answer)

        return made

    @property
    def material(self) -> Material | None:
        """All that the report is made from: finished results only. None when nothing is open."""
        session = self._session
        exam = self._exam
        if exam is None:
            return None
        table = session.tables.get("series")
        return Material(
            exam=exam,
            volume=session.volume,
            outcomes=tuple(
                Outcome(each, self._analysis.card_of(each), opinions=self._opinions(each.key))
                for each in session.results
            ),
            reader=self.words,
            private=session.private,
            pending=session.unfinished is not None,
            history=tuple(each for each in self.draft.signatures if each.about == self._about),
            marked=marked_of(session),
            record=table.record if table is not None else None,
        )

    @property
    def _exam(self) -> Exam | None:
        """The examination on screen; an empty one where tables alone are open; None without."""
        session = self._session
        if session.series is None:
            return Exam() if session.tables and session.volume_id is not None else None
        owner = session.catalogue.owner(session.series)
        return Exam.of(*owner, session.series) if session.volume is not None and owner else None

    def _order(self, material: Material) -> Order:
        """Under the id it was signed with, as long as nothing in it is different."""
        final = report_history.is_final(report_history.status(material))
        report_id = material.history[-1].report_id if final else ""
        return Order(self.draft.template, self._preferences.settings.paper, report_id)

    def _named(self, material: Material) -> Order:
        """An order with an id: what leaves can be told from what leaves later."""
        order = self._order(material)
        return replace(order, report_id=order.report_id or new_report_id())

    def _written(self, study: str, path: Path, made: Written) -> None:
        """Note with a signature what was written under it first."""
        draft = self._drafts.of(study)
        signatures = tuple(
            replace(each, content_sha256=made.content_sha256)
            if each.report_id == made.report_id and not each.content_sha256
            else each
            for each in draft.signatures
        )
        if signatures != draft.signatures:
            self._drafts.put(study, replace(draft, signatures=signatures))
        self.filed.emit(study, path, made.written_at)
        self.exported.emit(path, made.pages)
        self.wrote.emit(made.report_id, made.content_sha256)

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
        series, about = self._session.series, self._session.volume_id
        if series is not None:
            return series.study_key
        return about.series if about is not None and self._session.tables else ""

    @property
    def _about(self) -> str:
        """Which pixels a signature is about: results are theirs, too."""
        about = self._session.volume_id
        return f"{about.series} {about.sha256}" if about is not None else ""

    def _keep(self, draft: Draft) -> None:
        if self._study and draft != self.draft:
            self._drafts.put(self._study, draft)
            self.changed.emit()

    def _on_change(self) -> None:
        self.changed.emit()


def _refusal(material: Material | None, name: str) -> str:
    """Why a report cannot be signed; empty if it can."""
    if material is None:
        return "Open a study first; then its report can be signed."
    if not name:
        return "Write your name first; a report is signed by somebody."
    if not material.reader.impression.strip():
        return "Write an impression first; a signed report needs one."
    is_signed = report_history.is_final(report_history.status(material))
    return "Nothing was changed since the report was signed." if is_signed else ""
