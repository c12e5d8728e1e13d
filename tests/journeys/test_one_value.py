"""A number of a result is one value: panel, pane, report and result.json show the same."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtWidgets import QLabel
from services.stubs import CARD, StubJobs, catalogue_of, result_about, series_of
from ui import fakes

from medview.domain.card import InputSpec
from medview.domain.geometry import Geometry
from medview.domain.prediction import Score
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.io.hashing import file_sha256

CHEST = replace(
    CARD, id="cxr", title="Chest", inputs=(InputSpec("film", "a film", modalities=("DX",)),)
)
GRID = Geometry.from_ijk_affine((1, 40, 48), np.diag([0.8, 0.8, 1, 1]).tolist())


class FilesAtOnce(StubJobs):
    """Reads, stores and writes at once; models and images are answered by the test."""

    def run(self, lane, work, *args, **calls):
        job = super().run(lane, work, *args, **calls)
        if "shelf_work" in work or lane == "pages":
            module, _, name = work.partition(":")
            job.finish(getattr(import_module(module), name)(Silent(), *args))
        return job


def start(qtbot, folder, monkeypatch):
    """The program, as after a start, with a film on screen."""
    monkeypatch.setattr(fakes, "StubJobs", FilesAtOnce)
    bench = fakes.make_bench(folder, CHEST, results=folder / "results")
    qtbot.addWidget(bench.window)
    bench.window.show()
    film = Volume(np.full((1, 40, 48), 100, np.int16), GRID, modality="DX")
    series = replace(series_of("1.3", modality="DX", geometry=GRID), size=(48, 40, 1))
    bench.session.catalogue = catalogue_of(series)
    bench.app.library.show(series)
    loading = bench.jobs.running("load_and_identify")[0]
    loading.send(film)
    loading.finish("pixels of the film")
    bench.settle()
    return bench


def told(bench, folder):
    """What panel, pane, report and file say of the risk."""
    pdf = folder / "report.pdf"
    bench.app.reading.export(pdf)
    text = " ".join(page.extract_text() for page in PdfReader(pdf).pages)
    (stored,) = (folder / "results" / "data").glob("*/result.json")
    return (
        bench.find(QLabel, "result_value").text(),
        " ".join(bench.frame().corners.top_right),
        text,
        json.loads(stored.read_text())["scores"][0]["value"],
    )


def test_a_number_changed_in_the_store_changes_everywhere(qtbot, tmp_path, monkeypatch):
    bench = start(qtbot, tmp_path, monkeypatch)
    bench.app.analysis.run("cxr")
    made = result_about(bench.session.volume_id, bench.session.volume, model="cxr", names=())
    scores = (Score("severe", 0.31, 0.18, 0.47),)
    bench.jobs.running("predict:run")[0].finish(replace(made, scores=scores))
    panel, pane, report, stored = told(bench, tmp_path)
    assert (panel, stored) == ("0.31", 0.31)
    assert "0.31" in pane
    assert "0.31" in report

    change_in_the_store(tmp_path / "results", 0.31, 0.83)
    panel, pane, report, stored = told(start(qtbot, tmp_path, monkeypatch), tmp_path)
    assert (panel, stored) == ("0.83", 0.83)
    for text in (pane, report):
        assert "0.83" in text
        assert "0.31" not in text


def change_in_the_store(root, old, new):
    """Write another number, and the hash that goes with it."""
    (path,) = (root / "data").glob("*/result.json")
    body = json.loads(path.read_text())
    assert body["scores"][0]["value"] == pytest.approx(old)
    body["scores"][0]["value"] = new
    path.write_text(json.dumps(body))
    label = path.with_name("about.json")
    about = json.loads(label.read_text())
    about["files"]["result.json"] = file_sha256(path)
    label.write_text(json.dumps(about))
