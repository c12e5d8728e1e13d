"""What is left of a deleted study: copies for training go, versions that learnt are named."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from services.stubs import CARD, series_of

from medview.domain.errors import WriteError
from medview.domain.local_case import case_name
from medview.domain.study import Patient, Study
from medview.io.identity import former_key, patient_key
from medview.learning.case_list import write_rows
from medview.learning.patients import patient_hash
from medview.services import audit
from medview.services.forgetting import (
    alias,
    drop_copies,
    forget_training,
    in_words,
    learnt_from,
    told,
)
from medview.services.gathering import FOLDER, LIST
from medview.services.versions import Version

STUDY = Study("1.2", "2026-01-02", "Head", series=(series_of("1.1"), series_of("1.2")))
PATIENT = Patient(patient_key("P1", "A^B"), "P1", "A^B", studies=(STUDY,))


def version(name, *seen, own=True):
    hashes = tuple(patient_hash(one) for one in seen)
    return Version(replace(CARD, version=name, seen_patients=hashes), Path("w"), own)


@pytest.mark.parametrize(
    "named", [PATIENT.key, "P1", former_key("P1", "A^B")], ids=["key", "id", "former key"]
)
def test_versions_that_saw_the_patient_are_named_however_the_list_named_them(named):
    every = (version("a", "P2", named), version("b", "P2"), version("c", named, own=False))
    assert learnt_from(PATIENT, STUDY, every) == ("anomaly@a",)


def test_who_has_no_id_is_found_by_the_study_and_nobody_by_an_empty_one():
    nobody = Patient(patient_key("", STUDY.uid))
    every = (version("a", ""), version("b", nobody.key), version("c", former_key("", STUDY.uid)))
    assert learnt_from(nobody, STUDY, every) == ("anomaly@b", "anomaly@c")


def test_copies_and_lines_of_the_study_go_and_those_of_others_stay(tmp_path):
    place = tmp_path / FOLDER
    ours, other = (case_name(PATIENT.key, series_of(uid).key) for uid in ("1.1", "7.7"))
    for folder in ("images", "masks"):
        (place / folder).mkdir(parents=True)
        for name in (ours, other):
            (place / folder / f"{name}.nii.gz").write_bytes(b"x")
    rows = [
        {"case": name, "t1": str(place / "images" / f"{name}.nii.gz")} for name in (ours, other)
    ]
    write_rows(place / LIST, rows)
    assert drop_copies(tmp_path, PATIENT, STUDY) == 2
    left = sorted(path.name for path in place.glob("*/*"))
    assert left == [f"{other}.nii.gz"] * 2
    with (place / LIST).open() as file:
        assert [line["case"] for line in csv.DictReader(file)] == [other]
    before = (place / LIST).read_bytes()
    assert drop_copies(tmp_path, PATIENT, STUDY) == 0
    assert (place / LIST).read_bytes() == before


def test_a_list_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / LIST).write_bytes(b"case\n\x00\n")
    with pytest.raises(WriteError, match="lines of the study may stay"):
        drop_copies(tmp_path, PATIENT, STUDY)


def test_neither_a_list_that_stays_nor_a_version_that_learnt_hides_the_other(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / LIST).write_bytes(b"case\n\x00\n")
    learnt = version("mine", PATIENT.key)
    detail, message = forget_training(tmp_path, PATIENT, STUDY, (learnt,))
    assert detail == told(STUDY, ("anomaly@mine",), 0)
    assert message.kind == "error"
    for words in (message.text, str(message.error)):
        assert "lines of the study may stay" in words
        assert "anomaly@mine has learnt" in words
    (tmp_path / FOLDER / LIST).unlink()
    assert forget_training(tmp_path, PATIENT, STUDY, (learnt,))[1].kind == "warning"
    assert forget_training(tmp_path, PATIENT, STUDY, ()) == (told(STUDY, (), 0), None)


def test_nothing_to_delete_is_no_mistake(tmp_path):
    assert drop_copies(tmp_path, PATIENT, STUDY) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_trail_says_nothing_of_whom_it_is():
    line = told(STUDY, ("anomaly@a",), 2)
    assert line == {
        "kind": "study",
        "study": alias(STUDY),
        "training_copies": 2,
        "versions_that_learnt": ["anomaly@a"],
    }
    assert len(alias(STUDY)) == 8
    assert not any(word in str(line) for word in ("1.2", "P1", "A^B", PATIENT.key))


def test_the_line_is_read_without_brackets():
    line = audit.in_words(told(STUDY, ("anomaly@a", "cxr@b"), 0))
    assert line.endswith("training copies 0, versions that learnt anomaly@a and cxr@b")
    assert audit.in_words(told(STUDY, (), 0)).endswith("training copies 0")


def test_one_version_and_several_are_told_in_words():
    assert in_words(()) == ""
    assert in_words(("anomaly@a",)).startswith("anomaly@a has learnt from this patient, and it ")
    assert "Remove them under Models" in in_words(("anomaly@a", "cxr@b"))
