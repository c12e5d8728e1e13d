"""``medview info`` and ``medview convert``, read back from what they print and write."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_files import ct, image, marked_slice, positions, save, stack, two_phases
from nifti_files import patched, written

from medview.cli import main

pytestmark = pytest.mark.usefixtures("lasting_children")


def answer(capsys, *words: object) -> tuple[int, dict]:
    """Run a command with --json; give its exit code and the one object it printed."""
    code = main([*map(str, words), "--json", "--quiet"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def study(tmp_path) -> Path:
    """Seven of eight slices of a CT, a scout of the same series, a text."""
    folder = tmp_path / "study"
    slices = [
        ct(marked_slice(k), ImagePositionPatient=list(p), SeriesDescription="Head 2.5 mm",
           SeriesNumber=3, PatientSex="F", PatientBirthDate="19500101", StudyDescription="Head")
        for k, p in enumerate(positions()) if k != 4
    ]  # fmt: skip
    scout = ct(marked_slice(0), ImageOrientationPatient=[1, 0, 0, 0, 0, -1], SeriesNumber=3)
    save([*slices, scout], folder)
    (folder / "notes.txt").write_text("no image")
    return folder


def test_info_says_what_there_is_in_the_words_of_the_contract(study, capsys):
    code, body = answer(capsys, "info", study)
    assert code == 0
    assert body["schema"] == "medview.info/1"
    assert body["counts"] == {"files": 9, "read": 8, "skipped": 1}
    assert body["skipped"] == [
        {"file": "notes.txt", "code": "MV-IO-001", "what": "not a medical image"}
    ]
    (patient,) = body["patients"]
    assert {k: patient[k] for k in ("id", "name", "sex", "birth_date")} == {
        "id": "P1", "name": "Test^Case", "sex": "F", "birth_date": "1950-01-01",
    }  # fmt: skip
    (examination,) = patient["studies"]
    assert (examination["uid"], examination["date"]) == ("1.2.3", "2026-11-21")
    first, scout = examination["series"]
    assert first["warnings"][0]["code"] == "INCOMPLETE"
    del first["warnings"]
    assert first == {
        "uid": "1.2.3.4", "stack": 0, "number": 3, "modality": "CT",
        "description": "Head 2.5 mm", "format": "dicom", "files": 7,
        "transfer_syntax": "1.2.840.10008.1.2.1", "size": [9, 6, 8], "times": 1,
        "split_by": None, "spacing_mm": [0.5, 0.7, 2.5], "spacing_kind": "patient",
        "affine_lps": [[0.5, 0, 0, -100], [0, 0.7, 0, -80], [0, 0, 2.5, 40], [0, 0, 0, 1]],
        "orientation": "LPS", "quantity": "HU", "value_range": [-1024, -17], "lossy": False,
        "missing_slices": [4], "split_keys": [], "time_step_s": None, "form": None, "forms": [],
        "sidecars": 0,
    }  # fmt: skip
    assert (scout["stack"], scout["size"], scout["orientation"]) == (1, [9, 6, 1], "LIP")
    assert scout["spacing_mm"] == [0.5, 0.7, None]


def test_private_answers_name_nobody(study, capsys):
    main(["info", str(study), "--json", "--private", "--quiet"])
    text = capsys.readouterr().out
    for word in ("P1", "Test", "Case", "1950", "notes", str(study.parent)):
        assert word not in text
    assert json.loads(text)["patients"][0]["name"] is None


def test_private_errors_and_warnings_name_no_file(tmp_path, capfd):
    folder = save(stack(), tmp_path / "Miller")
    for path in sorted(folder.iterdir())[:2]:
        path.write_bytes(path.read_bytes()[:-40])
        path.rename(path.with_name(f"Miller_{path.name}"))
    bad = folder / "Miller.nii"
    bad.write_text("no image")
    out = tmp_path / "out"
    for words in (["info", folder], ["info", bad], ["convert", folder, "--out", out / "x.nii"]):
        main([*map(str, words), "--json", "--private"])
        told = capfd.readouterr()
        assert "Miller" not in told.out + told.err
        json.loads(told.out)


def test_plain_words_name_series_and_warnings(study, capsys):
    assert main(["info", str(study), "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "Head 2.5 mm" in text
    assert "INCOMPLETE: one slice is missing of 8" in text
    assert "8 of 9 files read" in text


def test_a_slice_that_does_not_decode_is_a_warning_of_its_series(tmp_path, capsys):
    folder = save(stack(), tmp_path / "s")
    path = sorted(folder.iterdir())[0]
    path.write_bytes(path.read_bytes()[:-40])
    code, body = answer(capsys, "info", folder)
    (series,) = body["patients"][0]["studies"][0]["series"]
    assert code == 0
    assert [w["code"] for w in series["warnings"]] == ["PARTIAL"]
    assert len(series["missing_slices"]) == 1


def test_unknown_things_are_null(tmp_path, capsys):
    film = image(
        marked_slice(0), ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None,
    )  # fmt: skip
    _, body = answer(capsys, "info", save([film], tmp_path / "f"))
    (series,) = body["patients"][0]["studies"][0]["series"]
    for key in ("spacing_mm", "spacing_kind", "affine_lps", "orientation", "number"):
        assert series[key] is None
    assert [w["code"] for w in series["warnings"]] == ["UNKNOWN_ORIENTATION", "NO_SPACING"]


def test_nothing_usable_is_refused_with_exit_3(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no image")
    code, body = answer(capsys, "info", tmp_path / "notes.txt")
    assert code == 3
    assert (body["schema"], body["code"]) == ("medview.error/1", "MV-IO-001")
    assert body["file"] == "notes.txt"
    assert answer(capsys, "info", tmp_path / "gone")[0] == 3


# --------------------------------------------------------------------------------- convert


def test_a_stack_becomes_a_nifti_with_its_values_in_their_place(study, tmp_path, capsys):
    out = tmp_path / "ct.nii.gz"
    code, body = answer(capsys, "convert", study, "--series", "1.2.3.4#0", "--out", out)
    assert code == 0
    (output,) = body["outputs"]
    assert {k: output[k] for k in ("series", "stack", "file", "size")} == {
        "series": "1.2.3.4", "stack": 0, "file": "ct.nii.gz", "size": [9, 6, 8],
    }  # fmt: skip
    assert [w["code"] for w in output["warnings"]] == ["INCOMPLETE"]
    written = nib.load(out)
    assert written.get_data_dtype() == np.int16
    expected = [[-0.5, 0, 0, 100], [0, -0.7, 0, 80], [0, 0, 2.5, 40], [0, 0, 0, 1]]
    np.testing.assert_allclose(written.affine, expected, atol=1e-5)
    values = np.asarray(written.dataobj)
    assert values[2, 1, 3] == 1003 - 1024
    assert (values[:, :, 4] == -1024).all()


def test_several_stacks_and_a_file_are_a_misuse_and_leave_nothing(study, tmp_path, capsys):
    out = tmp_path / "all.nii.gz"
    code, body = answer(capsys, "convert", study, "--out", out)
    assert code == 2
    assert "2 stacks" in body["what"]
    assert not out.exists()


@pytest.mark.parametrize("ending", [".nrrd", ".jpg", ".hdr", ".mgz"])
def test_a_name_of_another_format_is_no_folder(ending, study, tmp_path, capsys):
    out = tmp_path / f"head{ending}"
    code, told = answer(capsys, "convert", study, "--out", out)
    assert (code, told["what"]) == (2, f"no {ending} file is written here")
    assert not out.exists()


def test_several_stacks_go_into_a_folder(study, tmp_path, capsys):
    out = tmp_path / "out"
    code, body = answer(capsys, "convert", study, "--out", out)
    assert code == 0
    files = [output["file"] for output in body["outputs"]]
    assert files == ["003-head-2-5-mm.nii.gz", "003-ct.nii.gz"]
    assert sorted(path.name for path in out.iterdir()) == sorted(files)


def test_a_series_that_is_not_there_is_refused(study, tmp_path, capsys):
    out = tmp_path / "x.nii.gz"
    code, _ = answer(capsys, "convert", study, "--series", "9.9", "--out", out)
    assert code == 3
    assert not out.exists()


def test_times_become_the_fourth_dimension(tmp_path, capsys):
    both = stack(EchoTime=4.6) + stack(EchoTime=9.2)
    out = tmp_path / "t.nii"
    code, body = answer(capsys, "convert", save(both, tmp_path / "s"), "--out", out)
    assert code == 0
    assert body["outputs"][0]["times"] == 2
    assert nib.load(out).shape == (9, 6, 8, 2)


def test_pixels_that_cannot_be_read_leave_nothing(tmp_path, capsys):
    folder = save(stack()[:1], tmp_path / "s")
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-40])
    out = tmp_path / "x.nii.gz"
    code, body = answer(capsys, "convert", folder, "--out", out)
    assert (code, body["code"]) == (3, "MV-IO-103")
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_the_reader_chooses_the_form_and_the_key_by_name(tmp_path, capsys):
    path = patched(
        written(tmp_path / "v.nii", affine=np.diag([2.0, 2, 2, 1])), qform_code=1, qoffset_x=5
    )
    code, body = answer(capsys, "info", path, "--form", "qform")
    (series,) = body["patients"][0]["studies"][0]["series"]
    assert (code, series["form"], series["forms"]) == (0, "qform", ["sform", "qform"])
    assert series["affine_lps"][0][3] == -5
    out = tmp_path / "out.nii.gz"
    assert answer(capsys, "convert", path, "--form", "qform", "--out", out)[0] == 0
    assert nib.load(out).affine[0, 3] == 5
    picture = ("render", path, "--slice", 0, "--form", "qform", "--out", tmp_path / "p.png")
    code, body = answer(capsys, *picture)
    assert code == 0


def test_a_choice_that_nothing_allows_is_wrong_use(tmp_path, capsys):
    folder = save(two_phases("EchoTime", (4.6, 9.2)), tmp_path / "in")
    code, body = answer(capsys, "info", folder, "--split-by", "KVP")
    assert (code, body["schema"]) == (2, "medview.error/1")
    assert "EchoTime" in body["do"]


def test_nothing_is_written_over_what_is_read(tmp_path, capsys):
    file = written(tmp_path / "head.nii.gz", marked_slice(0)[..., None])
    before = file.read_bytes()
    code, body = answer(capsys, "convert", file, "--out", tmp_path / "." / file.name)
    assert (code, body["what"]) == (2, "is the file that is read")
    code, body = answer(capsys, "convert", file, "--out", tmp_path)
    assert (code, [one["file"] for one in body["outputs"]]) == (0, ["head-2.nii.gz"])
    assert file.read_bytes() == before


@pytest.mark.parametrize("words", [["info"], ["convert", "--out", "o"]])
def test_whether_input_may_be_read_is_tried_and_not_asked(
    words, study, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    image = next(each for each in study.iterdir() if each.suffix != ".txt")
    code, said = answer(capsys, words[0], image, *words[1:])
    assert code == 0, said


def test_a_name_of_two_lines_makes_no_line_of_its_own(study, capsys):
    (study / "one\nforged: line\x1b[31m").write_text("no image")
    assert main(["info", str(study), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert [line for line in said.splitlines() if "forged" in line] == [
        "  skipped one forged: line [31m: not a medical image"
    ]
