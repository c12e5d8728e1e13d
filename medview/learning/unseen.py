"""Which cases a measurement of weights may count: of the part asked for, of unseen patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.io.case_names import shown_patient
from medview.io.seen import seen_of
from medview.learning.patients import hashes_of
from medview.learning.subset import LeftOut, Subset, TrainCase, none_usable


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """A subset with the cases that are measured of it.

    `seen` are those of the wanted part whose patients the weights were trained on; with
    ``--include-seen`` they are among `cases`, too. `other_split` cases belong to another part.
    """

    subset: Subset
    cases: tuple[TrainCase, ...]
    seen: tuple[TrainCase, ...]
    other_split: int

    def data_line(
        self,
        measured: Sequence[TrainCase],
        skipped: Sequence[LeftOut],
        **more: object,
    ) -> dict[str, object]:
        """What ``medview.metrics/1`` says of the subset; `skipped` are all that cannot be used."""
        return {
            "subset": self.subset.name,
            "layout": self.subset.layout,
            "cases": len(measured),
            "patients": len({case.patient for case in measured}),
            "sites": len({case.site for case in measured if case.site}),
            "seen_in_training": len(self.seen),
            "other_split": self.other_split,
            **more,
            "licence": self.subset.licence,
            "skipped": [one.as_dict() for one in skipped],
        }


def unseen(subset: Subset, card: ModelCard, request: EvaluateRequest) -> Unseen:
    """Part a subset into what is measured, what the weights have seen, and the rest."""
    here = [c for c in subset.cases if request.split == "all" or c.split in ("", "test")]
    hashes = {case.patient: hashes_of(case.patient) for case in here}
    known = seen_of(card, [one for each in hashes.values() for one in each])
    seen = tuple(case for case in here if not known.isdisjoint(hashes[case.patient]))
    gone = set() if request.include_seen else {id(case) for case in seen}
    kept = tuple(case for case in here if id(case) not in gone)
    return Unseen(subset, kept, seen, len(subset.cases) - len(here))


def nothing_left(parts: Sequence[Unseen], skipped: Sequence[LeftOut], noun: str) -> DataError:
    """Why there is nothing to measure; `noun` is what the model calls a case."""
    seen = sum(len(part.seen) for part in parts)
    if seen and not any(part.cases for part in parts):
        return DataError(
            f"no {noun} is left to measure; {seen} are of patients that the weights were "
            "trained on",
            code="MV-DAT-140",
            do="Give other data, or include the seen ones (the figures then say nothing of new "
            "patients).",
        )
    if skipped:
        return with_seen(none_usable(skipped, "MV-DAT-142"), seen)
    return DataError(
        f"there is no {noun} to measure",
        code="MV-DAT-141",
        do="Templates serve for training only; cases marked for training are measured where all "
        "parts of the split are asked for.",
    )


def with_seen(error: DataError, seen: int) -> DataError:
    """The same of cases that cannot be used, where others could be and were learnt from."""
    if not seen:
        return error
    return DataError(
        f"{error.what}; {seen} more are of patients that the weights were trained on",
        file=error.file,
        code=error.code,
        skipped=error.skipped,
        do=f"{error.do.removesuffix('.')}, or include the seen ones (the figures then say nothing "
        "of new patients).",
    )


def first_columns(case: TrainCase, *, private: bool) -> dict[str, object]:
    """How a line of predictions.csv begins; `private` hides the patient's name behind a hash."""
    return {
        "case": case.case,
        "patient": shown_patient(case.patient, private=private),
        "site": case.site,
        "subset": case.subset,
    }
