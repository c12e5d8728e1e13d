from dataclasses import fields, replace

import pytest
from phantoms import geometry_of
from result_phantom import exam

from medview.domain.exam import Exam
from medview.domain.study import Patient, Series, Study


def test_an_exam_gathers_what_three_headers_say():
    series = Series(
        "1.2.3.4", number=7, modality="MR", description="T1", size=(24, 20, 16),
        geometry=geometry_of("LPS", (16, 20, 24), (5.0, 6.0, 4.0)), missing_slices=(3,),
        scanner="One", field_strength_t=3.0, lossy=True,
    )  # fmt: skip
    study = Study("1.2.3", "2026-03-14", "Head", "4471", (series,))
    patient = Patient("9f2c41aa", "P1", "Doe^Jane", None, "1964-05-02", (study,))
    made = Exam.of(patient, study, series)
    assert (made.name, made.patient_id, made.sex, made.birth_date) == (
        "Doe^Jane", "P1", "", "1964-05-02",
    )  # fmt: skip
    assert (made.study_date, made.accession, made.series_number) == ("2026-03-14", "4471", 7)
    assert made.size == (24, 20, 16)
    assert made.spacing_mm == (4.0, 6.0, 5.0)  # columns first, as the size
    assert (made.missing_slices, made.lossy) == (1, True)


def test_spacing_that_is_not_known_stays_unknown():
    made = Exam.of(Patient("k"), Study("1"), Series("1.2"))
    assert made.spacing_mm is None


def test_without_identity_only_the_pseudonym_is_left():
    full = replace(exam(), institution="Example Hospital", referring="Roe^R", series_uid="1.2.3")
    bare = full.without_identity()
    changed = {f.name for f in fields(Exam) if getattr(bare, f.name) != getattr(full, f.name)}
    assert changed == {
        *("name", "patient_id", "birth_date", "accession"),
        *("institution", "referring", "series_uid"),
    }
    assert bare.patient_key == "9f2c41aa"


def test_of_the_studies_before_the_newest_is_known():
    studies = [Study(day, date=day, description=f"MR {day}") for day in
               ("2024-03-02", "2026-11-20", "2025-01-01", "")]  # fmt: skip
    patient = Patient("9f2c41aa", studies=tuple(studies))
    series = Series("1.1", "9f2c41aa", "MR", "T1")
    found = Exam.of(patient, studies[1], series)
    assert (found.earlier_studies, found.earlier_description) == (2, "MR 2025-01-01")
    assert found.in_private().earlier_date == ""
    assert Exam.of(patient, studies[0], series).earlier_studies == 0
    assert Exam.of(patient, studies[3], series).earlier_studies == 0


def test_in_private_nothing_that_a_person_typed_and_no_date_is_left():
    full = replace(exam(), contrast="Gadolinium for J. Doe", acquired="2026-03-14T10:41:00")
    bare = full.in_private()
    gone = {f.name for f in fields(Exam) if not getattr(bare, f.name) and getattr(full, f.name)}
    assert {"study_description", "series_description", "contrast"} < gone
    assert {"study_date", "acquired", "name", "patient_id"} < gone
    assert (bare.patient_key, bare.modality, bare.size) == ("9f2c41aa", "MR", full.size)
    told = replace(full, series_description="T1 of Doe with synthetic lesion").in_private()
    assert told.has_synthetic_lesion
    assert "Doe" not in f"{told}"


@pytest.mark.parametrize(
    ("description", "synthetic"),
    [("T1 with synthetic lesion", True), ("Synthetic Lesion", True), ("Synthetic T2", False)],
)
def test_only_a_synthetic_lesion_is_one(description, synthetic):
    assert Exam(series_description=description).has_synthetic_lesion is synthetic
    assert Exam(study_description=description).has_synthetic_lesion is synthetic
