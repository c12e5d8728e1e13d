"""``medview render`` on real files, through the real child process."""

import json

import nibabel as nib
import numpy as np
import pytest
from dicom_files import image, save, stack
from foreign_objects import affine_about, places, segmentation, turned
from phantoms import MARK_LPS, geometry_of, map_of, phantom_on, prediction_with
from PIL import Image
from states import state_of

from medview.cli import main
from medview.domain.progress import Silent
from medview.io.results import write_prediction

pytestmark = pytest.mark.usefixtures("lasting_children")


def save_nifti(volume, path):
    """Write a volume as NIfTI: RAS, array order (i, j, k)."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.geometry.affine_ijk
    image = nib.Nifti1Image(np.ascontiguousarray(volume.array.transpose(2, 1, 0)), affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nib.save(image, path)
    return path


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    volume = phantom_on(geometry_of("RAS", (30, 34, 36), (3.0, 3.5, 2.5)))
    return save_nifti(volume, tmp_path_factory.mktemp("head") / "head.nii.gz")


def answer(capfd, *words):
    code = main(["render", *map(str, words), "--json"])
    return code, json.loads(capfd.readouterr().out)


def test_a_png_is_written_and_its_matrix_leads_to_the_bright_cube(head, tmp_path, capfd):
    out = tmp_path / "f.png"
    at = ",".join(map(str, MARK_LPS))
    words = ("--plane", "coronal", "--at", at, "--window", "200,900", "--size", "400,320")
    code, told = answer(capfd, head, *words, "--out", out)
    assert code == 0
    assert told["schema"] == "medview.frame/1"
    assert (told["file"], told["size"]) == ("f.png", [400, 320])
    assert told["labels"] == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    assert told["window"] == [200, 900]
    assert told["values"]["image"] == 1000
    picture = np.asarray(Image.open(out))
    assert picture.shape == (320, 400, 3)
    light = picture.min(axis=-1) >= 250
    light[:40] = light[-40:] = light[:, :30] = light[:, -30:] = False
    rows, columns = np.nonzero(light)
    found = np.array(told["pixel_to_lps"]) @ (columns.mean(), rows.mean(), 0, 1)
    assert found == pytest.approx(MARK_LPS, abs=2.0)


def test_the_same_words_give_the_same_bytes(head, tmp_path, capfd):
    outs = [tmp_path / name for name in ("a.png", "b.png")]
    for out in outs:
        words = ("--plane", "axial", "--slice", 12, "--slab", "10:mip", "--flip", "h")
        assert answer(capfd, head, *words, "--rotate", 90, "--out", out)[0] == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("--plane", "oblique", "--slice", 3),
        ("--plane", "axial"),
        ("--plane", "axial", "--slice", 300),
        ("--plane", "axial", "--slice", 3, "--slab", "10:max"),
        ("--plane", "axial", "--slice", 3, "--at", "1,2"),
        ("--plane", "axial", "--slice", 3, "--map", "score"),
        ("--plane", "axial", "--slice", 3, "--opacity", "0.5"),
        ("--plane", "axial", "--slice", 3, "--series", "7.7"),
    ],
)
def test_what_cannot_be_drawn_leaves_no_file(head, tmp_path, capfd, words):
    out = tmp_path / "f.png"
    code, told = answer(capfd, head, *words, "--out", out)
    assert code == (3 if "--series" in words else 2)
    assert told["schema"] == "medview.error/1"
    assert told["what"]
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(tmp_path, capfd):
    words = ("--plane", "axial", "--slice", 3, "--out", tmp_path / "f.png")
    code, told = answer(capfd, tmp_path / "nothing.nii", *words)
    assert code == 3
    assert told["file"] == "nothing.nii"


def test_a_map_of_a_result_folder_is_laid_over_the_image(head, tmp_path, capfd):
    volume = phantom_on(geometry_of("RAS", (30, 34, 36), (3.0, 3.5, 2.5)))
    score = map_of(volume, range=(0.0, 1000.0), title="anomaly score")
    result = tmp_path / "result"
    write_prediction(Silent(), prediction_with(score, threshold=500.0), result)
    at = ",".join(map(str, MARK_LPS))
    place = ("--plane", "sagittal", "--at", at, "--window", "4000,2000", "--size", "500,400")
    overlay = ("--result", result, "--map", "score", "--opacity", 1, "--range", "0,2000")
    code, told = answer(capfd, head, *place, *overlay, "--out", tmp_path / "f.png")
    assert code == 0
    assert told["values"] == {"image": 1000, "score": 1000}
    picture = np.asarray(Image.open(tmp_path / "f.png")).astype(int)[60:340, 60:400]
    rows, columns = np.nonzero(np.ptp(picture, axis=-1) > 60)  # coloured, not grey
    pixel = (columns.mean() + 60, rows.mean() + 60, 0, 1)
    assert np.array(told["pixel_to_lps"]) @ pixel == pytest.approx(MARK_LPS, abs=2.0)
    code, told = answer(capfd, head, *place, "--result", result, "--out", tmp_path / "g.png")
    assert code == 2
    assert "--map" in told["do"]


def test_a_film_is_drawn_by_its_presentation_state_or_as_stored(tmp_path, capfd):
    film = image(np.zeros((20, 40), np.int16))
    films = save([film, state_of([film], ImageRotation=90)], tmp_path / "films")
    letters = {}
    for wish in ("newest", "STROKE", "none"):
        words = ("--slice", 0, "--presentation", wish, "--out", tmp_path / "f.png")
        code, told = answer(capfd, films, *words)
        assert code == 0
        label = None if told["presentation"] is None else told["presentation"]["label"]
        letters[wish] = (label, "".join(told["labels"][edge] for edge in ("left", "top")))
    assert letters == {"newest": ("STROKE", "PR"), "STROKE": ("STROKE", "PR"), "none": (None, "RA")}
    words = ("--slice", 0, "--presentation", "OTHER", "--out", tmp_path / "g.png")
    code, told = answer(capfd, films, *words)
    assert (code, told["do"]) == (2, "It has: STROKE.")


@pytest.mark.parametrize(
    ("name", "form"), [("f.jpg", "JPEG"), ("f.JPEG", "JPEG"), ("f.tif", "TIFF"), ("f", "PNG")]
)
def test_the_picture_is_what_its_name_says(head, tmp_path, capfd, name, form):
    words = ("--slice", "9", "--size", "120,90", "--out")
    code, told = answer(capfd, head, *words, tmp_path / name)
    assert (code, told["file"]) == (0, name)
    answer(capfd, head, *words, tmp_path / "exact.png")
    with Image.open(tmp_path / name) as made, Image.open(tmp_path / "exact.png") as exact:
        assert (made.format, made.size) == (form, (120, 90))
        apart = np.asarray(made, np.int16) - np.asarray(exact, np.int16)
    assert np.abs(apart).mean() < (3.0 if form == "JPEG" else 1e-9)


def test_a_name_that_promises_another_format_is_refused(head, tmp_path, capfd):
    code, told = answer(capfd, head, "--slice", "9", "--out", tmp_path / "f.gif")
    assert (code, told["schema"]) == (2, "medview.error/1")
    assert "no .gif file is written here" in told["what"]
    assert list(tmp_path.iterdir()) == []


def test_an_object_of_another_program_lies_where_it_was_drawn(tmp_path, capfd):
    save(stack(), tmp_path / "images")
    affine = affine_about((-98.0, -78.0, 49.0), turned((20.0, 5.0), (-1.0, 0.4, 0.5)), (14, 12, 14))
    centre = (-98.0, -78.5, 49.5)
    near = np.linalg.norm(places(affine, (14, 12, 14)) - centre, axis=-1) < 1.6
    over = segmentation({"Core": near}, affine, tmp_path / "s.dcm")
    words = ("--at", "-98,-78.5,49.5", "--size", "90,60", "--over", over)
    code, told = answer(capfd, tmp_path / "images", *words, "--out", tmp_path / "f.png")
    assert code == 0
    assert told["values"]["Core"] == 1
    [warning] = told["warnings"]
    assert warning["code"] == "RESAMPLED"
    assert "another grid" in warning["text"]
    tinted = np.ptp(np.asarray(Image.open(tmp_path / "f.png")).astype(int), axis=-1) > 40
    rows, columns = np.nonzero(tinted[10:-10, 14:60])
    at = np.array(told["pixel_to_lps"]) @ (columns.mean() + 14, rows.mean() + 10, 0, 1)
    assert at[:2] == pytest.approx(centre[:2], abs=0.5)


def test_an_object_of_another_frame_of_reference_is_refused(tmp_path, capfd):
    save(stack(FrameOfReferenceUID="1.9"), tmp_path / "images")
    affine = affine_about((-98.0, -78.0, 49.0), turned((0.0, 0.0), (1.0, 0.4, 0.5)), (4, 5, 6))
    over = segmentation({"Core": np.ones((4, 5, 6), bool)}, affine, tmp_path / "s.dcm")
    words = ("--slice", "2", "--over", over, "--out", tmp_path / "f.png")
    code, told = answer(capfd, tmp_path / "images", *words)
    assert (code, told["file"]) == (3, "s.dcm")
    assert "another frame of reference" in told["what"]
    assert not (tmp_path / "f.png").exists()


def test_a_picture_is_not_drawn_over_itself(tmp_path, capfd):
    film = tmp_path / "film.png"
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(film)
    before = film.read_bytes()
    code, body = answer(capfd, film, "--slice", 0, "--out", film)
    assert (code, body["what"], film.read_bytes()) == (2, "is the file that is read", before)
