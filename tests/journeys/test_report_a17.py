"""A17: two key images, findings, one AI finding accepted, one rejected; read back from the PDF."""

import re
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QPushButton
from result_phantom import LESION_LPS, SHA, card, head, prediction_on
from services.stubs import StubJobs, catalogue_of, series_of
from ui import fakes

from medview import RESEARCH_USE
from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.progress import Silent

LONG = "Müller-Łukasiewicz^Änne Σοφία=山田^太郎"


class PagesAtOnce(StubJobs):
    """Lays pages out and stores at once; images and models are answered by the test."""

    def run(self, lane, work, *args, **calls):
        job = super().run(lane, work, *args, **calls)
        if lane == "pages" or "shelf_work" in work:
            module, _, name = work.partition(":")
            try:
                job.finish(getattr(import_module(module), name)(Silent(), *args))
            except Exception as error:
                job.fail(error)
        return job


@pytest.fixture
def bench(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(fakes, "StubJobs", PagesAtOnce)
    monkeypatch.setattr("medview.ui.closing.ask", lambda *_: True)
    return start(qtbot, tmp_path)


def start(qtbot, folder):
    made = fakes.make_bench(folder, card(), results=folder / "results")
    qtbot.addWidget(made.window)
    made.window.show()
    volume = head()
    k, j, i = volume.geometry.shape
    series = replace(series_of("1.1", geometry=volume.geometry), size=(i, j, k))
    made.session.catalogue = catalogue_of(series)
    (patient,) = made.session.catalogue.patients
    named = replace(patient, name=LONG)
    made.session.catalogue = replace(made.session.catalogue, patients=(named,))
    made.app.library.show(series)
    loading = made.jobs.running("load_and_identify")[0]
    loading.send(volume)
    loading.finish("pixels of the head")
    made.settle()
    about = made.session.volume_id
    if about not in made.session.predictions:
        made.session.predictions = {about: (prediction_on(volume),)}
    return made


def read_and_write(bench):
    """What a reader does: mark, measure, answer, write."""
    x, y, z = LESION_LPS
    k = int(np.rint(bench.session.volume.geometry.to_index(LESION_LPS)[0]))
    images = (
        KeyImage(Plane.AXIAL, k, point_lps=LESION_LPS),
        KeyImage(Plane.AXIAL, k + 2, point_lps=(x, y, z + 8.0)),
    )
    line = Measurement(
        1, "length", ((x - 10, y, z), (x + 10, y, z)), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    )
    bench.session.key_images = {bench.session.series.key: images}
    bench.session.drawings = {bench.session.series.key: (line,)}
    bench.app.reading.judge(1, "agree")
    bench.app.reading.judge(2, "rejected")
    bench.window.show_panel("report")
    for key, words in (
        ("question", "Metastasis?"),
        ("comparison", "02 Sep 2025, MR head"),
        ("findings", "Lesion on the left, 20 mm."),
        ("impression", "Metastasis likely."),
    ):
        bench.find(QPlainTextEdit, f"report_{key}").setPlainText(words)


def export(bench, path):
    bench.app.reading.export(path)
    pages = PdfReader(path).pages
    return [re.sub(r"\s+", " ", page.extract_text()) for page in pages]


BLOCKS = (
    # identity, examination, question, comparison, result, findings, impression
    *("P1", "21 Nov 2026", "Metastasis?", "02 Sep 2025, MR head"),
    "unusual regions; the most unusual",
    *("Lesion on the left, 20 mm.", "Metastasis likely.", "referred by", "facility"),
    # uncertainty, calibration, quality, use, figures, published
    *("95 % interval 1.61 – 2.10", "Spread between 5 samples", "Calibration:", "Input quality"),
    *("Indication:", "Principle:", "Measured here", "Published elsewhere", "Limits", "Trained on"),
    # provenance, part of the model, signature
    *(SHA, "K 5", "seed 7", "float32", "cpu", "Made with", "level 1 of 0 to 4", "not signed"),
    # key images and what was measured on them
    *("Key images", "20.0 mm", "Key images 1 to 2, marked by the reader.", "1.1"),
)


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_every_block_is_in_the_pdf_and_words_are_on_every_page(bench, tmp_path, paper):
    read_and_write(bench)
    bench.app.preferences.change(paper=paper)
    pages = export(bench, tmp_path / "r.pdf")
    text = " ".join(pages)
    for block in BLOCKS:
        assert block.lower() in text.lower(), block
    for number, page in enumerate(pages, 1):
        assert RESEARCH_USE in page
        assert f"page {number} / {len(pages)}" in page
        assert "DRAFT" in page
    for name in ("Müller-Łukasiewicz", "Σοφία", "山田"):
        assert name in text
    assert re.search(r"agree, .*UTC", text)
    assert re.search(r"rejected, .*UTC", text)


def test_signed_amended_and_verified(bench, tmp_path):
    from medview.io.pdf import read_report

    read_and_write(bench)
    bench.find(QLineEdit, "report_signer").setText("Dr Doe")
    bench.find(QPushButton, "report_sign").click()
    pages = export(bench, tmp_path / "1.pdf")
    assert not any("DRAFT" in page for page in pages)
    assert re.search(r"FINAL · Dr Doe · signed .*UTC", " ".join(pages))
    bench.find(QPlainTextEdit, "report_impression").setPlainText("Abscess.")
    text = " ".join(export(bench, tmp_path / "2.pdf"))
    assert "DRAFT AMENDMENT" in text
    assert "before: “Metastasis likely.”" in text
    printed = read_report(Silent(), tmp_path / "1.pdf")
    assert printed.intact
    assert printed.manifest["signatures"][0]["by"] == "Dr Doe"
    # The second report names the first by its hash.
    assert printed.manifest["content_sha256"][:12] in text


def test_a_private_report_has_no_identity_in_text_metadata_or_manifest(bench, tmp_path):
    read_and_write(bench)
    bench.session.private = True
    export(bench, tmp_path / "r.pdf")
    reader = PdfReader(tmp_path / "r.pdf")
    text = " ".join(page.extract_text() for page in reader.pages)
    everything = (
        text + str(reader.metadata) + str(reader.xmp_metadata and reader.xmp_metadata.dc_title)
    )
    (attached,) = reader.attachments.values()
    everything += attached[0].decode()
    for secret in ("Müller", "Änne", "山田", "1950", '"1.1"', "A^B"):
        assert secret not in everything


def test_an_unwritable_place_is_told_and_leaves_no_file(bench, tmp_path):
    read_and_write(bench)
    (tmp_path / "file").write_text("")
    bench.app.reading.export(tmp_path / "file" / "r.pdf")
    assert "lies below a file" in bench.session.message.text
    assert sorted(each.name for each in tmp_path.glob("*.pdf")) == []


def test_words_and_signature_are_back_after_the_program_was_killed(bench, qtbot, tmp_path):
    read_and_write(bench)
    bench.find(QLineEdit, "report_signer").setText("Dr Doe")
    bench.find(QPushButton, "report_sign").click()
    # No close: whatever was not stored by now is lost.
    again = start(qtbot, tmp_path)
    assert again.app.reading.words.impression == "Metastasis likely."
    assert again.app.reading.draft.signatures[0].by == "Dr Doe"
    again.window.show_panel("report")
    field = again.find(QPlainTextEdit, "report_findings")
    assert field.toPlainText() == "Lesion on the left, 20 mm."
