"""The table of who was in which part of a training."""

import csv

from medview.io.case_names import case_hash, shown_patient
from medview.learning.splits_file import write_splits
from medview.learning.subset import TrainCase


def test_cases_stand_with_patient_site_and_part_and_in_private_without_a_name(tmp_path):
    cases = [TrainCase("a", "Doe", {}, "t1", site="HH"), TrainCase("b", "Roe", {}, "t1")]
    parts = list(zip(cases, ("train", "val"), strict=True))
    for private in (False, True):
        write_splits(tmp_path / "s.csv", parts, private=private)
        with (tmp_path / "s.csv").open(newline="") as file:
            (_, first, second) = csv.reader(file)
        told = [case_hash("a"), shown_patient("Doe", private=True)] if private else ["a", "Doe"]
        assert first == [*told, "HH", "train"]
        assert second[2:] == ["", "val"]
