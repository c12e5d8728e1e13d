"""Cases of a batch: names that are folders, series that are found again."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from dicom_files import image, write
from PIL import Image
from services.stubs import CARD
from throwaway import save_dicom, save_nifti, small_head

from medview.domain.card import InputSpec
from medview.domain.errors import DataError, InputRefused
from medview.domain.progress import Silent
from medview.domain.study import Skipped
from medview.io.readers import scan
from medview.services import batch_cases
from medview.services.batch_cases import Case
from medview.services.inputs import Wanted

CASE = Case("a", Wanted())


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("sub-01", True),
        ("Fall 1, Müller 日本", True),
        ("a b/c", False),
        ("..", False),
        (".hidden", False),
        ("a\nb", False),
        ("b\udcff", False),
        ("x" * 200, False),
        ("日" * 79, False),
    ],
)
def test_names_of_cases_become_names_of_folders(name, kept):
    safe = batch_cases._safe(name)
    assert (safe == name) is kept
    assert Path(safe).name == safe
    assert safe not in ("", ".", "..")
    assert len(safe.encode()) < 255


def test_names_that_differ_in_nothing_but_case_are_told_apart():
    given = [replace(CASE, name=name) for name in ("Head", "head", "HEAD")]
    assert [case.name for case in batch_cases._named_apart(given)] == ["Head", "head-2", "HEAD-3"]


def test_a_name_that_is_made_apart_is_nobody_elses():
    given = [replace(CASE, name=name) for name in ("c1", "C1", "c1-2", "C1-3")]
    assert [case.name for case in batch_cases._named_apart(given)] == ["c1", "C1-4", "c1-2", "C1-3"]


def test_each_stack_of_a_series_is_found_again_by_its_number(tmp_path):
    for n, across in enumerate(([1, 0, 0, 0, 0, -1], [1, 0, 0, 0, 1, 0])):
        folder = tmp_path / f"{n}"
        save_dicom(small_head(), folder, SeriesDescription="T1", ImageOrientationPatient=across)
    catalogue = scan(Silent(), (tmp_path,))
    cases = [
        batch_cases._series_case(catalogue, series, tmp_path) for series in catalogue.all_series()
    ]
    assert [case.wanted.series for case in cases] == ["1.2.3.4#0", "1.2.3.4#1"]
    for case in cases:
        found = scan(Silent(), case.wanted.paths).all_series()
        assert case.wanted.series in [series.key for series in found]


def listed(*rows):
    """What a child reads from a case list, of which each row says some fields."""
    plain = {"patient": "", "site": "", "age_years": None, "sex": None, "cells": {}, "images": {}}
    read = [SimpleNamespace(**plain | row) for row in rows]
    return SimpleNamespace(call=lambda lane, work, path, roles: read)


@pytest.fixture
def case_list(tmp_path):
    path = tmp_path / "cases.csv"
    path.write_text("case,t1\n")
    return path


def test_a_case_has_what_its_own_row_says(case_list):
    one = {
        "case": "a/1", "patient": "Doe", "site": "A", "age_years": 61.5, "sex": "F",
        "images": {"t1ce": Path("ce.nii"), "t1": Path("t1.nii"), "t2": Path("t2.nii")},
        "cells": {"film_hour": "0"},
    }  # fmt: skip
    other = {"case": "b", "images": {"t1": Path("b.nii")}, "cells": {"film_hour": "12.5"}}
    first, second = batch_cases.find_cases(listed(one, other), CARD, case_list)
    given = (("t1", Path("t1.nii")), ("t1ce", Path("ce.nii")))
    assert (first.wanted.named, second.wanted.named) == (given, (("t1", Path("b.nii")),))
    assert replace(first, wanted=CASE.wanted) == Case(
        batch_cases._safe("a/1"), CASE.wanted, "Doe", "A", 61.5, "F", 0.0, row="a/1", title="a/1"
    )
    assert replace(second, wanted=CASE.wanted) == Case(
        "b", CASE.wanted, film_hour=12.5, row="b", title="b"
    )


def test_private_cases_have_numbers_in_place_of_names_and_keep_what_the_model_takes(case_list):
    rows = [
        {"case": name, "patient": name, "age_years": age, "images": {"t1": Path(f"{name}.nii")}}
        for name, age in (("Doe", 61.5), ("Roe", 20.0))
    ]
    found = batch_cases.find_cases(listed(*rows), CARD, case_list, private=True)
    assert [(one.name, one.label, one.patient) for one in found] == [
        ("case-00001", "case-00001", ""), ("case-00002", "case-00002", ""),
    ]  # fmt: skip
    assert [(one.age_years, one.wanted.named[0][1].name) for one in found] == [
        (61.5, "Doe.nii"), (20.0, "Roe.nii"),
    ]  # fmt: skip


def test_a_list_without_cases_is_refused_by_name(case_list):
    with pytest.raises(InputRefused, match=r"cases\.csv: it has no case"):
        batch_cases.find_cases(listed(), CARD, case_list)


def test_a_folder_has_a_case_for_each_series_that_fits(tmp_path, monkeypatch):
    save_nifti(small_head(), tmp_path / "one_T1.v2.nii.gz")
    save_dicom(small_head(), tmp_path / "a", SeriesDescription="T1")
    save_dicom(small_head(), tmp_path / "b", SeriesDescription="T2 TSE", SeriesInstanceUID="1.2.9")
    (tmp_path / "ages.csv").write_text("id,age\n")
    monkeypatch.setattr(batch_cases.library, "scan", lambda jobs, paths: scan(Silent(), paths))
    found = {case.name: case for case in batch_cases.find_cases(None, CARD, tmp_path)}
    assert {name: len(case.wanted.paths) for name, case in found.items()} == {
        "one_T1": 1, "1.2.3.4": 24,
    }  # fmt: skip
    assert {path.parent.name for path in found["1.2.3.4"].wanted.paths} == {"a"}
    assert found["one_T1"].where == "one_T1.v2.nii.gz"
    assert re.fullmatch(r"a/\S+ and 23 more", found["1.2.3.4"].where)
    private = batch_cases.find_cases(None, CARD, tmp_path, private=True)
    assert {case.where for case in private} == {""}


def test_a_model_of_tables_has_a_case_for_each_table(tmp_path):
    card = replace(CARD, inputs=(InputSpec("smri", "a table"),))
    for name in ("b.csv", "a.csv", "notes.txt", "c.nii"):
        (tmp_path / name).write_text("id,age\n")
    (tmp_path / "folder.csv").mkdir()
    found = batch_cases.find_cases(None, card, tmp_path)
    assert [(one.name, one.wanted.paths) for one in found] == [
        ("a", (tmp_path / "a.csv",)), ("b", (tmp_path / "b.csv",)),
    ]  # fmt: skip


def test_an_empty_file_is_no_case_but_refused(tmp_path):
    card = replace(CARD, inputs=(InputSpec("smri", "a table"),))
    (tmp_path / "cases.csv").touch()
    with pytest.raises(DataError, match=r"cases\.csv: it is empty"):
        batch_cases.find_cases(None, card, tmp_path / "cases.csv")


def test_a_film_or_volume_that_is_damaged_is_a_case_that_fails(tmp_path):
    Image.new("L", (9, 8)).save(tmp_path / "whole.png")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    short = save_nifti(small_head(), tmp_path / "short.nii")
    short.write_bytes(short.read_bytes()[:400])
    for name in ("notes.txt", "words.png", "words.dcm", "Words.NII.GZ", "._words.png", "w.jp2"):
        (tmp_path / name).write_text("no image")
    for name in ("none.jpg", "none.nii.gz", "none.dcm", "none.txt"):
        (tmp_path / name).touch()
    cases = batch_cases._single_files(scan(Silent(), (tmp_path,)), tmp_path, pictures=False)
    assert sorted((case.name, case.wanted.paths[0].name) for case in cases) == [
        ("Words", "Words.NII.GZ"),
        ("none", "none.dcm"),
        ("none", "none.jpg"),
        ("none", "none.nii.gz"),
        ("short", "short.nii"),
        ("torn", "torn.png"),
        ("w", "w.jp2"),
        ("words", "words.dcm"),
        ("words", "words.png"),
    ]


def test_pictures_beside_dicom_films_are_cases_of_a_model_of_films_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_cases.library, "scan", lambda jobs, paths: scan(Silent(), paths))
    write(image(np.arange(72, dtype=np.uint16).reshape(9, 8), Modality="DX"), tmp_path / "a.dcm")
    Image.new("L", (90, 80)).save(tmp_path / "film.png")
    film = replace(CARD, inputs=(InputSpec("film", "film", required=True, modalities=("DX",)),))
    found = batch_cases.find_cases(None, film, tmp_path)
    assert [(case.name, case.where) for case in found][1:] == [("film", "film.png")]
    save_dicom(small_head(), tmp_path / "head", SeriesDescription="T1")
    assert len(batch_cases.find_cases(None, CARD, tmp_path)) == 1


def test_a_folder_or_film_that_may_not_be_read_is_a_case_that_fails(tmp_path):
    Image.new("L", (9, 8)).save(tmp_path / "whole.png")
    (tmp_path / "locked").mkdir()
    for name in ("film.png", "notes.txt"):
        (tmp_path / name).write_text("who knows")
    found = scan(Silent(), (tmp_path,))
    names = ("locked", "film.png", "notes.txt")
    unread = tuple(Skipped(name, "MV-IO-005", "cannot be read") for name in names)
    cases = batch_cases._single_files(replace(found, skipped=unread), tmp_path, pictures=False)
    assert [(case.name, case.where) for case in cases] == [
        ("locked", "locked"),
        ("film", "film.png"),
    ]
