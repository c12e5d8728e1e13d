"""Series hang under the patient and study they are of, and no two patients become one."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import catalogue, codes, image, save, stack


def test_patient_study_and_series_are_those_of_the_files(tmp_path):
    more = {
        "PatientBirthDate": "19500101", "PatientSex": "F", "StudyDescription": "Head",
        "SeriesDescription": "T1", "SeriesNumber": 3, "AcquisitionDate": "20261121",
        "AcquisitionTime": "101530.25", "Manufacturer": "Maker", "ManufacturerModelName": "One",
        "MagneticFieldStrength": 3,
    }  # fmt: skip
    found = catalogue(save(stack(**more), tmp_path))
    (patient,) = found.patients
    assert (patient.id, patient.name, patient.sex) == ("P1", "Test^Case", "F")
    assert patient.birth_date == "1950-01-01"
    assert len(patient.key) == 8
    (study,) = patient.studies
    assert (study.uid, study.date, study.description) == ("1.2.3", "2026-11-21", "Head")
    (series,) = study.series
    assert (series.number, series.description, series.modality) == (3, "T1", "MR")
    assert (series.acquired, series.scanner) == ("2026-11-21 10:15", "Maker One")
    assert series.field_strength_t == 3
    assert (series.study_uid, series.patient_key) == (study.uid, patient.key)
    assert found.owner(series) == (patient, study)


def test_two_patients_in_one_folder_are_two_and_both_are_warned_of(tmp_path):
    other = stack(PatientID="P2", PatientName="Other^One", SeriesInstanceUID="1.2.3.9")
    found = catalogue(save([*stack(), *other], tmp_path))
    assert [patient.id for patient in found.patients] == ["P2", "P1"]
    assert [codes(series) for series in found.all_series()] == [["MIXED_PATIENTS"]] * 2


@pytest.mark.parametrize(
    ("known", "warned"),
    [
        ({"PatientID": ""}, True),
        ({"PatientName": ""}, True),
        ({"PatientID": "", "PatientName": ""}, False),
    ],
)
def test_another_patient_may_be_known_by_name_or_number_alone(known, warned, tmp_path):
    other = {"PatientID": "P2", "PatientName": "Other^One", "SeriesInstanceUID": "1.2.3.9"}
    found = catalogue(save([*stack()[:2], *stack(**(other | known))[:2]], tmp_path))
    assert len(found.patients) == 2
    assert ["MIXED_PATIENTS" in codes(series) for series in found.all_series()] == [warned] * 2


def test_series_come_by_their_number_and_those_without_one_last(tmp_path):
    numbers = {"1.2.3.1": 10, "1.2.3.2": 2, "1.2.3.3": 0, "1.2.3.4": None}
    slices = [
        image(np.zeros((6, 9), np.int16), SeriesInstanceUID=uid, SeriesNumber=number)
        if number is not None
        else image(np.zeros((6, 9), np.int16), SeriesInstanceUID=uid)
        for uid, number in numbers.items()
    ]
    found = catalogue(save(slices, tmp_path)).all_series()
    assert [series.number for series in found] == [0, 2, 10, None]


def test_studies_come_by_date_and_patients_by_name(tmp_path):
    for n, (name, date) in enumerate((("B", "20260301"), ("A", "20260201"), ("B", "20260101"))):
        uid = f"1.2.{n}"
        ds = image(np.zeros((6, 9), np.int16), StudyInstanceUID=uid, SeriesInstanceUID=f"{uid}.1",
                   PatientName=name, PatientID=name, StudyDate=date)  # fmt: skip
        save([ds], tmp_path / str(n))
    found = catalogue(tmp_path)
    assert [patient.name for patient in found.patients] == ["A", "B"]
    assert [study.date for study in found.patients[1].studies] == ["2026-01-01", "2026-03-01"]


def test_two_patients_under_one_series_uid_are_not_merged(tmp_path):
    save(stack(), tmp_path / "a")
    save(stack(PatientID="P2", PatientName="Other^One"), tmp_path / "b")
    found = catalogue(tmp_path)
    assert len(found.patients) == 2
    assert [series.size[2] for series in found.all_series()] == [8, 8]
    assert all("MIXED_PATIENTS" in codes(series) for series in found.all_series())


def test_patients_in_folders_of_their_own_are_no_matter(tmp_path):
    save(stack(), tmp_path / "a")
    other = {"PatientID": "P2", "PatientName": "Other", "StudyInstanceUID": "1.2.9"}
    save(stack(**other, SeriesInstanceUID="1.2.9.1"), tmp_path / "b")
    found = catalogue(tmp_path)
    assert [codes(series) for series in found.all_series()] == [[], []]


def test_names_written_differently_are_one_patient(tmp_path):
    save(stack(), tmp_path / "a")
    save(stack(PatientName="TEST^CASE^^", SeriesInstanceUID="1.2.3.9"), tmp_path / "b")
    assert len(catalogue(tmp_path).patients) == 1


def test_two_studies_of_nobody_are_not_taken_for_one_patient(tmp_path):
    nobody = {"PatientID": "", "PatientName": ""}
    save(stack(**nobody), tmp_path / "a")
    save(stack(**nobody, StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1"), tmp_path / "b")
    found = catalogue(tmp_path)
    assert len(found.patients) == 2
    assert all(codes(series) == [] for series in found.all_series())


def test_files_without_any_uid_still_make_a_series(tmp_path):
    bare = stack(StudyInstanceUID="", SeriesInstanceUID="")[:3]
    (series,) = catalogue(save(bare, tmp_path)).all_series()
    assert series.size[2] == 3
    assert series.uid.startswith("2.25.")


def test_series_are_found_by_uid_and_stack(tmp_path):
    scout = image(np.zeros((6, 9), np.int16), ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    found = catalogue(save([*stack(), scout], tmp_path))
    assert found.find("1.2.3.4#1").size[2] == 1
    assert found.find("1.2.3.4").size[2] == 8
    assert found.find("1.2.3.4#2") is None
