"""Training of the age model as a job: parts, a version to go on from, and an interruption."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from age_sets import IXI_HEADER, ixi_rows, write_abide, write_ixi_table, write_rows
from age_weights import write_age_weights

from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.io.case_names import shown_patient
from medview.io.seen import seen_of
from medview.learning.brain_age_training import fit
from medview.learning.brain_age_weights import load_age_model
from medview.learning.patients import patient_hash

TINY = {"members": 2, "train": {"epochs": 4, "batch": 16, "health_every": 2}}


def request(folder, out, **more):
    return TrainRequest((str(folder),), str(out), more.pop("recipe", TINY), threads=1, **more)


def parts(out):
    with (Path(out) / "splits.csv").open(newline="") as file:
        return [(row["patient"], row["part"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    return write_age_weights(tmp_path_factory.mktemp("parent"))


def test_held_out_patients_are_not_trained_on(tmp_path):
    write_ixi_table(tmp_path / "d")
    held = ("IXI002", "IXI005")
    body = fit(
        Silent(),
        request(tmp_path / "d", tmp_path / "o", held_out=tuple(map(patient_hash, held))),
    )
    assert body["n"] == {"train": 38, "val": 2}
    assert [patient for patient, part in parts(tmp_path / "o") if part == "val"] == [*held]
    _, card = load_age_model(tmp_path / "o" / "weights.safetensors")
    assert not seen_of(card, {patient_hash(patient) for patient in held})
    assert {check["name"] for check in body["health"]} >= {"mae_val", "mae_left_out"}


def test_parts_of_a_case_list_are_kept_and_private_names_are_not_written(tmp_path):
    rows = []
    for number, row in enumerate(ixi_rows(16)):
        write_rows(tmp_path / "d" / f"{number}.csv", IXI_HEADER, [row])
        rows.append(
            [f"c{number}", row[3], ("train", "val", "test", "")[number % 4], f"{number}.csv"]
        )
    write_rows(tmp_path / "d" / "cases.csv", ("case", "age_years", "split", "smri"), rows)
    with pytest.raises(DataError, match="only 8 rows"):
        fit(Silent(), request(tmp_path / "d", tmp_path / "o"))
    for row in rows:
        row[2] = "" if row[2] == "test" else row[2]
    write_rows(tmp_path / "d" / "cases.csv", ("case", "age_years", "split", "smri"), rows)
    body = fit(Silent(), request(tmp_path / "d", tmp_path / "p", private=True))
    assert body["n"] == {"train": 12, "val": 4}
    assert parts(tmp_path / "p")[0] == (shown_patient("c0", private=True), "train")


def test_a_version_goes_on_with_its_own_scaling_and_columns(parent, tmp_path):
    weights = parent[0]
    turned = [*IXI_HEADER[:5], *reversed(IXI_HEADER[5:])]
    rows = [[f"N{r[0]}", f"N{r[1]}", *r[2:5], *reversed(r[5:])] for r in ixi_rows(20, seed=5)]
    write_ixi_table(tmp_path / "d", rows, turned)
    out = tmp_path / "o"
    fit(Silent(), request(tmp_path / "d", out, init=str(weights)))
    old, _ = load_age_model(weights)
    new, _ = load_age_model(out / "weights.safetensors")
    assert new.settings.columns == old.settings.columns
    for name, buffer in old.ensemble.named_buffers():
        assert np.allclose(dict(new.ensemble.named_buffers())[name], buffer)
    assert new.settings.ages[0] <= old.settings.ages[0]
    assert not np.allclose(*(m.ensemble.members[0].age_head[0].weight.detach() for m in (old, new)))


def test_with_the_method_head_the_encoders_stand_still(parent, tmp_path):
    write_ixi_table(
        tmp_path / "d", [[f"N{r[0]}", f"N{r[1]}", *r[2:]] for r in ixi_rows(20, seed=5)]
    )
    asked = request(tmp_path / "d", tmp_path / "o", init=str(parent[0]), method="head")
    fit(Silent(), replace(asked, preview=True))
    assert [kept.name for kept in sorted((tmp_path / "o" / "preview").iterdir())] == [
        "00002",
        "00004",
    ]
    load_age_model(tmp_path / "o" / "preview" / "00004" / "weights.safetensors")
    old, _ = load_age_model(parent[0])
    new, _ = load_age_model(tmp_path / "o" / "weights.safetensors")
    moved = {
        name.split(".")[2]
        for (name, a), b in zip(
            old.ensemble.named_parameters(), new.ensemble.parameters(), strict=True
        )
        if not np.allclose(a.detach(), b.detach())
    }
    assert moved
    assert moved <= {"age_head", "sex_head", "skips"}


def test_rows_left_out_are_named_and_too_few_others_are_refused(tmp_path):
    rows = ixi_rows(12)
    for row in rows[:3]:
        row[-1] = "nan"
    write_ixi_table(tmp_path / "d", [rows[0], *rows[3:], *ixi_rows(20)[12:]])
    (lost,) = fit(Silent(), request(tmp_path / "d", tmp_path / "o"))["skipped"]
    assert lost["what"] == 'row 2, column "MUSE_606": "nan" is no number'
    write_ixi_table(tmp_path / "e", rows)
    with pytest.raises(DataError, match=r'only 9 rows .* 3 were left out, .*"MUSE_606"'):
        fit(Silent(), request(tmp_path / "e", tmp_path / "p"))


@pytest.mark.parametrize("age", ["", "nan"])
def test_rows_without_any_age_are_refused_in_words(tmp_path, age):
    lines = [f"c{n},{age},v.npy" for n in range(12)]
    (tmp_path / "cases.csv").write_text("\n".join(["case,age_years,smri", *lines]))
    np.save(tmp_path / "v.npy", np.ones(6))
    with pytest.raises(DataError, match=r"only 0 rows with an age|\"nan\" is no age in years"):
        fit(Silent(), request(tmp_path / "cases.csv", tmp_path / "o"))


def test_what_cannot_be_trained_is_told(parent, tmp_path):
    write_ixi_table(tmp_path / "d" / "ixi")
    write_abide(tmp_path / "d" / "abide")
    with pytest.raises(DataError, match="columns are others"):
        fit(Silent(), request(tmp_path / "d", tmp_path / "o"))
    with pytest.raises(DataError, match='the column "MUSE_702"'):
        fit(Silent(), request(tmp_path / "d" / "abide", tmp_path / "o", init=str(parent[0])))
    with pytest.raises(UsageError, match="brain-age cannot be fine-tuned by site-effects"):
        fit(
            Silent(),
            replace(request(tmp_path / "d" / "ixi", tmp_path / "o"), method="site-effects"),
        )


def test_folds_and_refit_share_the_minutes(tmp_path):
    write_ixi_table(tmp_path / "d")
    recipe = {**TINY, "folds": 2, "train": {"epochs": 5000, "batch": 16}}
    body = fit(Silent(), request(tmp_path / "d", tmp_path / "o", recipe=recipe, max_minutes=0.03))
    assert body["stopped"] == "time"
    assert body["seconds"] < 30
    assert (tmp_path / "o" / "weights.safetensors").is_file()
