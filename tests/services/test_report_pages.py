"""What pages look like: each template beside the picture it had when it was looked at.

``MEDVIEW_NEW_PAGES=1 pytest -m "slow or not slow" tests/services/test_report_pages.py`` draws the
pictures anew; look at each before it is committed.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from phantoms import geometry_of
from PIL import Image
from pypdf import PdfReader
from result_phantom import card, exam, head, prediction_on

from medview.domain.errors import WriteError
from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Score, TracePoint
from medview.domain.progress import Silent
from medview.domain.record import Record, Strip
from medview.domain.resources import resource
from medview.domain.volume import Volume
from medview.io.cards import read_card
from medview.io.page_pictures import page_pictures
from medview.io.pdf import write_report
from medview.services.report_marks import Marked
from medview.services.report_material import Material, Outcome
from medview.services.report_text import ReaderText
from medview.services.reporting import build_report

PICTURES = Path(__file__).parent / "pages"
WORDS = ReaderText("Why?", "none", "Two lesions.", "Benign.", verdicts={1: "agree"})
AT, ID = "2026-11-21T10:41:00+00:00", "7c1e-0110"
# Of 255 grey levels, over blocks of a page: fonts of other versions move edges, not blocks.
MOST, MEAN = 40.0, 2.5


def brain_mri():
    volume = head()
    return Material(exam(), volume, (Outcome(prediction_on(volume), card()),), WORDS)


def brain_age():
    people = [[40.0 + n % 40, 42.0 + (7 * n) % 41] for n in range(120)]
    scores = (Score("age", 66.0, 58.0, 75.0), Score("gap_raw", 5.0), Score("gap_corrected", 3.1))
    made = replace(
        prediction_on(head()), model="brain-age", parameters={"age_years": 61.0},
        scores=scores, maps=(), findings=(), slices=(),
    )  # fmt: skip
    known = replace(card(), id="brain-age", settings={"reference": people})
    return Material(exam(), None, (Outcome(made, known),), WORDS)


def film():
    grid = geometry_of("LPS", (1, 60, 50), (1.0, 5.0, 5.0))
    lungs = np.zeros(grid.shape, np.uint8)
    for zone, (row, column) in enumerate(((r, c) for c in (5, 30) for r in (5, 20, 35)), start=1):
        lungs[0, row : row + 14, column : column + 14] = zone
    return Volume((lungs * 30).astype(np.int16), grid, modality="DX"), lungs


def chest_film():
    shown, lungs = film()
    evidence = np.linspace(0, 4, lungs.size, dtype=np.float32).reshape(lungs.shape)
    maps = (
        ScalarMap("evidence", evidence, shown.geometry, "evidence", "1", (0.0, 4.0), "evidence"),
        ScalarMap("lungs", lungs, shown.geometry, "labels", "1", (0.0, 6.0), "zones"),
    )
    zones = tuple(Score(f"brixia_{z}", 0.5 * n, 0.0, 3.0) for n, z in enumerate("ABCDEF"))
    made = replace(
        prediction_on(head()), model="cxr", maps=maps, findings=(), slices=(),
        scores=(Score("severe", 0.31, 0.2, 0.5), *zones),
    )  # fmt: skip
    return Material(exam(), shown, (Outcome(made, card()),), WORDS)


def icu_film():
    shown, _ = film()
    whole = prediction_on(head())
    sides = (("attention_series", 0.6), ("attention_film", 0.4), ("shapley_film", -0.3))
    made = replace(
        whole, model="icu", maps=(), findings=(), slices=(), parameters={"film_hour": 20.0},
        inputs=tuple(replace(whole.inputs[0], role=role) for role in ("series", "film")),
        scores=(Score("mortality", 0.2, 0.1, 0.3), *(Score(*each) for each in sides)),
        trace=tuple(TracePoint(n, 0.1 + 0.002 * n, 0.05, 0.3, 0.4) for n in range(1, 49)),
    )  # fmt: skip
    strips = tuple(
        Strip(f"Variable {n}", "mmHg", (0.5, 10.0, 30.0), (60.0, 70.0, 65.0)) for n in range(12)
    )
    record = Record(strips, 48.0)
    return Material(exam(), shown, (Outcome(made, card()),), WORDS, record=record)


TEMPLATES = {
    "brain-mri": brain_mri,
    "brain-age": brain_age,
    "chest-film": chest_film,
    "icu-film": icu_film,
}


def pages_of(material, folder, paper="a4"):
    report = build_report(material, report_id=ID, made_at=AT)
    write_report(Silent(), report, folder / "r.pdf", paper)
    return report, page_pictures((folder / "r.pdf").read_bytes(), 480)


def blocks(grey):
    """Mean of blocks of 12 x 12 pixels: what stays where fonts differ by a hair."""
    high, wide = (n // 12 * 12 for n in grey.shape)
    return grey[:high, :wide].reshape(high // 12, 12, wide // 12, 12).mean(axis=(1, 3))


SHIPPED = {"brain-mri": "anomaly", "brain-age": "brain-age", "chest-film": "cxr", "icu-film": "icu"}


@pytest.mark.parametrize("name", SHIPPED)
def test_with_the_card_that_ships_a_report_has_two_pages(tmp_path, name):
    path = resource("weights", SHIPPED[name], "card.json")
    if not path.is_file():
        pytest.skip("the weights are not in this copy")
    material = TEMPLATES[name]()
    [outcome] = material.outcomes
    said = replace(WORDS, findings="Lesion here. " * 23, impression="Benign it is. " * 21)
    known = replace(outcome, card=read_card(path))
    shipped = replace(material, outcomes=(known,), reader=said)
    _, pages = pages_of(shipped, tmp_path)
    assert len(pages) <= 2


REGIONS = (
    *("ventricles", "fluid_round_the_brain", "cortical_grey", "white_matter", "thalamus"),
    *("basal_ganglia", "hippocampus_and_amygdala", "cerebellum", "brain_stem", "intracranial"),
)


def brain_age_of_t1():
    """An age by the volumes of ten regions: two rows of pictures and a long table."""
    volume = head()
    whole = prediction_on(volume)
    brain = whole.map("brain")
    regions = replace(brain, name="regions", kind="labels", title="brain regions")
    measured = ("conformal, with the error of the volumes", "error on heads that were left out")
    ages = tuple(
        Score(name, value, value - 17, value + 17, method=measured[0], unit="years")
        for name, value in (("age", 31.3), ("gap_raw", -14.7), ("gap_corrected", -15.4))
    )
    sex = Score("sex_male", None, meaning="the head that tells sex was not trained for T1 volumes")
    names = [f"{'intracranial_volume' if n == 'intracranial' else n}_ml" for n in REGIONS]
    found = tuple(Score(n, 1718.0, 1685.0, 1843.0, method=measured[1], unit="ml") for n in names)
    made = replace(
        whole, model="brain-age", parameters={"route": "t1", "age_years": 46.0}, findings=(),
        scores=(*ages, sex, *found), maps=(regions,), slices=(), warnings=(),
        preparation=("turned upright: the head lay 13 degrees from the mean head " * 9,),
    )  # fmt: skip
    seen = replace(exam(), size=(181, 217, 106), spacing_mm=(1.0, 1.0, 1.5))
    return Material(seen, volume, (Outcome(made, card()),))


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_an_age_by_ten_volumes_has_two_pages_and_its_table_is_on_the_first(tmp_path, paper):
    path = resource("weights", "brain-age", "card.json")
    if not path.is_file():
        pytest.skip("the weights are not in this copy")
    material = brain_age_of_t1()
    known = replace(material.outcomes[0], card=read_card(path))
    _, pages = pages_of(replace(material, outcomes=(known,)), tmp_path, paper)
    assert len(pages) == 2
    first = PdfReader(tmp_path / "r.pdf").pages[0].extract_text()
    assert "Ventricles" in first
    assert "Intracranial volume" in first


@pytest.mark.parametrize(
    ("name", "paper"),
    [
        *((name, "a4") for name in TEMPLATES),
        *(pytest.param(name, "letter", marks=pytest.mark.slow) for name in TEMPLATES),
    ],
)
def test_pages_look_as_they_did_when_they_were_looked_at(tmp_path, name, paper):
    report, pages = pages_of(TEMPLATES[name](), tmp_path, paper)
    assert report.manifest["template"] == name
    assert len(pages) <= 2  # at most two pages for one model
    for number, page in enumerate(pages, 1):
        grey = page.mean(axis=2)
        edge = round(8 / 215.9 * 480)
        assert (grey[:, :edge].min(), grey[:, -edge:].min()) == (255, 255)  # nothing is clipped
        path = PICTURES / f"{name}-{paper}-{number}.png"
        small = blocks(grey)
        if os.environ.get("MEDVIEW_NEW_PAGES"):
            Image.fromarray(small.round().astype(np.uint8)).save(path, optimize=True)
        away = np.abs(small - np.asarray(Image.open(path), dtype=float))
        assert away.mean() < MEAN
        assert away.max() < MOST


def test_the_comparison_notices_a_section_that_is_gone(tmp_path):
    less = replace(chest_film(), reader=ReaderText(), outcomes=())
    _, pages = pages_of(less, tmp_path)
    before = np.asarray(Image.open(PICTURES / "chest-film-a4-1.png"), dtype=float)
    assert np.abs(blocks(pages[0].mean(axis=2)) - before).max() > MOST


def test_forty_key_images_are_all_there_and_none_is_cut(tmp_path):
    volume = head()
    images = tuple(
        KeyImage(Plane.CORONAL, n, point_lps=(0.0, 4.0 * n - 92.0, 0.0)) for n in range(3, 43)
    )
    marked = (Marked(images, (), exam(), "1.2.3.4", volume=volume),)
    material = Material(exam(), None, (), WORDS, marked=marked)
    _, pages = pages_of(material, tmp_path)
    texts = [page.extract_text() for page in PdfReader(tmp_path / "r.pdf").pages]
    assert 3 <= len(pages) <= 7
    assert sum(text.count("W ") for text in texts) >= 40  # the window of each picture
    for number in range(1, 41):
        assert any(f"{number} coronal " in text.replace("\n", " ") for text in texts), number


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path, monkeypatch):
    out = tmp_path / "r.pdf"
    out.write_bytes(b"the report of yesterday")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("medview.io.atomic.os.replace", full)
    report = build_report(replace(brain_age(), outcomes=()), report_id=ID, made_at=AT)
    with pytest.raises(WriteError, match="the disk is full"):
        write_report(Silent(), report, out)
    assert out.read_bytes() == b"the report of yesterday"
    assert list(tmp_path.iterdir()) == [out]
