"""``medview bench report``: how long a report of four pages takes, and whether it is repeatable."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from medview.cli.benches.rows import Row, best_of, seconds
from medview.cli.contract import Context
from medview.domain.exam import Exam
from medview.domain.geometry import Geometry, Plane
from medview.domain.key_image import KeyImage
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, InputRef, Prediction, Score, SliceScore
from medview.domain.progress import Progress
from medview.domain.volume import Volume
from medview.services.models import find_card
from medview.services.printing import DRAW, HOLD, WRITE
from medview.services.report_marks import Marked
from medview.services.report_material import Material, Outcome
from medview.services.report_order import Heavy, Order, Preview, Written
from medview.services.report_text import ReaderText

BUSY = "medview.cli.benches.report:busy_seconds"
PAGES = 4
# A report of four pages, in a program that has made one before.
AIM_S = 2.0
_KEY_IMAGES = 18
_WIDTH = 800
_SHAPE = (156, 240, 240)


def measure(context: Context, quick: bool) -> list[Row]:
    """Give the rows: a report written, its pages drawn again after a word, two exports compared."""
    times = 1 if quick else 5
    heavy, light = material()
    order = Order()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.pdf"

        def write(what: Material = light) -> Written:
            return cast(Written, context.call("pages", WRITE, 1, what, order, out))

        def busy() -> float:
            return cast(float, context.call("pages", BUSY, 1, light, order, out))

        def draw(word: str) -> Preview:
            said = replace(light, reader=replace(light.reader, findings=word))
            return cast(Preview, context.call("pages", DRAW, 1, said, order, _WIDTH))

        context.report(0, 4, "first report")
        context.call("pages", HOLD, 1, heavy)
        first = seconds(write)
        context.report(1, 4, "report again")
        one, other = write(), write()
        again = best_of(times, lambda: seconds(write))
        context.report(2, 4, "preview")
        work = best_of(times, busy)
        typed = best_of(times, lambda: seconds(lambda: draw(f"A word {time.monotonic_ns()}.")))
        size = out.stat().st_size / 2**20
    return [
        Row("pages of the report", one.pages, "pages", aim=PAGES, at_least=True),
        Row(f"{one.pages} pages written, program warm", again, "s", aim=AIM_S),
        Row("of it, time on the processor", work, "s", aim=AIM_S),
        Row("the pages drawn again after a word", typed, "s", aim=AIM_S),
        Row("the same report, first in its process", first, "s"),
        Row("size of the file", size, "MB"),
        Row(
            "two exports of one state that differ in content",
            float(one.content_sha256 != other.content_sha256),
            "exports",
            aim=0.0,
        ),
    ]


def busy_seconds(job: Progress, number: int, light: Material, order: Order, path: Path) -> float:
    """Write a report in the child; how long its processor was busy, whatever else ran meanwhile."""
    from medview.services.report_work import build_and_write

    began = time.process_time()
    build_and_write(job, number, light, order, path)
    return time.process_time() - began


def material() -> tuple[Heavy, Material]:
    """A brain with two findings and a dozen key images: what is heavy of it, and the rest."""
    grid = Geometry(
        _SHAPE, np.array([[0, 0, 1, -120], [0, 1, 0, -120], [1, 0, 0, -78], [0, 0, 0, 1]])
    )
    k, j, i = np.ogrid[tuple(slice(0, n) for n in _SHAPE)]
    radius = ((i - 120) / 80) ** 2 + ((j - 120) / 95) ** 2 + ((k - 78) / 70) ** 2
    brain = np.asarray(radius <= 1)
    texture = np.random.default_rng(0).normal(0, 12, _SHAPE)
    volume = Volume(
        np.where(brain, 300 + 80 * np.cos(6 * radius) + texture, 0).astype(np.int16),
        grid,
        modality="MR",
    )
    score = np.zeros(_SHAPE, np.float32)
    places = ((78, 150, 150), (60, 90, 100))
    for height, (at_k, at_j, at_i) in zip((14.0, 8.0), places, strict=True):
        away = ((k - at_k) ** 2 + (j - at_j) ** 2 + (i - at_i) ** 2) / 60.0
        score += (height * np.exp(-away)).astype(np.float32)
    total = np.where(brain, 0.003 + 1e-4 * texture, 0).astype(np.float32)
    prediction = _prediction(grid, score * brain, total, brain, places)
    card = find_card("anomaly")
    light = Outcome(replace(prediction, maps=()), card)
    marked = Marked(_key_images(grid), (), Exam(series_description="T1"), "1.2.3")
    words = ReaderText("Question.", "none", "Findings. " * 20, "Impression. " * 6)
    rest = Material(Exam(modality="MR"), None, (light,), words, marked=(marked,))
    return Heavy(volume, (prediction,)), rest


def _key_images(grid: Geometry) -> tuple[KeyImage, ...]:
    slices = np.linspace(30, _SHAPE[0] - 30, _KEY_IMAGES).astype(int)
    places = [grid.to_mm(np.array([n, 120.0, 120.0])) for n in slices]
    return tuple(
        KeyImage(Plane.AXIAL, int(n), point_lps=(float(x), float(y), float(z)))
        for n, (x, y, z) in zip(slices, places, strict=True)
    )


def _prediction(
    grid: Geometry,
    score: np.ndarray,
    total: np.ndarray,
    brain: np.ndarray,
    places: tuple[tuple[int, int, int], ...],
) -> Prediction:
    maps = (
        ScalarMap("score", score, grid, "anomaly", "1", (0.0, 18.0), "anomaly score"),
        ScalarMap("total", total, grid, "uncertainty", "1", (0.0, 0.006), "total uncertainty"),
        ScalarMap("brain", brain.astype(np.uint8), grid, "mask", "1", (0.0, 1.0), "brain"),
    )
    centres = [grid.to_mm(np.array(place, dtype=float)) for place in places]
    return Prediction(
        model="anomaly",
        version="1.0",
        weights_sha256="00" * 32,
        code="",
        device="cpu",
        dtype="float32",
        mode="batched",
        seed=0,
        parameters={"samples": 5, "threshold": 6.0},
        seconds=30.0,
        peak_memory_mb=700.0,
        inputs=(InputRef("t1", "1.2", "1.2.3", 0, "00" * 32, grid.shape[::-1]),),
        scores=(Score("anomaly", 1.8, 1.6, 2.1, method="5 samples"),),
        maps=maps,
        findings=tuple(
            Finding(n, "score", (float(x), float(y), float(z)), place[0], 2.0, 14.0 - n)
            for n, (place, (x, y, z)) in enumerate(zip(places, centres, strict=True), 1)
        ),
        slices=tuple(
            SliceScore(n, 0.0, float(plane.mean()), 0.0, 0.0, 0.0) for n, plane in enumerate(score)
        ),
        made_at="2026-11-21T10:00:00+00:00",
    )
