"""The object that says what was found: nothing guessed, and nobody named when private."""

from dataclasses import replace
from pathlib import Path

import pytest
from phantoms import geometry_of

from medview.domain.errors import ReadError, WorkerDied
from medview.domain.study import Catalogue, Patient, Series, Skipped, Study, Summary
from medview.domain.volume import Note
from medview.services.describing import describe, summary_of

SERIES = Series(
    uid="1.2", number=3, modality="MR", description="T1", files=(Path("/x/a"), Path("/x/b")),
    size=(24, 20, 16), geometry=geometry_of("LPS"),
)  # fmt: skip
SUMMARY = Summary((0, 7), (2,), (Note("PARTIAL", "one is blank"),))


def body(series=SERIES, *, private=False, summary=SUMMARY, folder="Head"):
    study = Study("1", "2026-11-21", folder, series=(series,))
    patient = Patient("9f2c41aa", "P1", "A^B", "F", "1950-01-01", (study,))
    found = Catalogue((patient,), (Skipped("A^B.txt", "MV-IO-001", "no image"),), files=3, read=2)
    return describe(found, lambda _: summary, private=private)


def listed(**how):
    return body(**how)["patients"][0]["studies"][0]["series"][0]


def test_counts_places_and_pixels_are_told():
    assert body()["counts"] == {"files": 3, "read": 2, "skipped": 1}
    series = listed()
    assert (series["files"], series["value_range"]) == (2, [0, 7])
    assert series["spacing_mm"] == [4, 6, 5]
    assert series["orientation"] == "LPS"
    assert series["missing_slices"] == [2]
    assert series["warnings"] == [{"code": "PARTIAL", "text": "one is blank"}]


def test_what_is_not_known_is_none():
    unplaced = replace(
        SERIES.geometry, shape=(1, 20, 24), orientation_known=False, spacing_kind=None
    )
    series = listed(series=replace(SERIES, geometry=unplaced), summary=Summary(None, (), ()))
    for key in ("spacing_mm", "spacing_kind", "affine_lps", "orientation", "value_range"):
        assert series[key] is None
    assert listed(series=replace(SERIES, geometry=None))["affine_lps"] is None


@pytest.mark.parametrize("format_", ["dicom", "nifti"])
def test_private_hides_identity_and_names_of_files_and_folders(format_):
    found = body(replace(SERIES, format=format_), private=True)
    assert "A^B" not in str(found)
    assert "P1" not in str(found)
    assert "1950" not in str(found)
    assert found["patients"][0]["key"] == "9f2c41aa"
    assert "T1" not in str(found)
    assert "Head" not in str(found)
    assert "T1" in str(body(replace(SERIES, format=format_)))


def test_private_leaves_out_what_somebody_has_typed_and_names_of_files():
    """Also of somebody whom the header does not name: relatives, referrers, a maiden name."""
    summary = Summary((0, 7), (), (Note("PARTIAL", "1 slice is blank (aaa.dcm: ends early)"),))
    said = replace(SERIES, description="T1 of Huber", files=(Path("/x/aaa.dcm"),))
    patient = Patient(
        "9f2c41aa", "P-1", "Abc^B", None, None, (Study("1", "", "Control, Huber", series=(said,)),)
    )
    told = describe(Catalogue((patient,)), lambda _: summary, private=True)
    study = told["patients"][0]["studies"][0]
    assert study["description"] is None
    assert study["series"][0]["description"] is None
    assert "Huber" not in str(told)
    assert study["series"][0]["warnings"][0]["text"] == "1 slice is blank (a file: ends early)"


class Jobs:
    """Jobs whose every call ends in one error."""

    def __init__(self, error):
        self.error = error

    def call(self, *_, **__):
        raise self.error


def test_a_decoder_that_dies_is_a_warning_of_its_series():
    summary = summary_of(Jobs(WorkerDied("the process stopped (signal 11)")), SERIES)
    assert summary.value_range is None
    assert [note.code for note in summary.warnings] == ["PARTIAL"]
    assert "signal 11" in summary.warnings[0].text


def test_any_other_error_is_one():
    with pytest.raises(ReadError):
        summary_of(Jobs(ReadError("gone")), SERIES)


def test_what_is_finer_inside_has_the_code_that_commands_know():
    some = replace(SUMMARY, warnings=(Note("PARTLY_LOSSY", "1 of 3 images was compressed"),))
    assert listed(summary=some)["warnings"] == [
        {"code": "LOSSY", "text": "1 of 3 images was compressed"}
    ]
