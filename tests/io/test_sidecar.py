"""The JSON beside a NIfTI file fills in what its header leaves open."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dicom_files import codes, only
from nifti_files import patched, written

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


def test_the_header_comes_first_and_a_contradiction_is_said(tmp_path):
    series, _ = beside(tmp_path, BIDS, step=3.0)
    assert series.time_step_s == 3.0
    assert codes(series) == ["TIME_DOUBTFUL"]
    assert "3 s" in series.warnings[0].text
    assert "2.2 s" in series.warnings[0].text


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
