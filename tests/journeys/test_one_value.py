"""A number of a result is one value: panel, pane, report and result.json show the same."""

import json
from dataclasses import replace
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pytest
from phantoms import phantom
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

FILM = Volume(
    np.full((1, 40, 48), 100, np.int16),
    Geometry.from_ijk_affine((1, 40, 48), np.diag([0.8, 0.8, 1, 1]).tolist()),
    modality="DX",
)
HEAD = phantom()


class Case(NamedTuple):
    """A model's result, which of its scores is changed, and where the panel tells it."""

    model: str
    volume: Volume
    scores: tuple[Score, ...]
    changed: str
    new: float
    told: tuple[str, str]  # before and after
    label: str = "result_value"

    @property
    def card(self):
        film = self.volume is FILM
        taken = InputSpec("film", "a film", modalities=("DX",)) if film else InputSpec("t1", "T1")
        return replace(CARD, id=self.model, title=self.model, inputs=(taken,))


AGES = (
    Score("age", 67.2, 61.0, 73.4, unit="years"),
    Score("gap_raw", 6.2, unit="years"),
    Score("gap_corrected", 5.4, -1.0, 11.2, unit="years"),
)
GAP = ("gap_corrected", 8.6, ("+5.4", "+8.6"), "row_gap_corrected")
CASES = (
    Case("cxr", FILM, (Score("severe", 0.31, 0.18, 0.47),), "severe", 0.83, ("0.31", "0.83")),
    Case("anomaly", HEAD, (Score("anomaly", 1.834, 1.6, 2.1),), "anomaly", 2.719, ("1.83", "2.72")),
    Case("brain-age", HEAD, AGES, *GAP),
    Case("brain-age-armed", HEAD, (*AGES, Score("age_mixed", 67.2, unit="years")), *GAP),
    Case("icu", FILM, (Score("mortality", 0.34, 0.22, 0.48),), "mortality", 0.67, ("0.34", "0.67")),
)


class FilesAtOnce(StubJobs):
    """Reads, stores and writes at once; models and images are answered by the test."""

    def run(self, lane, work, *args, **calls):
        job = super().run(lane, work, *args, **calls)
        if "shelf_work" in work or lane == "pages":
            module, _, name = work.partition(":")
            job.finish(getattr(import_module(module), name)(Silent(), *args))
        return job


def start(qtbot, folder, monkeypatch, case):
    """The program, as after a start, with the image of the model on screen."""
    monkeypatch.setattr(fakes, "StubJobs", FilesAtOnce)
    bench = fakes.make_bench(folder, case.card, results=folder / "results")
    qtbot.addWidget(bench.window)
    bench.window.show()
    volume = case.volume
    known = {"modality": volume.modality or "MR", "geometry": volume.geometry}
    series = replace(series_of("1.3", **known), size=volume.geometry.shape[::-1])
    bench.session.catalogue = catalogue_of(series)
    bench.app.library.show(series)
    loading = bench.jobs.running("load_and_identify")[0]
    loading.send(volume)
    loading.finish("hash of the pixels")
    bench.settle()
    return bench


def told(bench, folder, case):
    """What panel, pane and report say, and the figure in the file."""
    pdf = folder / "report.pdf"
    bench.app.reading.export(pdf)
    text = " ".join(page.extract_text() for page in PdfReader(pdf).pages)
    (stored,) = (folder / "results" / "data").glob("*/result.json")
    scores = {each["name"]: each["value"] for each in json.loads(stored.read_text())["scores"]}
    panel = bench.find(QLabel, case.label).text()
    return (panel, " ".join(bench.frame().corners.top_right), text), scores[case.changed]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model)
def test_a_number_changed_in_the_store_changes_everywhere(qtbot, tmp_path, monkeypatch, case):
    bench = start(qtbot, tmp_path, monkeypatch, case)
    bench.app.analysis.run(case.model)
    made = result_about(bench.session.volume_id, case.volume, model=case.model, names=())
    made = replace(made, scores=case.scores, parameters={"age_years": 61.0})
    bench.jobs.running("predict:run")[0].finish(made)
    before, after = case.told
    texts, stored = told(bench, tmp_path, case)
    assert stored == made.score(case.changed).value
    assert all(before in text and after not in text for text in texts)

    change_in_the_store(tmp_path / "results", case)
    texts, stored = told(start(qtbot, tmp_path, monkeypatch, case), tmp_path, case)
    assert stored == case.new
    assert all(after in text and before not in text for text in texts)


def change_in_the_store(root, case):
    """Write another number, and the hash that goes with it."""
    (path,) = (root / "data").glob("*/result.json")
    body = json.loads(path.read_text())
    (score,) = [each for each in body["scores"] if each["name"] == case.changed]
    score["value"] = case.new
    path.write_text(json.dumps(body))
    label = path.with_name("about.json")
    about = json.loads(label.read_text())
    about["files"]["result.json"] = file_sha256(path)
    label.write_text(json.dumps(about))
