"""What a report is made from: the study, the results and what the reader wrote."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from medview.domain.card import ModelCard
from medview.domain.exam import Exam
from medview.domain.prediction import Opinion, Prediction
from medview.domain.record import Record
from medview.domain.signing import Signature
from medview.domain.volume import Volume
from medview.services.report_marks import Marked
from medview.services.report_text import ReaderText


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One result of a model: the prediction, the card it came with and the file it lies in.

    `file_sha256` is that of result.json; empty for a result that was never written. `opinions`
    are the reader's answers to its findings and scores.
    """

    prediction: Prediction
    card: ModelCard | None = None
    file_sha256: str = ""
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """All that a report is made from. `volume` is what the pictures show; None: no pictures.

    `signer` with `role` is who signs now, `history` who has signed before; `private` leaves out
    who it is about. `pending` says that a model is still running, so its result is not in the
    report. `marked` is what the reader marked and drew, `record` the time series of a stay.
    """

    exam: Exam
    volume: Volume | None = None
    outcomes: tuple[Outcome, ...] = ()
    reader: ReaderText = field(default_factory=ReaderText)
    signer: str = ""
    private: bool = False
    pending: bool = False
    role: str = ""
    history: tuple[Signature, ...] = ()
    marked: tuple[Marked, ...] = ()
    record: Record | None = None

    def as_told(self) -> Material:
        """What a report may say of it: in private nothing that the headers say of a person."""
        if not self.private:
            return self
        marked = tuple(replace(each, exam=each.exam.in_private()) for each in self.marked)
        return replace(self, exam=self.exam.in_private(), marked=marked)
