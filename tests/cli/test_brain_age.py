"""The brain-age model as a user types it: train, run, evaluate, ablate, check."""

import csv
import json

import pytest
from age_sets import IXI_HEADER, ixi_rows, write_age_cases, write_ixi_table, write_rows

from medview.cli import main
from medview.io.cards import read_card
from medview.io.seen import seen_of
from medview.learning.patients import patient_hash

pytestmark = pytest.mark.usefixtures("lasting_children")

TINY = (
    *("--set", "train.epochs=4", "--set", "members=2", "--set", "train.batch=16"),
    *("--set", "train.noise=0.2", "--threads", "1", "--device", "cpu"),
)


def typed(capfd, *words):
    code = main([*map(str, words), "--json", "--quiet"])
    told = capfd.readouterr()
    return code, json.loads(told.out), told.err


def lines(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with ixi/ and out/, the answer of the training beside it."""
    place = tmp_path_factory.mktemp("age")
    write_ixi_table(place / "ixi")
    words = ["train", "brain-age", "--data", str(place / "ixi"), "--out", str(place / "out")]
    assert main([*words, *TINY, "--set", "folds=2", "--quiet"]) == 0
    return place


def test_training_writes_everything_and_its_card_speaks(trained):
    out = trained / "out"
    named = {path.name for path in out.iterdir()}
    (events,) = (each for each in named if each.startswith("events.out.tfevents"))
    assert named == {
        *(events, "card.json", "checkpoint", "fold-1", "fold-2"),
        *("history.csv", "run.json", "splits.csv", "weights.safetensors"),
    }
    card = read_card(out / "card.json")
    assert card.licence.partition("; from a T1 volume: ")[0] == "CC BY-SA 3.0"
    assert card.settings["columns"]["smri"] == list(IXI_HEADER[5:])
    assert len(card.seen_patients) == 40
    assert seen_of(card, [patient_hash("IXI003")])
    assert len(card.settings["reference"]) == 40
    # The card also tells of the route from a T1 volume, which ships with figures of its own.
    own = [f for f in card.measured if "train brain-age" in f.command]
    found = {(f.predictor, f.name, f.group): f for f in own}
    for predictor in ("model", "ridge", "mean"):
        figure = found[predictor, "mae", "all"]
        assert figure.n == 40
        assert figure.low < figure.value < figure.high
    assert ("model", "coverage", "all") in found
    assert {"site:HH", "sex:F", "age:45-55"} <= {group for _, _, group in found}
    assert all("--set folds=2" in figure.command for figure in own)
    assert any("refit on all" in line for line in card.method)
    assert [row["part"] for row in lines(out / "splits.csv")] == ["train"] * 40
    names = {(row["part"], row["name"]) for row in lines(out / "history.csv")}
    assert {
        ("train", "kl"),
        ("val", "mae"),
        ("health", "kl_smri_00"),
        ("gradient", "age_smri"),
    } <= names


def test_a_finished_training_goes_on_to_the_same_weights(trained, tmp_path, capfd):
    out = tmp_path / "again"
    words = ("train", "brain-age", "--data", trained / "ixi", "--out", out, *TINY)
    code, first, _ = typed(capfd, *words)
    assert code == 0
    assert first["n"] == {"train": 40, "val": 0}
    assert {check["name"] for check in first["health"]} >= {
        "active_units",
        "kl_smri",
        "mae_left_out",
    }
    code, second, _ = typed(capfd, *words, "--resume")
    assert (code, second["weights_sha256"]) == (0, first["weights_sha256"])


def test_run_tells_an_age_and_evaluate_says_the_same(trained, tmp_path, capfd):
    weights = trained / "out" / "weights.safetensors"
    write_rows(tmp_path / "new" / "ixi_dlmuse_n1.csv", IXI_HEADER, new_people())
    one = write_rows(tmp_path / "one.csv", IXI_HEADER, new_people()[:1])
    given = ("--weights", weights, "--age", new_people()[0][3], "--sex", new_people()[0][4])
    code, result, _ = typed(
        capfd, "run", "brain-age", "--input", f"smri={one}", *given, "--out", tmp_path / "r"
    )
    assert code == 0
    scores = {score["name"]: score for score in result["scores"]}
    assert list(scores) == ["age", "gap_raw", "gap_corrected", "sex_male"]
    assert result["parameters"]["age_years"] == float(new_people()[0][3])
    data = ("--data", tmp_path / "new", "--weights", weights)
    code, told, _ = typed(capfd, "evaluate", "brain-age", *data, "--out", tmp_path / "e")
    assert code == 0
    first = lines(tmp_path / "e" / "predictions.csv")[0]
    for name, score in scores.items():
        assert float(first[name]) == pytest.approx(score["value"], abs=1e-3)
    assert float(first["age_low"]) == pytest.approx(scores["age"]["low"], abs=1e-3)
    kinds = {(row["predictor"], row["name"]) for row in told["metrics"] if row["group"] == "all"}
    assert kinds >= {("model", "mae"), ("ridge", "mae"), ("mean", "mae"), ("model", "coverage")}
    assert told["data"][0]["cases"] == 20


def new_people():
    rows = ixi_rows(20, seed=5)
    return [[f"N{row[0]}", f"N{row[1]}", *row[2:]] for row in rows]


def test_ages_may_be_unknown_and_seen_people_are_left_out(trained, tmp_path, capfd):
    rows = [*ixi_rows()[:5], *new_people()[:3]]
    for row in rows:
        row[3] = ""
    write_ixi_table(tmp_path / "set", rows)
    words = ("--data", tmp_path / "set", "--weights", trained / "out" / "weights.safetensors")
    code, told, _ = typed(
        capfd, "evaluate", "brain-age", *words, "--out", tmp_path / "e", "--private"
    )
    assert code == 0
    assert (told["data"][0]["cases"], told["data"][0]["seen_in_training"]) == (3, 5)
    assert told["metrics"] == []
    table = lines(tmp_path / "e" / "predictions.csv")
    assert [row["gap_raw"] for row in table] == ["", "", ""]
    assert all(float(row["age"]) > 0 for row in table)
    assert "NIXI" not in "".join(row["patient"] for row in table)


def test_features_of_another_kind_are_refused_with_the_column(trained, tmp_path, capfd):
    write_age_cases(tmp_path)
    words = ("--data", tmp_path, "--weights", trained / "out" / "weights.safetensors")
    code, told, _ = typed(capfd, "evaluate", "brain-age", *words, "--out", tmp_path / "e")
    assert code == 3
    assert 'the column "MUSE_702" and 5 more of 6 are missing' in told["what"]
    assert not (tmp_path / "e").exists()
    code, told, _ = typed(
        *(capfd, "run", "brain-age", "--input", f"smri={tmp_path / 'smri.csv'}"),
        *("--weights", trained / "out" / "weights.safetensors", "--out", tmp_path / "r"),
    )
    assert (code, told["file"]) == (3, "smri.csv")


def test_variants_are_compared_on_the_same_folds(trained, tmp_path, capfd):
    words = ("ablate", "brain-age", "--data", trained / "ixi", "--folds", 2, *TINY)
    code, told, err = typed(
        capfd, *words, "--variants", "no-kl,mean,ridge", "--out", tmp_path / "a"
    )
    assert code == 0, err
    rows = {row["variant"]: row for row in told["rows"] if row["name"] == "mae"}
    assert list(rows) == ["default", "no-kl", "mean", "ridge"]
    assert rows["mean"]["mean"] > rows["ridge"]["mean"]
    assert rows["ridge"]["n"] == 40
    card = read_card(trained / "out" / "card.json")
    own = [f for f in card.measured if "train brain-age" in f.command]
    kept = {f.predictor: f.value for f in own if (f.name, f.group) == ("mae", "all")}
    assert rows["ridge"]["mean"] == pytest.approx(kept["ridge"])
    assert rows["default"]["mean"] == pytest.approx(kept["model"], abs=1e-4)
    assert (told["finished"], told["runs_done"]) == (True, 8)


def test_one_site_at_a_time_is_left_out(trained, tmp_path, capfd):
    words = ("ablate", "brain-age", "--data", trained / "ixi", "--leave-out", "site", *TINY)
    code, told, _ = typed(capfd, *words, "--variants", "ridge", "--out", tmp_path / "a")
    assert code == 0
    folds = {row["fold"] for row in lines(tmp_path / "a" / "ablation.csv")}
    assert folds == {"Guys", "HH", "IOP"}
    code, told, _ = typed(capfd, *words, "--folds", 3, "--out", tmp_path / "b")
    assert code == 2
    assert "exclude each other" in told["what"]
