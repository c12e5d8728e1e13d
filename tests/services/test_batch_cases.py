"""Cases of a batch: names that are folders, series that are found again."""

from dataclasses import replace
from pathlib import Path

import pytest
from throwaway import save_dicom, small_head

from medview.domain.progress import Silent
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
    cases = [batch_cases._series_case(catalogue, series) for series in catalogue.all_series()]
    assert [case.wanted.series for case in cases] == ["1.2.3.4#0", "1.2.3.4#1"]
    for case in cases:
        found = scan(Silent(), case.wanted.paths).all_series()
        assert case.wanted.series in [series.key for series in found]
