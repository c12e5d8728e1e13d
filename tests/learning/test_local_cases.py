"""Which local cases count for a calibration, before the version is asked and after."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.training import FinetuneRequest, TrainRequest
from medview.learning import local_cases as module
from medview.learning.local_cases import LOCAL, local_cases, of_local, refuse_few
from medview.learning.patients import patient_hash
from medview.learning.subset import Subset, TrainCase

SEEN = patient_hash("seen")
CARD = ModelCard(*("m", "1", "t", "s", (), (), (), "u", ("l",), "l", "s"), seen_patients=(SEEN,))


def asked(model):
    return FinetuneRequest(model, TrainRequest(("DATA",), "OUT", {}, init="w", private=True))


def people(n=30, **known):
    return [TrainCase(f"c{k}", f"p{k}", {}, "film", split="train", **known) for k in range(n)]


def refused(monkeypatch, model, cases):
    """How many patients the refusal counts; none where nothing is refused."""
    subset = Subset("a", "cases", Path(), tuple(cases))
    monkeypatch.setattr(module, "find_subsets", lambda *_: [subset])
    try:
        refuse_few(asked(model), CARD)
    except DataError as error:
        return int(error.what.split("cases: ")[1].split()[0])
    return None


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("brain-age", {"age_years": 0.0}),
        ("cxr", {"cells": {"prognosis": "MILD"}}),
        ("icu", {"cells": {"mortality": "0"}}),
        ("icu", {"cells": {"mortality": "", "icu_admission": "1"}}),
    ],
)
def test_thirty_patients_with_a_label_are_enough_whatever_part_they_are_of(
    model, known, monkeypatch
):
    assert refused(monkeypatch, model, people(30, **known)) is None
    assert refused(monkeypatch, model, people(29, **known)) == 29
    assert refused(monkeypatch, model, people(30)) == 0


def test_patients_count_not_cases_and_only_those_the_version_has_not_seen(monkeypatch):
    aged = people(30, age_years=40.0)
    assert refused(monkeypatch, "brain-age", [*aged[:29], replace(aged[0], case="again")]) == 29
    assert refused(monkeypatch, "brain-age", [*aged[:29], replace(aged[29], patient="seen")]) == 29


def test_labels_of_two_scores_are_not_added_up(monkeypatch):
    cases = [*people(20, cells={"mortality": "0"}), *people(25, cells={"icu_admission": "1"})]
    assert refused(monkeypatch, "icu", cases) == 25


def test_the_version_is_asked_about_all_parts_as_the_fine_tuning_was():
    wanted = of_local(asked("icu"), "there")
    assert (wanted.split, wanted.out, wanted.weights, wanted.private) == ("all", "there", "w", True)


def test_an_age_from_a_t1_volume_is_of_other_weights(tmp_path):
    table = tmp_path / LOCAL / "predictions.csv"
    table.parent.mkdir(parents=True)
    columns = ("case", "patient", "age", "age_low", "age_high", "true_age", "route")
    rows = [(f"c{k}", f"p{k}", 50, 40, 60, 51, "t1" * (k >= 30)) for k in range(60)]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    (found,) = local_cases("brain-age", tmp_path)
    assert found.patients == tuple(f"p{k}" for k in range(30))
