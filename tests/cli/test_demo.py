"""The demo: its study, and the real window unseen, with untrained weights on a small head."""

import json
import os
import signal
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pydicom
import pytest
from PIL import Image
from throwaway import save_dicom, small_head, throwaway_weights

from medview.cli import main
from medview.cli.contract import Context, Options
from medview.cli.demo import has_display, write_demo
from medview.cli.progress import ProgressLine
from medview.domain.errors import Cancelled, MedviewError
from medview.domain.exam import Exam
from medview.domain.progress import Silent
from medview.domain.resources import resource
from medview.io.readers import load, scan
from medview.main import build
from medview.services.choices import Choices
from medview.services.demo import study_folder
from medview.services.offers import role_of
from medview.services.settings import Preferences

PICTURES = {
    *("window.png", "axial.png", "coronal.png", "sagittal.png", "results.png"),
    *(f"uncertainty_{name}.png" for name in ("epistemic", "aleatoric", "total")),
}
MAPS = {"score", "residual", "epistemic", "aleatoric", "total", "brain", "seen"}


@pytest.fixture(scope="module")
def series():
    (found,) = scan(Silent(), (study_folder(),)).all_series()
    return found


def test_the_demo_study_is_one_small_t1_series_that_says_what_is_synthetic(series):
    size = sum(path.stat().st_size for path in resource("demo").rglob("*"))
    assert size <= 10e6
    assert (series.modality, role_of(series)) == ("MR", ("t1", ""))
    assert series.warnings == ()
    assert series.geometry.orientation_code == "LPS"
    catalogue = scan(Silent(), (study_folder(),))
    exam = Exam.of(*catalogue.owner(catalogue.all_series()[0]), series)
    assert exam.has_synthetic_lesion
    assert (exam.name, exam.patient_id) == ("DEMO", "DEMO")
    for path in series.files:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert "synthetic lesion" in header.ImageComments
        assert "Not a patient" in header.ImageComments


def test_the_lesion_is_dark_where_its_note_says_and_the_other_side_is_not(series):
    told = json.loads(resource("demo", "lesion.json").read_text("utf-8"))
    assert told["synthetic"] is True
    volume = load(Silent(), series)
    x, y, z = told["centre_lps"]

    def around(x_mm):
        k, j, i = np.round(volume.geometry.to_index((x_mm, y, z))).astype(int)
        return volume.array[k - 2 : k + 3, j - 3 : j + 4, i - 3 : i + 4].mean()

    assert around(x) < 0.75 * around(-x)
    assert 2 < told["volume_ml"] < 8


def test_the_notice_of_the_template_is_beside_the_study():
    notice = " ".join(resource("demo", "NOTICE").read_text("utf-8").split())
    assert "Copyright (C) 1993-2009 Louis Collins" in notice
    assert "provided that the above copyright notice appear in all copies" in notice


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    throwaway_weights(folder / "anomaly")
    return folder


@pytest.fixture
def program(weights, tmp_path, monkeypatch, qapp):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    made = build(Preferences(tmp_path / "home" / "settings.json"), weights)
    yield made
    made.close()
    made.app.window.deleteLater()
    qapp.processEvents()


def unseen(program, study, folder, weights):
    context = Context(Options(quiet=True), ProgressLine.for_stderr(quiet=True))
    folder.mkdir()
    file = weights / "anomaly" / "weights.safetensors"
    choices = Choices(samples=2, threads=1, device="cpu", weights=str(file))
    write_demo(context, program, study, folder, choices)


def pixels(path):
    """RGB values, (h, w, 3)."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def colourful(path):
    """The share of pixels that are clearly no grey."""
    rgb = pixels(path)
    return float((rgb.max(axis=-1) - rgb.min(axis=-1) > 60).mean())


def test_the_unseen_window_writes_pictures_report_result_and_maps(program, weights, tmp_path):
    head = {"SeriesDescription": "T1, synthetic lesion", "PatientName": "DEMO"}
    study = save_dicom(small_head(), tmp_path / "study", **head)
    out = tmp_path / "out"
    unseen(program, study, out, weights)
    assert {path.name for path in out.glob("*.png")} == PICTURES
    for name in PICTURES:
        found = pixels(out / name)
        assert min(found.shape[:2]) > 200
        assert len(np.unique(found.sum(axis=-1))) > 20
    assert pixels(out / "axial.png").shape == pixels(out / "coronal.png").shape
    # The panel stands on the colour of the window, not on white.
    assert pixels(out / "results.png")[2, 2].max() < 80
    pictures = {name: (out / name).read_bytes() for name in PICTURES}
    assert len(set(pictures.values())) == len(PICTURES)
    for name in ("epistemic", "aleatoric", "total"):
        assert colourful(out / f"uncertainty_{name}.png") > 0.02
    told = json.loads((out / "result.json").read_text("utf-8"))
    assert told["schema"] == "medview.result/1"
    assert told["inputs"][0]["role"] == "t1"
    assert {path.name for path in (out / "maps").iterdir()} >= {f"{m}.nii.gz" for m in MAPS}
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_study_without_images_ends_the_demo_with_its_reason(program, weights, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "notes.txt").write_text("no image")
    with pytest.raises(MedviewError, match="image"):
        unseen(program, tmp_path / "study", tmp_path / "out", weights)


def test_a_request_to_end_is_heard_while_the_model_runs(program, weights, tmp_path):
    study = save_dicom(small_head(), tmp_path / "study", SeriesDescription="T1")
    titles = []

    def ask_to_end():
        running = [task.title for task in program.app.session.tasks]
        if "Bayesian VAE" in running and not titles:
            titles.extend(running)
            signal.raise_signal(signal.SIGTERM)

    program.app.session.events.tasks.connect(ask_to_end)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Cancelled):
        unseen(program, study, tmp_path / "out", weights)
    assert "Bayesian VAE" in titles
    assert signal.getsignal(signal.SIGTERM) is before
    assert list((tmp_path / "out").iterdir()) == []


def test_where_nobody_looks_there_is_no_display(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("DISPLAY", ":0")
    assert not has_display()
    monkeypatch.delenv("QT_QPA_PLATFORM")
    assert has_display()


@pytest.mark.slow
def test_the_demo_that_ships_finds_its_lesion_and_leaves_all_that_it_promises(tmp_path, capfd):
    out = tmp_path / "medview-demo"
    assert main(["demo", "--headless", "--out", str(out), "--json", "--device", "cpu"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["schema"], told["out"]) == ("medview.demo/1", str(out))
    assert set(told["files"]) >= PICTURES | {"report.pdf", "result.json", "maps/score.nii.gz"}
    result = json.loads((out / "result.json").read_text("utf-8"))
    centre = json.loads(resource("demo", "lesion.json").read_text("utf-8"))["centre_lps"]
    nearest = min(
        np.linalg.norm(np.array(found["centroid_lps"]) - centre) for found in result["findings"]
    )
    assert nearest < 10
