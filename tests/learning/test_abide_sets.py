"""ABIDE: who has structure, who has series, and what connects them."""

import gzip

import numpy as np
import pytest
from age_sets import write_abide, write_rows

from medview.learning import abide_sets
from medview.learning.cases import find_subsets


def found(path):
    (subset,) = find_subsets((str(path),), "brain-age")
    return subset


def test_abide_has_pairs_and_rows_of_structure_only_and_no_sex(tmp_path):
    write_abide(tmp_path)
    subset = found(tmp_path)
    assert len(subset.cases) == 24
    assert sum("fmri" in case.rows for case in subset.cases) == 12
    assert {case.sex for case in subset.cases} == {None}
    assert [case.label for case in subset.cases[:3]] == [1, 0, 0]
    assert len(subset.columns["fmri"]) == 6670
    assert subset.columns["smri"] == tuple(f"fs_{n}" for n in range(5))
    assert "NC" in subset.licence


def test_series_without_structure_are_left_out_by_name(tmp_path):
    write_abide(tmp_path)
    with (tmp_path / "roi_timeseries_index.csv").open("a") as file:
        file.write("99999,roi_timeseries_aal116/99999.npy,40,116,PITT\n")
    subset = abide_sets.load_abide(tmp_path)
    assert [(left.case, left.code) for left in subset.skipped] == [("99999", "MV-DAT-101")]


def test_people_whose_series_cannot_be_used_are_left_out_by_name(tmp_path):
    write_abide(tmp_path)
    series = tmp_path / "roi_timeseries_aal116"
    np.save(series / "50000.npy", np.zeros((40, 90), np.float32))
    (series / "50001.npy").write_bytes(b"broken")
    subset = abide_sets.load_abide(tmp_path)
    assert [case.case for case in subset.cases[:2]] == ["50002", "50003"]
    assert [(left.case, left.what) for left in subset.skipped] == [
        ("50000", "50000.npy: time x 116 finite values are needed, not 40 x 90"),
        ("50001", "50001.npy cannot be read as an array"),
    ]


def test_abide_may_lack_labels_and_sites(tmp_path):
    write_abide(tmp_path)
    path = tmp_path / "freesurfer_features.csv.gz"
    lines = [line.split(",") for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    kept = [[row[1], "DX_GROUP" if row[1] == "SUB_ID" else "", *row[6:]] for row in lines]
    write_rows(path, kept[0], kept[1:])
    subset = abide_sets.load_abide(tmp_path)
    assert len(subset.cases) == 24
    assert {(c.label, c.age_years, c.site) for c in subset.cases} == {(None, None, "")}


def test_connectivity_by_hand():
    t = np.linspace(0, 6, 50)
    series = np.stack([np.sin(t), 2 * np.sin(t) + 1, np.cos(t), np.zeros(50)], 1)
    z = abide_sets.connectivity(series)
    assert abide_sets.connectivity_names(4) == (
        "r_000_001",
        "r_000_002",
        "r_000_003",
        "r_001_002",
        "r_001_003",
        "r_002_003",
    )
    assert z[0] == pytest.approx(np.arctanh(0.999))
    assert z[1] == pytest.approx(np.arctanh(np.corrcoef(series[:, 0], series[:, 2])[0, 1]))
    assert z[[2, 4, 5]].tolist() == [0, 0, 0]
