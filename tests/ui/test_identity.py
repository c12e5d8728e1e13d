import pytest
from services.stubs import catalogue_of, series_of

from medview.domain.study import Patient, Study
from medview.ui.identity import corner_lines, patient_facts, patient_name, readable, series_name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Doe^Jane^Ann^Dr", "Doe, Jane Ann Dr"),
        ("Doe", "Doe"),
        ("^Jane", "Jane"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        ("=山田^太郎=やまだ^たろう", "山田, 太郎"),
        ("", ""),
    ],
)
def test_a_dicom_name_is_written_as_people_write_it(name, text):
    assert readable(name) == text


def test_without_a_name_there_is_the_id_then_the_study_then_the_key():
    study = Study("1", description="BraTS-110")
    assert patient_name(Patient("9f2c41aa", "P1", studies=(study,)), private=False) == "P1"
    assert patient_name(Patient("9f2c41aa", studies=(study,)), private=False) == "BraTS-110"
    assert patient_name(Patient("9f2c41aa"), private=False) == "Patient 9f2c41aa"


def test_in_private_mode_only_the_key_stands_for_the_patient():
    study = Study("1", description="Head of Jane")
    patient = Patient("9f2c41aa", "P1", "Doe^Jane", studies=(study,))
    assert patient_name(patient, private=True) == "Patient 9f2c41aa"


def test_a_series_has_some_name():
    assert series_name(series_of("1.1")) == "T1 1.1"
    assert series_name(series_of("1.1", description="", number=7)) == "Series 7"
    assert series_name(series_of("1.1", description="", modality="MR")) == "MR"


@pytest.mark.parametrize(
    ("side", "words"), [("L", " · left side"), ("B", " · both sides"), ("", "")]
)
def test_the_side_that_the_file_names_stands_beside_the_series(side, words):
    series = series_of("1.1", laterality=side)
    lines = corner_lines(catalogue_of(series), series, private=False)
    assert lines[-1] == f"T1 1.1{words}"


def test_a_sex_that_is_neither_says_of_what_it_speaks():
    patient = Patient("9f2c41aa", "P1", "A^B", sex="O", birth_date="1965-01-01")
    assert patient_facts(patient, "2026-02-01", private=False) == "sex other · 61 y"


def test_in_private_mode_no_description_names_the_patient():
    series = series_of("1.1", description="Knee of A^B", number=3)
    patient = Patient("9f2c41aa", "P1", "Abel^Bo", studies=())
    assert series_name(series, patient, private=True) == "Knee of A^B"
    named = series_of("1.1", description="Knee of abel", number=3)
    assert series_name(named, patient, private=True) == "Series 3"
    assert series_name(named, patient) == "Knee of abel"


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({"modality": "US"}, True),
        ({"modality": "OT"}, True),
        ({"format": "film"}, True),
        ({}, False),
    ],
)
def test_in_private_mode_a_picture_that_may_bear_a_name_says_so(fields, may):
    series = series_of("1.1", **fields)
    doubt = "A name may stand in the picture"
    for catalogue in (catalogue_of(series), catalogue_of()):
        assert (doubt in corner_lines(catalogue, series, private=True)) == may
        assert doubt not in corner_lines(catalogue, series, private=False)


def test_corner_lines_of_a_series_nobody_owns_name_the_series_only():
    assert corner_lines(catalogue_of(), series_of("1.1"), private=False) == ("T1 1.1",)
