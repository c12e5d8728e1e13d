"""``medview finetune`` on real people: a base without one site, gone on with at that site."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from medview.cli import main

IXI = Path(__file__).parents[2] / "../shared/data/brain_age/ixi/ixi_dlmuse_n291.csv.gz"


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.mark.slow
def test_a_base_without_a_site_is_gone_on_with_there(tmp_path, capfd):
    if not IXI.is_file():
        pytest.skip("the table of IXI is not here")
    with gzip.open(IXI, "rt") as file:
        people = list(csv.DictReader(file))
    volumes = [name for name in people[0] if name.startswith("MUSE_")]
    rows = [[one["ID"], *(one[name] for name in volumes)] for one in people]
    write(tmp_path / "table.csv", ["case", *volumes], rows)
    header = ("case", "patient", "site", "age_years", "sex", "smri")
    for name, at_site in (("base", False), ("local", True)):
        kept = [one for one in people if (one["site"] == "HH") == at_site]
        rows = [
            (one["ID"], one["subject"], one["site"], one["Age"], one["Sex"], "table.csv")
            for one in kept
        ]
        write(tmp_path / f"{name}.csv", header, rows)
    common = ("--threads", "1", "--quiet", "--json")
    base = ("train", "brain-age", "--data", f"cases={tmp_path / 'base.csv'}")
    assert main([*base, "--out", str(tmp_path / "base"), *common]) == 0
    capfd.readouterr()
    weights = tmp_path / "base" / "weights.safetensors"
    words = ("finetune", "brain-age", "--data", f"cases={tmp_path / 'local.csv'}")
    more = ("--weights", str(weights), "--out", str(tmp_path / "out"))
    assert main([*words, *more, *common]) == 0
    told = json.loads(capfd.readouterr().out)
    found = {
        row["predictor"]: row for row in told["before_after"]["metrics"] if row["name"] == "mae"
    }
    print(found, told["before_after"]["differences"])
    assert found["old"]["n"] == found["new"]["n"] >= 15
    for row in found.values():
        assert row["low"] < row["value"] < row["high"]
        assert row["value"] < 8
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    parent = json.loads((tmp_path / "base" / "card.json").read_text())
    assert card["parent"] == parent["weights_sha256"]
    assert set(parent["seen_patients"]) < set(card["seen_patients"])
