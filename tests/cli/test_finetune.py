"""``medview finetune`` on real people: a base without one site, gone on with at that site."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from medview.cli import main
from medview.cli.compare import in_words as differences_in_words
from medview.cli.contract import Context
from medview.io.cards import read_card
from medview.io.seen import seen_of
from medview.learning.patients import patient_hash

IXI = Path(__file__).parents[2] / "../shared/data/brain_age/ixi/ixi_dlmuse_n291.csv.gz"


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def people_of_ixi():
    """Rows of the table of IXI and the names of its measures."""
    if not IXI.is_file():
        pytest.skip("the table of IXI is not here")
    with gzip.open(IXI, "rt") as file:
        people = list(csv.DictReader(file))
    return people, [name for name in people[0] if name.startswith("MUSE_")]


def write_people(folder, name, people, volumes):
    """A case list of people, and the table of their measures beside it."""
    table = [[one["ID"], *(one[volume] for volume in volumes)] for one in people]
    write(folder / f"{name}-table.csv", ["case", *volumes], table)
    header = ("case", "patient", "site", "age_years", "sex", "smri")
    rows = [
        (one["ID"], one["subject"], one["site"], one["Age"], one["Sex"], f"{name}-table.csv")
        for one in people
    ]
    write(folder / f"{name}.csv", header, rows)
    return f"cases={folder / f'{name}.csv'}"


def test_old_and_new_are_told_of_each_group_by_itself():
    def row(who, group, value):
        same = {"task": "age", "level": "case", "name": "mae", "subset": "cases"}
        return {"predictor": who, "group": group, "value": value, **same}

    groups = ("validation", "site:HH")
    rows = [row(who, group, n + 10 * (who == "new"))
            for n, group in enumerate(groups) for who in ("old", "new")]  # fmt: skip
    differences = [
        {**row("", group, None), "new_minus_old": 10.0, "low": None, "high": None, "n": 3}
        for group in groups
    ]
    words = differences_in_words({"metrics": rows, "differences": differences, "worse": []})
    assert words.splitlines() == [
        "validation cases age mean absolute error: old 0.000, new 10.000, difference +10.000, n 3",
        "site HH cases age mean absolute error: old 1.000, new 11.000, difference +10.000, n 3",
    ]


def test_in_private_also_the_reference_set_is_called_otherwise(tmp_path, capfd, monkeypatch):
    out = tmp_path / "out"

    def call(self, lane, work, *args):
        if work.endswith(":survey"):
            return {"cases": 8}
        (out / "comparison" / "reference").mkdir(parents=True)
        table = out / "comparison" / "reference" / "predictions.csv"
        table.write_text("case,subset\nDoe,Doe-list\n")
        found = {"metrics": [{"subset": "Doe-list", "group": "reference"}], "worse": []}
        (out / "before_after.json").write_text(json.dumps(found))
        return {"epochs": 1, "weights_sha256": "", "seconds": 1.0, "before_after": found}

    monkeypatch.setattr(Context, "call", call)
    words = ["--data", "/x/local.csv", "--reference", "/x/Doe-list.csv", "--out", str(out)]
    main(["finetune", "icu", *words, "--private", "--json"])
    left = capfd.readouterr().out + "".join(path.read_text() for path in out.rglob("*.*"))
    assert "reference" in left
    assert "Doe" not in left


@pytest.mark.parametrize(
    ("name", "says"), [("1.0", "a version 1.0 of icu already"), ("a/b", "cannot be the name")]
)
def test_a_name_that_cannot_be_given_is_refused_before_the_training(tmp_path, capfd, name, says):
    words = ("finetune", "icu", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert main([*words, "--register", name]) == 2
    assert says in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [("--epochs", "3"), ("--set", "rate=0.1"), ("--resume",)])
def test_options_of_training_are_not_for_a_fit(tmp_path, capfd, options):
    words = ("finetune", "icu", "--data", str(tmp_path), "--out", str(tmp_path / "out"))
    assert main([*words, "--method", "calibrate", *options]) == 2
    assert f"{options[0]}: --method calibrate trains nothing" in capfd.readouterr().err


@pytest.mark.slow
def test_each_site_is_left_out_of_a_fine_tuning_in_turn(tmp_path, capfd):
    people, volumes = people_of_ixi()
    half = {one["subject"] for one in people[::2]}
    base = write_people(tmp_path, "base", [p for p in people if p["subject"] in half], volumes)
    local = write_people(
        tmp_path, "local", [p for p in people if p["subject"] not in half], volumes
    )
    common = ("--threads", "1", "--quiet", "--json", "--epochs", "5")
    out = ("--out", str(tmp_path / "base"))
    assert main(["train", "brain-age", "--data", base, *out, *common]) == 0
    capfd.readouterr()
    start = ("--weights", str(tmp_path / "base" / "weights.safetensors"))
    words = ("finetune", "brain-age", "--data", local, "--out", str(tmp_path / "out"))
    assert main([*words, *start, *common, "--leave-out", "site"]) == 0
    told = json.loads(capfd.readouterr().out)
    sites = sorted({one["site"] for one in people})
    assert [one["site"] for one in told["sites"]] == sites
    rows = {(row["group"], row["predictor"]): row
            for row in told["before_after"]["metrics"] if row["name"] == "mae"}  # fmt: skip
    print({key: (row["value"], row["low"], row["high"], row["n"]) for key, row in rows.items()})
    for one in told["sites"]:
        here = [p for p in people if p["site"] == one["site"] and p["subject"] not in half]
        assert one["why_not"] == ""
        assert rows[f"site:{one['site']}", "new"]["n"] == len(here) == one["cases"]
    seen = read_card(tmp_path / "out" / "sites" / "0" / "card.json")
    away = {patient_hash(p["subject"]) for p in people if p["site"] == sites[0]}
    assert not seen_of(seen, away)


@pytest.mark.slow
def test_a_base_without_a_site_is_gone_on_with_there(tmp_path, capfd):
    people, volumes = people_of_ixi()
    for name, at_site in (("base", False), ("local", True)):
        kept = [one for one in people if (one["site"] == "HH") == at_site]
        write_people(tmp_path, name, kept, volumes)
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


def test_a_version_that_is_worse_is_refused_in_plain_words_with_a_way_on(
    tmp_path, capfd, monkeypatch
):
    found = {"metrics": [], "differences": [], "worse": ["reference mae", "validation roc_auc"]}
    body = {"before_after": found, "epochs": 3, "held_out": 8, "weights_sha256": "0" * 64}
    monkeypatch.setattr(Context, "call", lambda *given: {**body, "n": {}, "seconds": 1.0})
    words = ["finetune", "brain-age", "--data", "local.csv", "--reference", "ref.csv"]
    assert main([*words, "--out", str(tmp_path / "out"), "--register", "ward", "--quiet"]) == 1
    last = capfd.readouterr().out.splitlines()
    assert last[-1] == (
        "not registered: it is worse than the version it was made from (mean absolute error on "
        "the locked set). Its weights stay in --out; --accept-worse with --register NAME keeps "
        "them all the same."
    )
    assert "worse: mean absolute error on the locked set; ROC AUC on the patients held out" in last
