"""``medview export``: a stored result and its study in, DICOM objects out."""

import json
from dataclasses import replace

import pydicom
import pytest
from throwaway import save_dicom, small_head, throwaway_weights

from medview.cli import main

pytestmark = pytest.mark.usefixtures("lasting_children")

FAST = ("--threads", "1", "--device", "cpu", "--quiet", "--json")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A study and the result of a run on it."""
    folder = tmp_path_factory.mktemp("export")
    weights = throwaway_weights(folder / "weights")
    study = save_dicom(
        small_head(), folder / "study", SeriesDescription="T1", FrameOfReferenceUID="1.2.9"
    )
    words = ("run", "anomaly", study, "--out", folder / "out", "--weights", weights)
    assert main([*map(str, words), "--samples", "2", *FAST]) == 0
    return folder


def answer(capfd, *words):
    code = main([*map(str, words), *FAST])
    return code, json.loads(capfd.readouterr().out)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_result_leaves_as_dicom_and_only_with_its_own_images(result, tmp_path, capfd):
    capfd.readouterr()
    out = tmp_path / "dicom"
    code, told = answer(capfd, "export", result / "out", "--study", result / "study", "--out", out)
    assert (code, told["schema"]) == (0, "medview.export/1")
    assert {one["file"] for one in told["objects"]} == {item.name for item in out.iterdir()}
    assert {"score_pm.dcm", "scores_sr.dcm"} <= {one["file"] for one in told["objects"]}
    head = small_head()
    other = save_dicom(replace(head, array=head.array + 1), tmp_path / "other")
    code, told = answer(capfd, "export", result / "out", "--study", other, "--out", tmp_path / "no")
    assert (code, told["schema"]) == (3, "medview.error/1")
    assert not (tmp_path / "no").exists()


def test_a_disk_that_is_full_is_told_with_the_folder_that_has_no_room(
    result, tmp_path, monkeypatch, capfd
):
    capfd.readouterr()
    monkeypatch.setattr("medview.cli.export.EXPORT", "services.works:find_the_disk_full")
    out = tmp_path / "dicom"
    code, told = answer(capfd, "export", result / "out", "--study", result / "study", "--out", out)
    assert (code, told["file"], told["what"]) == (4, "dicom", "the disk is full")
    assert list(tmp_path.iterdir()) == []


def test_objects_that_name_the_patient_are_refused_in_private(result, tmp_path, capfd):
    capfd.readouterr()
    out = tmp_path / "dicom"
    words = (result / "out", "--study", result / "study", "--out", out, "--private")
    code, told = answer(capfd, "export", *words)
    assert (code, told["code"]) == (2, "MV-USE-001")
    assert "deidentify" in told["do"]
    assert not out.exists()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_result_leaves_with_the_copy_of_its_study_that_names_nobody(result, tmp_path, capfd):
    capfd.readouterr()
    out = tmp_path / "copy"
    code, told = answer(
        capfd, "deidentify", result / "study", "--result", result / "out", "--out", out
    )
    assert (code, told["schema"], told["files"]) == (0, "medview.deidentify/1", 24)
    objects = [pydicom.dcmread(file) for file in out.glob("results/**/*.dcm")]
    images = [pydicom.dcmread(file) for file in out.glob("ANON-*/*.dcm")]
    assert told["results"] == len(objects) >= 2
    assert len({each.StudyInstanceUID for each in (*objects, *images)}) == 1
    assert {each.PatientIdentityRemoved for each in objects} == {"YES"}


def test_a_child_that_ends_while_it_copies_leaves_nothing(result, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(
        "medview.cli.deidentify.DEIDENTIFY", "services.works:end_while_filling_a_folder"
    )
    code, told = answer(capfd, "deidentify", result / "study", "--out", tmp_path / "copies")
    assert (code, told["schema"]) == (4, "medview.error/1")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_command_has_left_beside_its_folder_goes_with_the_next(
    result, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr("medview.io.atomic._NEW_S", -1.0)
    (tmp_path / ".medview-a1b2c3d4" / "draft").mkdir(parents=True)
    answer(capfd, "convert", result / "study", "--out", tmp_path / "t1.nii.gz")
    assert [item.name for item in tmp_path.iterdir()] == ["t1.nii.gz"]
