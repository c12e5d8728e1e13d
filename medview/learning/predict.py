"""Case to Prediction, on the case's own grid. Runs in the compute child."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats

from medview import __version__
from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import (
    Finding,
    MapSlices,
    Prediction,
    RunRequest,
    Score,
    SliceScore,
)
from medview.domain.progress import Progress
from medview.domain.volume import Note, Volume
from medview.learning.anomaly import (
    AnomalySettings,
    Engine,
    combine,
    maps_from_draws,
    noise_for,
    run_slices,
    sum_up,
    weigh,
)
from medview.learning.brain import Prepared, prepare
from medview.learning.devices import choose_device, peak_memory_mb
from medview.learning.grid import canonical
from medview.learning.refusals import notes_on, refuse_unfit
from medview.learning.weights import load_anomaly

SMALLEST_FINDING_ML = 0.2
MOST_FINDINGS = 20


def run(job: Progress, request: RunRequest) -> Prediction:
    """Run a model on one study.

    Raises
    ------
    ModelInputError
        No model of that name, or the input does not fit it.
    WeightsError
        Weights missing, damaged or foreign.
    Cancelled
        The user asked to stop.
    """
    if request.model not in RUNNERS:
        raise ModelInputError(
            f"there is no model called {request.model}",
            do=f"Choose one of: {', '.join(RUNNERS)}.",
            code="MV-MOD-002",
        )
    if request.threads:
        torch.set_num_threads(request.threads)
    return RUNNERS[request.model](job, request)


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Everything the network said, on model slices."""

    pictures: NDArray[np.float32]
    aleatoric: NDArray[np.float32]
    kept: NDArray[np.intp]


def run_anomaly(job: Progress, request: RunRequest) -> Prediction:
    """Bayesian VAE: maps of score, residual and both uncertainties, and one score with interval."""
    began = time.perf_counter()
    device = choose_device(request.device)
    role, volume = _one_volume(request)
    refuse_unfit(volume)
    model, card, settings = load_anomaly(_path(request.weights), device)
    settings = replace(
        settings,
        samples=request.samples or settings.samples,
        alpha=settings.alpha if request.alpha is None else request.alpha,
    )
    job.report(0, 1, "finding the brain")
    prepared = _without_holes(prepare(volume), volume)
    job.check()
    engine = Engine(model, device, request.precision)
    drawn = _draw(job, engine, prepared, settings, request.seed)
    maps = _maps(volume, prepared, drawn, settings)
    scores, slices = _scores(volume, prepared, drawn, settings, card)
    return Prediction(
        model=card.id,
        version=card.version,
        weights_sha256=card.weights_sha256,
        code=__version__,
        device=device,
        dtype=request.precision,
        mode="batched",
        seed=request.seed,
        parameters={
            "samples": settings.samples,
            "alpha": settings.alpha,
            "rule": settings.rule,
            "threshold": settings.threshold,
            "smooth_px": settings.smooth_px,
        },
        seconds=round(time.perf_counter() - began, 2),
        peak_memory_mb=peak_memory_mb(),
        inputs=tuple(i for i in request.inputs if i.role == role),
        scores=scores,
        maps=maps,
        findings=_findings(maps, settings),
        slices=slices,
        preparation=prepared.steps,
        warnings=_warnings(volume, prepared, card, role),
        parent=card.parent,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _without_holes(prepared: Prepared, volume: Volume) -> Prepared:
    """Take voxels that are not numbers out of the brain, there and on the model slices."""
    finite = np.isfinite(volume.array)
    if finite.all():
        return prepared
    turned = np.asarray(canonical(finite, volume.geometry), dtype=np.float32)
    brain = prepared.brain & (prepared.grid.to_model(turned) > 0.99)
    if not brain.any():
        raise ModelInputError(
            "the brain has no values (NaN)", do="Choose another series.", code="MV-MOD-013"
        )
    return replace(
        prepared, brain=brain, slices=prepared.slices * brain, mask=prepared.mask & finite
    )


def _path(weights: str | None) -> Path | None:
    return Path(weights) if weights else None


def _one_volume(request: RunRequest) -> tuple[str, Volume]:
    for role in ("t1", "t1ce"):
        if role in request.volumes:
            return role, request.volumes[role]
    raise ModelInputError(
        "the anomaly model needs a T1 volume (role t1 or t1ce)",
        do="Choose a T1-weighted MR series.",
        code="MV-MOD-004",
    )


def _draw(
    job: Progress, engine: Engine, prepared: Prepared, settings: AnomalySettings, seed: int
) -> _Drawn:
    """Run the slices that hold brain; noise is drawn for all, so that seeds mean the same."""
    kept = prepared.scored
    noise = noise_for(len(prepared.slices), settings.samples, seed)[:, kept]
    slices, brain, grid = prepared.slices[kept], prepared.brain[kept], prepared.grid

    def show(here: slice, pictures: NDArray[np.float32], aleatoric: NDArray[np.float32]) -> None:
        found = maps_from_draws(slices[here], brain[here], pictures, aleatoric, settings.smooth_px)
        block = grid.from_model(found.score("ratio"))
        for n, height in enumerate(kept[here]):
            index, picture = grid.volume_slice(int(height), block[n])
            job.partial(MapSlices("score", index, picture[None], grid.order[0]))

    pictures, aleatoric = run_slices(engine, slices, noise, job, show)
    return _Drawn(pictures, aleatoric, kept)


def _on_grid(values: NDArray[np.float32], drawn: _Drawn, prepared: Prepared) -> NDArray[np.float32]:
    """Model slices of the kept heights to the volume's own grid, (k, j, i)."""
    canonical = np.zeros(prepared.grid.shape, np.float32)
    canonical[drawn.kept] = prepared.grid.from_model(values)
    return np.asarray(prepared.grid.to_volume(canonical), dtype=np.float32)


def _maps(
    volume: Volume, prepared: Prepared, drawn: _Drawn, settings: AnomalySettings
) -> tuple[ScalarMap, ...]:
    brain = prepared.brain[drawn.kept]
    found = maps_from_draws(
        prepared.slices[drawn.kept], brain, drawn.pictures, drawn.aleatoric, settings.smooth_px
    )
    inside = prepared.mask
    residual = _on_grid(found.residual, drawn, prepared) * inside
    epistemic = _on_grid(found.epistemic, drawn, prepared) * inside
    aleatoric = _on_grid(found.aleatoric, drawn, prepared) * inside
    total = epistemic + aleatoric
    score = combine(residual, epistemic, total, "ratio") * inside
    seen = _on_grid(prepared.slices[drawn.kept], drawn, prepared)
    top = settings.top

    def made(
        name: str, array: NDArray[np.float32], kind: str, high: float, title: str
    ) -> ScalarMap:
        return ScalarMap(name, array, volume.geometry, kind, "1", (0.0, high), title)  # type: ignore[arg-type]  # kinds below

    return (
        made("score", score, "anomaly", top, "anomaly score"),
        made("residual", residual, "anomaly", settings.residual_threshold * 3, "squared residual"),
        made("epistemic", epistemic, "uncertainty", _most(epistemic, inside), "epistemic variance"),
        made("aleatoric", aleatoric, "uncertainty", _most(aleatoric, inside), "aleatoric variance"),
        made("total", total, "uncertainty", _most(total, inside), "total variance"),
        made("brain", inside.astype(np.float32), "mask", 1.0, "brain mask"),
        made("seen", seen, "image", 1.0, "what the model saw"),
    )


def _most(variance: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """What a variance spans: 0 to its 99th percentile over the brain.

    Each has its own, because the epistemic part is far below the aleatoric.
    """
    return (float(np.percentile(variance[inside], 99)) if inside.any() else 0.0) or 1.0


def _scores(
    volume: Volume,
    prepared: Prepared,
    drawn: _Drawn,
    settings: AnomalySettings,
    card: ModelCard,
) -> tuple[tuple[Score, ...], tuple[SliceScore, ...]]:
    slices = prepared.slices[drawn.kept]
    brain = prepared.brain[drawn.kept]
    value, low, high = score_with_interval(slices, brain, drawn.pictures, drawn.aleatoric, settings)
    normals = np.sort(np.asarray(card.settings.get("normal_scores", []), dtype=np.float64))
    rank = float((normals < value).mean() * 100) if normals.size else None
    share = f"{settings.samples} samples"
    scores = (
        Score(
            "anomaly",
            value,
            low,
            high,
            0.95,
            share,
            "1",
            "ok",
            "mean over the brain, in standard deviations of training normals; the interval "
            "covers the draws of the model, not the patient",
        ),
        Score(
            "anomaly_percentile",
            rank,
            unit="%",
            status="ok" if normals.size else "not_available",
            meaning=f"share of {normals.size} normal brains left out in training that score lower",
        ),
    )
    return scores, _slice_rows(volume, prepared, drawn, settings)


def score_with_interval(
    slices: NDArray[np.float32],
    brain: NDArray[np.bool_],
    pictures: NDArray[np.float32],
    aleatoric: NDArray[np.float32],
    settings: AnomalySettings,
) -> tuple[float, float | None, float | None]:
    """The volume's score and its 95 % jackknife interval over draws (None for one draw)."""
    value = _volume_score(slices, brain, pictures, aleatoric, settings)
    samples = len(pictures)
    if samples < 3:
        return value, None, None
    without = np.array(
        [
            _volume_score(slices, brain, np.delete(pictures, k, 0), aleatoric, settings)
            for k in range(samples)
        ]
    )
    error = np.sqrt((samples - 1) / samples * ((without - without.mean()) ** 2).sum())
    reach = float(stats.t.ppf(0.975, samples - 1) * error)
    return value, value - reach, value + reach


def _volume_score(
    slices: NDArray[np.float32],
    brain: NDArray[np.bool_],
    pictures: NDArray[np.float32],
    aleatoric: NDArray[np.float32],
    settings: AnomalySettings,
) -> float:
    """A(x) over all pixels of the rimless brain of the volume (mean, or the quantile asked for)."""
    maps = maps_from_draws(slices, brain, pictures, aleatoric, settings.smooth_px)
    residual = sum_up(maps.residual, brain, settings.quantile)
    score = sum_up(maps.score(settings.rule), brain, settings.quantile)
    area = brain.sum(axis=(1, 2)).astype(np.float64)
    known = np.isfinite(residual)
    return float(
        weigh(
            float(np.average(residual[known], weights=area[known])),
            float(np.average(score[known], weights=area[known])),
            settings,
        )
    )


def _slice_rows(
    volume: Volume, prepared: Prepared, drawn: _Drawn, settings: AnomalySettings
) -> tuple[SliceScore, ...]:
    grid = prepared.grid
    slices, brain = prepared.slices[drawn.kept], prepared.brain[drawn.kept]
    maps = maps_from_draws(slices, brain, drawn.pictures, drawn.aleatoric, settings.smooth_px)
    residual = sum_up(maps.residual, brain, settings.quantile)
    score = sum_up(maps.score(settings.rule), brain, settings.quantile)
    epistemic, aleatoric = sum_up(maps.epistemic, brain, 0), sum_up(maps.aleatoric, brain, 0)
    total = weigh(residual, score, settings)
    columns = np.stack([total, residual, score, epistemic, aleatoric], axis=1)
    rows = []
    for height, (weighed, plain, _, doubt, noise) in zip(drawn.kept, columns, strict=True):
        if np.isfinite(weighed):
            index = grid.index_of(int(height))
            place = position_mm(volume.geometry, grid.order[0], index)
            rows.append(
                SliceScore(index, place, float(weighed), float(plain), float(doubt), float(noise))
            )
    return tuple(sorted(rows, key=lambda row: row.slice))


def position_mm(geometry: Geometry, axis: int, index: int) -> float:
    """Height of a slice along an array axis: LPS z of its middle, mm."""
    centre = (np.array(geometry.shape) - 1) / 2
    centre[axis] = index
    return float(geometry.to_mm(centre)[2])


def _findings(maps: tuple[ScalarMap, ...], settings: AnomalySettings) -> tuple[Finding, ...]:
    """Regions over the threshold, largest first, and those that only the residual shows."""
    named = {m.name: m for m in maps}
    score, residual = named["score"], named["residual"]
    inner = ndimage.binary_erosion(np.asarray(named["brain"].array) > 0, iterations=2)
    over = (np.asarray(score.array) > settings.threshold) & inner
    hidden = (np.asarray(residual.array) > settings.residual_threshold) & inner
    hidden &= ~ndimage.binary_dilation(over, iterations=2)
    regions = _regions(score, over, hidden=False) + _regions(residual, hidden, hidden=True)
    return tuple(replace(r, id=n) for n, r in enumerate(regions[:MOST_FINDINGS], start=1))


def _regions(shown: ScalarMap, mask: NDArray[np.bool_], *, hidden: bool) -> list[Finding]:
    labels, count = ndimage.label(mask)
    if not count:
        return []
    values = np.asarray(shown.array)
    voxel = shown.geometry.voxel_ml
    wanted = range(1, count + 1)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:] * voxel
    large = [n for n in wanted if sizes[n - 1] >= SMALLEST_FINDING_ML]
    if not large:
        return []
    centres = ndimage.center_of_mass(mask, labels, large)
    peaks = ndimage.maximum(values, labels, large)
    places = ndimage.maximum_position(values, labels, large)
    found = []
    for n, centre, peak, place in zip(large, centres, peaks, places, strict=True):
        x, y, z = (round(float(v), 2) for v in shown.geometry.to_mm(centre))
        size = round(float(sizes[n - 1]), 3)
        found.append(Finding(0, shown.name, (x, y, z), int(place[0]), size, float(peak), hidden))
    return sorted(found, key=lambda f: f.volume_ml, reverse=True)


def _warnings(volume: Volume, prepared: Prepared, card: ModelCard, role: str) -> tuple[Note, ...]:
    notes = [*volume.warnings, *notes_on(volume)]
    if role == "t1ce":
        notes.append(
            Note(
                "OUTSIDE_TRAINING",
                "the weights were trained on T1 without contrast; vessels and enhancing "
                "membranes score high",
            )
        )
    spacing = prepared.grid.spacing_mm[0]
    if spacing > 3:
        notes.append(
            Note("OUTSIDE_TRAINING", f"slices are {spacing:.1f} mm apart; trained on 1 to 2 mm")
        )
    return tuple(notes)


RUNNERS = {"anomaly": run_anomaly}
