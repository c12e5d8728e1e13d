"""Patients whom weights have seen are left out and counted, and so are other parts of a set."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from medview.domain.evaluation import EvaluateRequest
from medview.io.case_names import shown_patient
from medview.learning.patients import patient_hash
from medview.learning.subset import LeftOut, Subset, TrainCase
from medview.learning.unseen import first_columns, nothing_left, unseen

CASES = tuple(
    TrainCase(f"c{n}", patient, {}, "t1", "a set", site=site, split=split)
    for n, (patient, site, split) in enumerate(
        [
            ("ann", "one", ""),
            ("ann", "one", "test"),
            ("bob", "two", "test"),
            ("cid", "", "train"),
            ("dan", "", "val"),
            ("eve", "", ""),
        ]
    )
)
SET = Subset("a set", "cases", Path(), CASES, licence="CC0")
BOB_IS_KNOWN = SimpleNamespace(
    seen_patients=(patient_hash("bob"), patient_hash("cid")), seen_salts=()
)
FOLDED = LeftOut("c9", "MV-DAT-001", "it is folded")


def asked(**more):
    return EvaluateRequest("any", (), "out", **more)


@pytest.mark.parametrize(
    ("asked_for", "kept", "seen", "other_split"),
    [
        ({}, "c0 c1 c5", "c2", 2),
        ({"split": "all"}, "c0 c1 c4 c5", "c2 c3", 0),
        ({"include_seen": True}, "c0 c1 c2 c5", "c2", 2),
        ({"include_seen": True, "split": "all"}, "c0 c1 c2 c3 c4 c5", "c2 c3", 0),
    ],
)
def test_what_is_measured_follows_the_part_and_the_card(asked_for, kept, seen, other_split):
    part = unseen(SET, BOB_IS_KNOWN, asked(**asked_for))
    assert " ".join(case.case for case in part.cases) == kept
    assert " ".join(case.case for case in part.seen) == seen
    assert part.other_split == other_split


@pytest.mark.parametrize(
    ("patient", "seen"), [("024e7871", 1), ("hannover:024e7871", 1), ("024e7872", 0), ("17", 0)]
)
def test_a_patient_of_a_known_set_is_known_by_a_long_id_alone(patient, seen):
    names = ("hannover:024e7871", "hannover:17")
    card = SimpleNamespace(seen_patients=tuple(map(patient_hash, names)), seen_salts=())
    cases = (TrainCase("c", patient, {}, "film", "a set"),)
    assert len(unseen(Subset("a set", "cases", Path(), cases), card, asked()).seen) == seen


def test_a_line_of_the_data_counts_cases_people_and_sites():
    part = unseen(SET, BOB_IS_KNOWN, asked())
    line = part.data_line(part.cases, (FOLDED,), with_age=2)
    assert line == {
        **{"subset": "a set", "layout": "cases", "cases": 3, "patients": 2, "sites": 1},
        **{"seen_in_training": 1, "other_split": 2, "with_age": 2, "licence": "CC0"},
        "skipped": [{"case": "c9", "code": "MV-DAT-001", "what": "it is folded"}],
    }


@pytest.mark.parametrize(
    ("cases", "skipped", "code", "says"),
    [
        (CASES[2:3], (FOLDED,), "MV-DAT-140", "no stay is left to measure; 1 are of patients"),
        (CASES[3:4], (FOLDED, FOLDED), "MV-DAT-142", "none of 2 cases can be used; it is folded"),
        (CASES[3:4], (), "MV-DAT-141", "there is no stay to measure"),
        ((), (), "MV-DAT-141", "there is no stay to measure"),
    ],
)
def test_why_nothing_is_left_is_said(cases, skipped, code, says):
    part = unseen(Subset("a set", "cases", Path(), cases), BOB_IS_KNOWN, asked())
    error = nothing_left([part], skipped, "stay")
    assert (error.code, bool(error.do)) == (code, True)
    assert says in error.what


def test_beside_cases_that_cannot_be_used_those_learnt_from_are_told():
    part = unseen(Subset("a set", "cases", Path(), CASES[:3]), BOB_IS_KNOWN, asked())
    error = nothing_left([part], (FOLDED, FOLDED), "stay")
    assert error.what == (
        "none of 2 cases can be used; it is folded; 1 more are of patients that the weights were "
        "trained on"
    )
    assert (error.file, error.code, error.skipped) == ("c9", "MV-DAT-142", 2)
    assert "include the seen ones" in error.do


def test_a_private_line_hides_the_name_and_nothing_else():
    open_line, hidden = (first_columns(CASES[0], private=private) for private in (False, True))
    assert list(open_line.values()) == ["c0", "ann", "one", "a set"]
    assert hidden == {**open_line, "patient": shown_patient("ann", private=True)}
    # Not the mark of a card: who has a list of names could try which of them gives that one.
    assert hidden["patient"] not in ("ann", patient_hash("ann"))
    assert re.fullmatch("[0-9a-f]{16}", str(hidden["patient"]))
    assert shown_patient("bob", private=True) != hidden["patient"]
