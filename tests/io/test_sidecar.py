"""The JSON beside a NIfTI file fills in what its header leaves open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_files import catalogue, codes, only
from nifti_files import patched, written

from medview.io import sidecar

TIMES = np.zeros((3, 4, 3, 2), np.int16)
BIDS = {
    "RepetitionTime": 2.2, "Modality": "MR", "Manufacturer": "Siemens",
    "ManufacturersModelName": "Prisma", "MagneticFieldStrength": 3, "PatientName": "Doe",
}  # fmt: skip


def beside(tmp_path, said, step=0):
    """The series and volume of a file of three times with a sidecar beside it."""
    path = patched(
        written(tmp_path / "bold.nii", TIMES, np.diag([2.0, 2, 2, 1])),
        pixdim=[1, 2, 2, 2, step, 0, 0, 0], xyzt_units=10,
    )  # fmt: skip
    (tmp_path / "bold.json").write_text(said if isinstance(said, str) else json.dumps(said))
    return only(path)


def test_the_sidecar_adds_time_step_modality_scanner_and_field(tmp_path):
    series, volume = beside(tmp_path, BIDS)
    assert (series.time_step_s, series.modality, volume.modality) == (2.2, "MR", "MR")
    assert (series.scanner, series.field_strength_t) == ("Siemens Prisma", 3.0)
    assert codes(series) == []
    assert "Doe" not in repr(series)


def test_components_are_not_a_repetition_time_apart(tmp_path):
    path = written(tmp_path / "v.nii", TIMES[:, None], np.diag([2.0, 2, 2, 1]))
    (tmp_path / "v.json").write_text(json.dumps(BIDS))
    series, _ = only(path)
    assert (series.times, series.split_by, series.time_step_s) == (3, "component", None)
    assert series.modality == "MR"


def test_the_header_comes_first_and_a_contradiction_is_said(tmp_path):
    series, _ = beside(tmp_path, BIDS, step=3.0)
    assert series.time_step_s == 3.0
    assert codes(series) == ["TIME_DOUBTFUL"]
    assert "3 s" in series.warnings[0].text
    assert "2.2 s" in series.warnings[0].text


@pytest.mark.parametrize(
    ("step", "told", "found"),
    [(2.0, 2.01, 2.0), (2.0, None, 2.0), (0, 2.01, 2.01)],
)
def test_times_that_nearly_agree_or_are_told_once_raise_no_doubt(step, told, found, tmp_path):
    series, _ = beside(tmp_path, BIDS | {"RepetitionTime": told}, step)
    assert (series.time_step_s, codes(series)) == (found, [])


def test_a_single_volume_has_no_step_in_time(tmp_path):
    written(tmp_path / "t1.nii", TIMES[..., 0], np.diag([2.0, 2, 2, 1]))
    (tmp_path / "t1.json").write_text(json.dumps(BIDS))
    series, _ = only(tmp_path / "t1.nii")
    assert (series.times, series.time_step_s, series.modality) == (1, None, "MR")


def test_words_are_cut_and_hold_no_signs_that_command(tmp_path):
    series, _ = beside(tmp_path, {"Manufacturer": "A\x1b[2J\n" + "b" * 10_000})
    assert series.scanner.startswith("A[2Jbbb")
    assert len(series.scanner) < 300


@pytest.mark.parametrize(
    "said",
    ["", "[1]", "{", "[" * 100_000, '{"RepetitionTime": NaN, "Modality": ["MR"]}',
     '{"RepetitionTime": true}', '{"RepetitionTime": 1e999}', '{"RepetitionTime": -1}',
     " " * (2**20 + 1) + "{}"],
)  # fmt: skip
def test_a_sidecar_that_cannot_be_used_changes_nothing(said, tmp_path):
    series, _ = beside(tmp_path, said)
    assert (series.time_step_s, series.modality, series.scanner) == (None, "", "")
    assert codes(series) == []


def test_a_data_set_hands_its_facts_down_and_the_nearer_goes_before(tmp_path):
    folder = tmp_path / "sub-01" / "func"
    folder.mkdir(parents=True)
    facts = {
        "dataset_description.json": {"Name": "Faces", "Manufacturer": "nobody"},
        "bold.json": {"Manufacturer": "GE", "MagneticFieldStrength": 1.5},
        "task-rest_bold.json": {"RepetitionTime": 2.5, "MagneticFieldStrength": 3},
        "task-faces_bold.json": {"RepetitionTime": 9},
        "task-rest_sbref.json": {"RepetitionTime": 8},
        "sub-01/func/sub-01_task-rest_bold.json": {"RepetitionTime": 2.0},
    }
    for name, said in facts.items():
        (tmp_path / name).write_text(json.dumps(said))
    path = written(folder / "sub-01_task-rest_bold.nii.gz", TIMES, np.diag([2.0, 2, 2, 1]))
    for name in ("a.bval", "a.bvec"):
        (folder / name).write_text("0 1000 1000")
    series, _ = only(path)
    # Whatever time step the writer put into the header goes before.
    assert (series.scanner, series.field_strength_t, series.sidecars) == ("GE", 3.0, 3)
    assert sidecar.with_sidecar(replace(series, time_step_s=None)).time_step_s == 2.0
    found = catalogue(tmp_path)
    assert len(found.all_series()) == 1
    assert {(Path(left.file).suffix, left.what.split(",")[0]) for left in found.skipped} == {
        (".bval", "strengths of diffusion gradients"),
        (".bvec", "directions of diffusion gradients"),
        (".json", "facts about images or tables"),
    }


def test_without_a_data_set_only_the_own_sidecar_counts(tmp_path):
    (tmp_path / "bold.json").write_text(json.dumps(BIDS))
    folder = tmp_path / "sub-01"
    folder.mkdir()
    series, _ = only(written(folder / "sub-01_bold.nii", TIMES, np.diag([2.0, 2, 2, 1])))
    assert (series.scanner, series.sidecars) == ("", 0)
