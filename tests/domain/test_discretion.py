"""Words that a private answer may hold, and those that may tell who it is."""

from pathlib import Path

import pytest

from medview.domain.discretion import (
    discreet,
    series_words,
    study_words,
    tells_who,
    without_file_names,
)
from medview.domain.study import Patient, Series, Study

PATIENT = Patient("9f2c41aa", "H-4711", "Miller^Jo Ann", "F", "1950-01-31")


@pytest.mark.parametrize(
    "text", ["T1 MILLER", "scan of ann m.", "h-4711 head", "born 19500131", "1950-01-31"]
)
def test_a_part_of_name_id_or_birth_date_tells_who(text):
    assert tells_who(text, PATIENT)


@pytest.mark.parametrize("text", ["王 頭部", "小明", "MR Wang"])
def test_a_name_of_one_or_two_characters_tells_who_where_a_character_is_a_word(text):
    assert tells_who(text, Patient("1", "7", "Wang^XiaoMing=王^小明"))
    assert not tells_who(text, Patient("1", "7", "Li^Bo=李^波"))


@pytest.mark.parametrize("text", ["", "T1 MPRAGE sag", "Join of 2", "4712"])
def test_words_of_others_do_not(text):
    assert not tells_who(text, PATIENT)


def test_descriptions_are_told_unless_they_name_the_patient():
    for words, told in (("Head 1 mm", "Head 1 mm"), ("Head Miller", "")):
        series = Series("1", description=words)
        assert series_words(series, PATIENT) == told
        assert study_words(Study("1", description=words, series=(series,)), PATIENT) == told


def test_names_of_files_and_folders_are_not_told():
    series = Series("1", description="some_file", format="nifti")
    assert series_words(series, PATIENT) == ""
    assert study_words(Study("1", description="folder", series=(series,)), PATIENT) == ""


def test_a_warning_names_no_file():
    files = (Path("/x/IM1"), Path("/x/IM12.dcm"), Path("/x/other"))
    assert without_file_names("(IM12.dcm: ends early)", files) == "(a file: ends early)"


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ('the case "Doe" is in row 2 and 4', "l.csv", "the case “…” is in row 2 and 4"),
        ('row 2, column "sex": "Doe" is no word', "l.csv", 'row 2, column "sex": “…” is no word'),
        ("none of 2 cases can be used; Doe: a/b.nii is gone", "Doe", "none of 2 cases can be used; "
         "the case: a file is gone"),
        ("Ann Doe.nii.gz: it is damaged", "7", "a file: it is damaged"),
        ('column "t1": "Ann Doe.nii.gz" is not there', "7", 'column "t1": “…” is not there'),
        ("row 100 has 2 cells, 0.5 mm", "100", "row 100 has 2 cells, 0.5 mm"),
    ],
)  # fmt: skip
def test_a_sentence_is_told_without_names_of_cases_and_files(text, name, told):
    assert discreet(text, name) == told
