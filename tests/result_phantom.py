"""A made-up result of the anomaly model on a made-up head, and a card: for reports and files."""

from __future__ import annotations

from typing import Any

import numpy as np
from phantoms import geometry_of, positions

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.domain.exam import Exam
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, InputRef, Prediction, Score, SliceScore
from medview.domain.volume import Note, Volume

SHA = "5f0c9f3e8d1b7a42c6e0b1d2f3a495867c8d9e0f1a2b3c4d5e6f708192a3b4c5"
LESION_LPS = (20.0, 30.0, 12.0)
SECOND_LPS = (-22.0, -20.0, -14.0)
HIDDEN_LPS = (-10.0, 40.0, 30.0)
EPSILON = 1e-8


def head(geometry: Geometry | None = None) -> Volume:
    """An ellipsoid head with a darker middle and a bright sphere at `LESION_LPS`."""
    grid = geometry or geometry_of("LPS", (36, 48, 40), (4.0, 4.0, 4.0))
    place = positions(grid)
    radius = np.sqrt(((place / np.array([65.0, 80.0, 60.0])) ** 2).sum(axis=-1))
    values = np.where(radius <= 1, 300 + 80 * np.cos(6 * radius), 0)
    values += 250 * (np.linalg.norm(place - LESION_LPS, axis=-1) < 10)
    return Volume(values.astype(np.int16), grid, modality="MR")


def prediction_on(volume: Volume) -> Prediction:
    """Maps that obey score = residual / (total + 1e-8), three findings, one of them hidden."""
    grid = volume.geometry
    place = positions(grid)
    brain = volume.array > 0
    blob = sum(
        height * np.exp(-((np.linalg.norm(place - at, axis=-1) / 9) ** 2))
        for at, height in ((LESION_LPS, 14.0), (SECOND_LPS, 8.0))
    )
    noise = np.random.default_rng(0).random(grid.shape)
    epistemic = np.where(brain, 1e-3 * (1 + noise), 0).astype(np.float32)
    aleatoric = np.where(brain, 2e-3 * (1 + noise), 0).astype(np.float32)
    total = epistemic + aleatoric
    residual = np.where(brain, (0.4 * noise + blob) * total, 0).astype(np.float32)
    score = (residual / (total + np.float32(EPSILON))).astype(np.float32)
    fields: dict[str, tuple[Any, ...]] = {
        "score": (score, "anomaly", (0.0, 18.0), "anomaly score"),
        "residual": (residual, "anomaly", (0.0, 0.05), "residual"),
        "epistemic": (epistemic, "uncertainty", (0.0, 0.004), "epistemic uncertainty"),
        "aleatoric": (aleatoric, "uncertainty", (0.0, 0.006), "aleatoric uncertainty"),
        "total": (total, "uncertainty", (0.0, 0.008), "total uncertainty"),
        "brain": (brain.astype(np.uint8), "mask", (0.0, 1.0), "brain"),
    }
    return Prediction(
        model="anomaly",
        version="1.2",
        weights_sha256=SHA,
        code="0.3.0+g1a2b3c",
        device="cpu",
        dtype="float32",
        mode="batched",
        seed=7,
        parameters={"samples": 5, "alpha": 0.5, "rule": "ratio", "threshold": 6.0},
        seconds=31.2,
        peak_memory_mb=2100.0,
        inputs=(InputRef("t1", "1.2.3", "1.2.3.4.55667788", 0, "ab" * 32, grid.shape[::-1]),),
        scores=(
            Score("anomaly", 1.834, 1.61, 2.1, 0.95, "5 samples", meaning="against normals"),
            Score(
                "anomaly_percentile",
                98.0,
                unit="%",
                meaning="share of 14 normal brains that score lower",
            ),
        ),
        maps=tuple(
            ScalarMap(name, array, grid, kind, "1", span, title)
            for name, (array, kind, span, title) in fields.items()
        ),
        findings=_findings(score, residual, grid),
        slices=_slices(score, residual, epistemic, aleatoric, grid),
        preparation=("brain mask: built-in network", "clip 1-99 %", "128 x 128"),
        warnings=(Note("OUTSIDE_TRAINING", "Slices are thicker than in the training data"),),
        made_at="2026-03-14T10:41:00+00:00",
    )


def _findings(score: np.ndarray, residual: np.ndarray, grid: Geometry) -> tuple[Finding, ...]:
    found = []
    given = ((LESION_LPS, "score", score, 3.2), (SECOND_LPS, "score", score, 0.41))
    for at, name, array, volume_ml in (*given, (HIDDEN_LPS, "residual", residual, 0.6)):
        k, j, i = (int(n) for n in np.rint(grid.to_index(at)))
        near = array[k, j - 2 : j + 3, i - 2 : i + 3]
        peak = float(near.max())
        found.append(Finding(len(found) + 1, name, at, k, volume_ml, peak, name == "residual"))
    return tuple(found)


def _slices(*maps: np.ndarray | Geometry) -> tuple[SliceScore, ...]:
    *arrays, grid = maps
    assert isinstance(grid, Geometry)
    figures = [[float(plane.mean()) for plane in array] for array in arrays]
    position = grid.to_mm(np.array([(k, 0, 0) for k in range(grid.shape[0])]))[:, 2]
    rows = zip(position, *figures, strict=True)
    made = [SliceScore(k, float(row[0]), *row[1:]) for k, row in enumerate(rows)]
    made[0] = SliceScore(0, made[0].position_mm, float("nan"), *[float("nan")] * 3)
    return tuple(made)


def exam() -> Exam:
    """A complete examination of nobody."""
    return Exam(
        patient_key="9f2c41aa",
        name="Doe^Jane",
        patient_id="ANON-0110",
        sex="F",
        birth_date="1964-05-02",
        accession="4471",
        study_description="MR head with contrast",
        study_date="2026-03-14",
        modality="MR",
        series_description="T1 post-contrast",
        series_number=7,
        scanner="Example Scanner One",
        field_strength_t=3.0,
        size=(40, 48, 36),
        spacing_mm=(4.0, 4.0, 4.0),
    )


def card() -> ModelCard:
    """A complete card of the anomaly model; the figures are made up."""
    localisation: dict[str, Any] = {
        "on": "brats2013-slices",
        "n": 8,
        "level": "pixel",
        "command": "medview x",
    }
    return ModelCard(
        id="anomaly",
        version="1.2",
        title="Bayesian VAE with attention",
        summary="Marks what a healthy brain does not look like.",
        inputs=(InputSpec("t1", "MR volume or slice"),),
        outputs=(OutputSpec("score", "map"),),
        preparation=("brain mask", "clip"),
        intended_use="Research on adult brain MRI. Not for diagnosis, triage or treatment.",
        limits=("Never tried on children", "Blind to changes smaller than 5 mm"),
        licence="CC BY-SA 3.0",
        source="arXiv 2504.15562",
        weights_sha256=SHA,
        trained_on=(TrainedOn("ixi-t1", 7, "CC BY-SA 3.0"),),
        measured=(
            Figure("pr_auc", 0.41, low=0.29, high=0.55, **localisation),
            Figure("pr_auc", 0.33, predictor="intensity", **localisation),
            Figure("coverage", 0.94, "held-out slices", n=40, extra={"ci": "bootstrap"}),
        ),
        published=(Figure("roc_auc", 0.834, "BraTS2020, balanced slices"),),
        settings={"samples": 5, "alpha": 0.5},
        seen_patients=("a1b2",),
    )
