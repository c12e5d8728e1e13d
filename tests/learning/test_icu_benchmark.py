"""The layout of the MIMIC benchmark."""

import pytest
from icu_minis import by_name, cxr, found, table


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))


def test_the_benchmark_keeps_its_split_and_pairs_films(tmp_path):
    root = tmp_path / "bench"
    task = root / "in-hospital-mortality"
    for part, name in (("train", "1_episode1"), ("train", "2_episode1"), ("test", "3_episode1")):
        table(task / part / f"{name}_timeseries.csv", "Hours,Heart Rate,pH", (0.5, 90, 7.3))
    header = "stay,period_length,stay_id,y_true"
    table(task / "train_listfile.csv", header, ("1_episode1_timeseries.csv", 48.0, 101, 1))
    table(task / "val_listfile.csv", header, ("2_episode1_timeseries.csv", 48.0, 102, 0))
    table(
        task / "test_listfile.csv", header,
        ("3_episode1_timeseries.csv", 48.0, 103, 0), ("4_episode1_timeseries.csv", 48.0, 104, 0),
    )  # fmt: skip
    table(
        root / "all_stays.csv", "subject_id,hadm_id,stay_id,intime,outtime",
        (1, 11, 101, "2150-01-01 00:00:00", "2150-01-04 00:00:00"),
    )  # fmt: skip
    cxr(root / "cxr")
    subset = found(task)
    cases = by_name(subset)
    assert {name: case.split for name, case in cases.items()} == {
        "1_episode1": "train", "2_episode1": "val", "3_episode1": "test",
    }  # fmt: skip
    assert cases["1_episode1"].images["film"].name == "a.jpg"
    assert cases["2_episode1"].images == {}
    assert subset.skipped[0].case == "4_episode1"
    assert cases["1_episode1"].cells["mortality"] == "1"
