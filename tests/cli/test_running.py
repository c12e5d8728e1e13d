"""``medview run`` and ``medview models`` with untrained weights, through the real children."""

import csv
import json
import shutil
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from phantoms import geometry_of, phantom_on
from result_phantom import card
from throwaway import save_dicom, save_nifti, small_head, throwaway_weights

from medview.cli import main, running
from medview.io.cards import model_entry
from medview.io.hashing import volume_sha256
from medview.services.training import TRAINERS

pytestmark = pytest.mark.usefixtures("lasting_children")

FAST = ("--samples", "2", "--threads", "1", "--device", "cpu", "--quiet", "--json")
NAME = "Nobody^Known"
MAPS = {"score", "residual", "epistemic", "aleatoric", "total", "brain", "seen"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return throwaway_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A patient's folder: T1, T2 and a scout."""
    folder = tmp_path_factory.mktemp("study")
    head = small_head()
    who = {"PatientName": NAME, "PatientID": "ID77", "PatientBirthDate": "19700101"}
    save_dicom(head, folder / "a", SeriesDescription="T1 MPRAGE", SeriesInstanceUID="1.2.1", **who)
    save_dicom(head, folder / "b", SeriesDescription="T2 TSE", SeriesInstanceUID="1.2.2", **who)
    save_dicom(head, folder / "c", SeriesDescription="scout", SeriesInstanceUID="1.2.3", **who)
    return folder


def answer(capfd, *words):
    code = main([*map(str, words), *FAST[-2:]])
    told = capfd.readouterr()
    return code, json.loads(told.out), told.err


def ran(capfd, *words):
    return answer(capfd, "run", *words, *FAST[:-2])


def values(out, name):
    return np.asarray(nib.load(out / "maps" / f"{name}.nii.gz").dataobj)


def test_a_study_folder_is_run_on_its_only_t1(study, weights, tmp_path, capfd):
    out = tmp_path / "new" / "out"
    code, told, err = ran(capfd, "anomaly", study, "--out", out, "--weights", weights)
    assert code == 0, err
    assert told == json.loads((out / "result.json").read_text())
    assert told["schema"] == "medview.result/1"
    (given,) = told["inputs"]
    assert (given["role"], given["series"], given["study"]) == ("t1", "1.2.1", "1.2.3")
    assert given["size"] == [28, 32, 24]
    assert told["parameters"]["samples"] == 2
    assert {item["name"] for item in told["maps"]} == MAPS
    assert all((out / item["file"]).is_file() for item in told["maps"])
    assert (told["seed"], told["device"], told["dtype"]) == (0, "cpu", "float32")
    total = values(out, "epistemic") + values(out, "aleatoric")
    assert values(out, "total") == pytest.approx(total, rel=1e-4)
    score = values(out, "residual") / (values(out, "total") + 1e-8)
    assert values(out, "score") == pytest.approx(score, rel=1e-3, abs=1e-6)
    with (out / "slices.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("slice", "position_mm", "score", "residual", "epistemic", "aleatoric", "explained"),
    ]
    assert 10 <= len(rows) <= 24


def test_the_same_seed_gives_the_same_maps_and_a_private_result_names_nobody(
    study, weights, tmp_path, capfd
):
    head = save_nifti(small_head(), tmp_path / "Known_Nobody_T1.nii.gz")
    first, second = tmp_path / "first", tmp_path / "second"
    code, one, _ = ran(
        capfd, "anomaly", "--input", f"t1={study / 'a'}", "--out", first, "--weights", weights
    )
    assert code == 0
    code, two, _ = ran(capfd, "anomaly", head, "--out", second, "--weights", weights, "--private")
    assert code == 0
    assert one["scores"] == two["scores"]
    for name in MAPS:
        assert values(first, name).tobytes() == values(second, name).tobytes()
    for out, forbidden in ((first, (NAME, "ID77")), (second, ("Nobody", str(tmp_path)))):
        for path in out.rglob("*"):
            if path.is_file():
                body = path.read_bytes()
                assert not [word for word in forbidden if word.encode() in body]
    assert one["inputs"][0]["sha256"] != ""
    assert "exam" in two
    assert not [n for n in one["warnings"] if n["code"] == "MODALITY_DOUBTFUL"]


def test_a_volume_that_nothing_is_known_of_is_taken_for_t1_and_the_result_says_so(
    weights, tmp_path, capfd
):
    head = small_head("")
    path = save_nifti(head, tmp_path / "subject2.nii.gz")
    code, told, _ = ran(capfd, "anomaly", path, "--out", tmp_path / "o", "--weights", weights)
    assert code == 0
    assert told["inputs"][0]["role"] == "t1"
    assert told["inputs"][0]["sha256"] == volume_sha256(head)
    assert "MODALITY_DOUBTFUL" in [note["code"] for note in told["warnings"]]


def test_a_site_that_the_model_has_no_use_for_is_told_beside_the_answer(
    study, weights, tmp_path, capfd
):
    words = ("anomaly", study / "a", "--weights", weights, "--site", "HH")
    code, told, _ = ran(capfd, *words, "--out", tmp_path / "out")
    (note,) = [each for each in told["warnings"] if each["code"] == "UNUSED_SITE"]
    assert (code, "changes nothing" in note["text"]) == (0, True)
    assert main(["run", *map(str, words), "--out", str(tmp_path / "two"), *FAST[:-2]]) == 0
    assert note["text"] in capfd.readouterr().err


def test_of_several_points_in_time_the_first_is_used_and_the_result_says_so(
    weights, tmp_path, capfd
):
    path = save_nifti(small_head(), tmp_path / "head_T1.nii.gz")
    head = nib.load(path)
    values = np.asarray(head.dataobj)
    nib.save(nib.Nifti1Image(np.stack([values, 2 * values], -1), head.affine), path)
    alone = save_nifti(small_head(), tmp_path / "alone_T1.nii.gz")
    told = {}
    for name, file in (("series", path), ("alone", alone)):
        code, told[name], err = ran(
            capfd, "anomaly", file, "--out", tmp_path / name, "--weights", weights
        )
        assert code == 0, err
    notes = {
        name: [note["text"] for note in each["warnings"] if note["code"] == "FIRST_TIME"]
        for name, each in told.items()
    }
    assert notes == {
        "series": ["t1: the series has 2 points in time; the first was used"],
        "alone": [],
    }
    assert told["series"]["scores"] == told["alone"]["scores"]


def test_a_volume_called_otherwise_than_it_was_given_is_run_and_its_score_is_in_doubt(
    weights, tmp_path, capfd
):
    head = phantom_on(geometry_of(shape=(30, 42, 36), spacing_mm=(3, 3, 3)), modality="")
    path = save_nifti(head, tmp_path / "subject2_FLAIR.nii.gz")
    asked = ("anomaly", "--input", f"t1={path}", "--out", tmp_path / "o", "--weights", weights)
    code, told, _ = ran(capfd, *asked)
    assert code == 0
    doubts = [n["text"] for n in told["warnings"] if n["code"] == "OUTSIDE_TRAINING"]
    assert "by its name this is FLAIR; taken for t1, as given" in doubts
    assert told["scores"][0]["status"] == "extrapolating"
    # Without who says that it is T1 all the same, it is refused.
    code, told, _ = ran(capfd, "anomaly", path, "--out", tmp_path / "p", "--weights", weights)
    assert code != 0
    assert "looks like FLAIR" in json.dumps(told)


def one_slice(code="LSP"):
    return phantom_on(geometry_of(code, shape=(1, 40, 40), spacing_mm=(4, 3, 3)), modality="MR")


def test_a_single_axial_slice_is_scored_with_a_warning(weights, tmp_path, capfd):
    path = save_nifti(one_slice("LPS"), tmp_path / "t1.nii.gz")
    code, told, err = ran(
        capfd, "anomaly", path, "--out", tmp_path / "out", "--weights", weights, "--samples", 3
    )
    assert code == 0, err
    scores = {score["name"]: score for score in told["scores"]}
    assert np.isfinite(scores["anomaly"]["value"])
    assert scores["anomaly_percentile"]["value"] is None
    assert scores["anomaly_percentile"]["status"] == "not_available"
    assert "whole brains" in scores["anomaly_percentile"]["meaning"]
    [note] = [each for each in told["warnings"] if each["code"] == "FEW_SLICES"]
    assert "a single slice" in note["text"]
    maps = {m["name"]: nib.load(tmp_path / "out" / m["file"]) for m in told["maps"]}
    assert {picture.shape for picture in maps.values()} == {(40, 40, 1)}
    assert maps["brain"].get_fdata().any()
    assert maps["score"].get_fdata().any()


def test_a_volume_that_does_not_fit_is_refused_and_leaves_nothing(weights, tmp_path, capfd):
    path = save_nifti(one_slice(), tmp_path / "t1.nii.gz")
    out = tmp_path / "deep" / "out"
    code, told, err = ran(capfd, "anomaly", path, "--out", out, "--weights", weights)
    assert code == 3
    assert (told["schema"], told["file"]) == ("medview.error/1", "t1.nii.gz")
    assert "a single slice" in told["what"]
    assert told["do"]
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["t1.nii.gz"]


def test_a_map_that_the_model_does_not_make_on_demand_is_wrong_use(weights, tmp_path, capfd):
    path = save_nifti(one_slice("LPS"), tmp_path / "t1.nii.gz")
    words = ("--weights", weights, "--map", "occlusion", "--out", tmp_path / "o")
    code, told, _ = ran(capfd, "anomaly", path, *words)
    assert (code, told["what"]) == (2, "anomaly makes no map called occlusion on demand")
    assert not (tmp_path / "o").exists()


def test_a_ct_series_is_refused_by_its_header(weights, tmp_path, capfd):
    folder = save_dicom(small_head(), tmp_path / "chest", Modality="CT", SeriesDescription="T1")
    code, told, err = ran(capfd, "anomaly", folder, "--out", tmp_path / "o", "--weights", weights)
    assert (code, told["file"]) == (3, "chest")
    assert "this is a CT series" in told["what"]
    assert err.startswith("medview: chest: ")
    assert not (tmp_path / "o").exists()


def test_several_series_that_would_do_are_told_by_name(study, weights, tmp_path, capfd):
    again = tmp_path / "again"
    shutil.copytree(study, again)
    save_dicom(small_head(), again / "d", SeriesDescription="T1 FFE", SeriesInstanceUID="1.2.9")
    code, told, _ = ran(capfd, "anomaly", again, "--out", tmp_path / "o", "--weights", weights)
    assert code == 2
    assert '1.2.1#0 ("T1 MPRAGE")' in told["what"]
    assert '1.2.9#0 ("T1 FFE")' in told["what"]
    assert "--series" in told["do"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("nosuch", "{study}"), 2, "there is no model called nosuch"),
        (("anomaly@9.9", "{study}", "--weights", "{weights}"), 3, "anomaly@1.0"),
        (("anomaly", "--weights", "{weights}"), 2, "nothing to run on"),
        (("anomaly", "--input", "t9={study}", "--weights", "{weights}"), 2, "no input called t9"),
        (("anomaly", "--input", "t1", "--weights", "{weights}"), 2, "ROLE=PATH"),
        (("anomaly", "--input", "t2={study}", "--weights", "{weights}"), 3, "needs"),
        (("anomaly", "{study}", "--series", "1.9", "--weights", "{weights}"), 3, 'no series "1.9"'),
        (("anomaly", "{study}", "--series", "1.2.2", "--weights", "{weights}"), 3, "like T2"),
        (("anomaly", "{missing}", "--weights", "{weights}"), 3, "does not exist"),
        (("anomaly", "{study}", "--weights", "{missing}"), 3, "weights are missing"),
        (("anomaly", "{study}", "--alpha", "2", "--weights", "{weights}"), 2, "alpha"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_computed(
    words, code, says, study, weights, tmp_path, capfd
):
    places = {"study": study, "weights": weights, "missing": tmp_path / "nowhere.safetensors"}
    typed = [word.format(**places) for word in words]
    got, told, err = ran(capfd, *typed, "--out", tmp_path / "o")
    assert (got, told["schema"]) == (code, "medview.error/1")
    assert says.lower() in err.lower()
    assert not (tmp_path / "o").exists()


def test_a_file_cut_short_and_one_that_is_no_image_are_told_by_name(weights, tmp_path, capfd):
    whole = save_nifti(small_head(), tmp_path / "t1.nii")
    cut = tmp_path / "cut.nii"
    cut.write_bytes(whole.read_bytes()[:9000])
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    for name in ("cut.nii", "notes.txt", "empty"):
        code, told, _ = ran(
            capfd, "anomaly", tmp_path / name, "--out", tmp_path / "o", "--weights", weights
        )
        assert (code, told["file"]) == (3, name)
        assert told["what"]
        assert told["do"]
    assert not (tmp_path / "o").exists()


def test_an_older_result_survives_a_run_that_fails(study, weights, tmp_path, capfd):
    out = tmp_path / "o"
    out.mkdir()
    (out / "result.json").write_text("older")
    bad = tmp_path / "w"
    shutil.copytree(weights.parent, bad)
    with (bad / weights.name).open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff" * 8)
    code, told, _ = ran(capfd, "anomaly", study, "--out", out, "--weights", bad / weights.name)
    assert (code, told["file"]) == (3, weights.name)
    assert "SHA-256 differs" in told["what"]
    assert [path.name for path in out.iterdir()] == ["result.json"]
    assert (out / "result.json").read_text() == "older"


def test_weights_are_checked_by_hash_and_shape(weights, tmp_path, capfd):
    code, told, _ = answer(capfd, "models", "anomaly@1.0", "--check", weights)
    assert code == 0
    assert told["schema"] == "medview.models/1"
    assert told["check"]["ok"] is True
    assert told["check"]["values"] > 10_000_000
    (entry,) = told["models"]
    assert (entry["id"], entry["version"]) == ("anomaly", "1.0")
    assert {item["name"] for item in entry["outputs"] if item["kind"] == "map"} == MAPS
    cut = tmp_path / "cut"
    shutil.copytree(weights.parent, cut)
    (cut / weights.name).write_bytes(weights.read_bytes()[:-100])
    code, told, _ = answer(capfd, "models", "anomaly", "--check", cut / weights.name)
    assert (code, told["file"]) == (3, weights.name)


def test_the_models_there_are_can_be_listed(capfd):
    code, told, _ = answer(capfd, "models")
    assert code == 0
    assert told["schema"] == "medview.models/1"
    assert isinstance(told["models"], list)
    code, told, _ = answer(capfd, "models", "nosuch")
    assert (code, told["schema"]) == (2, "medview.error/1")


@pytest.mark.parametrize("model", TRAINERS)
def test_the_card_of_everything_that_can_be_trained_is_told(model, capfd):
    code, told, _ = answer(capfd, "models", model)
    assert (code, {entry["id"] for entry in told["models"]}) == (0, {model})


def test_a_part_is_not_listed_among_the_models_and_is_not_run(tmp_path, capfd):
    code, told, _ = answer(capfd, "models")
    assert not {entry["id"] for entry in told["models"]} & {"region-net", "lung-net"}
    code, told, _ = answer(capfd, "run", "region-net", tmp_path, "--out", tmp_path / "out")
    assert (code, told["code"]) == (2, "MV-USE-001")
    assert "part of other models" in told["what"]


@pytest.mark.parametrize(("alone", "told"), [(True, "    Five folds."), (False, "  trained and")])
def test_the_method_is_told_of_the_model_that_was_asked_for(alone, told):
    entry = model_entry(replace(card(), method=("Five folds.",), trained_at="2026-03-01"))
    every = [entry] if alone else [entry, entry | {"id": "other"}]
    lines = running._models_in_words({"models": every}).splitlines()
    assert "  limit: Never tried on children" in lines
    assert any(line.startswith(told) for line in lines)
    assert ("    Five folds." in lines) is alone
    assert "  limit: Five folds." not in lines


def test_errors_beside_predicted_uncertainty_are_drawn_from_a_card(tmp_path, capfd):
    code, told, _ = answer(capfd, "models", "anomaly", "--plot", tmp_path / "u.svg")
    assert (code, told["schema"]) == (0, "medview.models/1")
    assert "lie within 1 deviation" in " ".join((tmp_path / "u.svg").read_text().split())
    code, told, _ = answer(capfd, "models", "brain-age", "--plot", tmp_path / "v.svg")
    assert (code, told["schema"]) == (2, "medview.error/1")
    assert not (tmp_path / "v.svg").exists()


def test_an_image_without_a_description_is_refused_by_the_name_of_its_file(
    weights, tmp_path, capfd
):
    black = replace(one_slice("LPS"), array=np.zeros_like(one_slice("LPS").array))
    [path] = save_dicom(black, tmp_path / "one", SeriesDescription="").iterdir()
    code, told, _ = ran(capfd, "anomaly", path, "--out", tmp_path / "o", "--weights", weights)
    assert (code, told["file"]) == (3, path.name)
