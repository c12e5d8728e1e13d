"""splits.csv: which case was in which part of a training."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from medview.io.atomic import whole_file
from medview.io.case_names import shown_case, shown_patient
from medview.learning.subset import TrainCase

SPLITS = "splits.csv"


def write_splits(
    path: Path, cases: Iterable[tuple[TrainCase, str]], *, private: bool = False
) -> None:
    """Case, patient, site and part of each case; with `private` nobody is named.

    Raises
    ------
    WriteError
        If the disk refuses.
    """
    with whole_file(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("case", "patient", "site", "part"))
        for case, part in cases:
            who = shown_case(case.case, private=private)
            whose = shown_patient(case.patient, private=private)
            writer.writerow((who, whose, case.site, part))
