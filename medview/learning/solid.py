"""Solid synthetic lesions in volumes: how maps are smoothed and findings grow, and how well.

Slices with a lesion each, as elsewhere, say nothing of a lesion that goes on in the next slice.
Here a lesion is round in three dimensions, and a map is asked in the whole block about it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import average_precision_score
from torch import Tensor

from medview.domain.prediction import SMALLEST_ML
from medview.domain.progress import Progress
from medview.learning.anomaly_engine import Engine, noise_for, run_slices
from medview.learning.anomaly_scores import Drawn, rimless
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.brain import Prepared
from medview.learning.cases import PreparedCase
from medview.learning.findings import grown, usual_score
from medview.learning.grid import PIXEL_MM
from medview.learning.lesions import Lesion, draw_lesion
from medview.learning.metrics import Level, MetricRow, RowKey, mean_interval, median_interval
from medview.learning.scoring import Slices, protocol_rows, slices_of
from medview.learning.subset import TrainCase
from medview.learning.synthetic import solid
from medview.learning.uncertainty import WHOLE, UncertaintyTrial, judge, uncertainty_rows

VOLUME_MM = (0.0, 3.0, 4.5, 6.0)
"""Widths of the smoothing over slices that are tried; 0 leaves each slice alone."""
GROWS = (0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 1.0)
"""Shares of its peak down to which a finding may grow that are tried."""
BLOCKS = 8
"""So many training brains get a solid lesion to choose on."""
MARGIN_MM = 12.0
"""A block reaches so far beyond its lesion."""
SEED = 778
"""Of the lesions drawn here; slices with a lesion each have another (``calibrate``)."""
FALSE_ALARM_SHARE = 0.0005
"""Share of the pixels of clean blocks over the threshold of volumes."""
DRAWS = 3
"""Lesions for each volume that is measured."""
TIMES = (0.6, 0.8, 1.3, 1.6)
"""The threshold is also tried so many times as high: what is found against false regions."""
OTHER_THRESHOLD = "threshold x "
"""Group of the figures at one of `TIMES`, before its number."""
MEDIAN_RATIO = "volume_ratio_median"
"""Name of the figure: found by true volume, of the lesion in the middle; few decide the mean."""
SEED_PX = 3
"""Growth starts from so many pixels about the peak."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Neighbouring slices without and with one solid lesion, and where it lies."""

    clean: Drawn
    sick: Drawn
    truth: NDArray[np.bool_]
    step_mm: float

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Size of a pixel of these model slices."""
        return self.step_mm, PIXEL_MM, PIXEL_MM


def draw_blocks(
    job: Progress, engine: Engine, cases: Sequence[Prepared], samples: int
) -> list[Block]:
    """A block of each of some brains of several slices, with a lesion of this module's draw."""
    rng = np.random.default_rng(SEED)
    found = []
    several = [one for one in cases if len(one.scored) > 2]
    for prepared in several[:: -(-len(several) // BLOCKS) or 1]:
        whole, step_mm = slices_of(prepared), prepared.grid.spacing_mm[0]
        block = _cut_out(whole, step_mm, rng)
        if block is not None:
            found.append(_ask(job, engine, *block, samples, step_mm))
    return [one for one in found if (one.truth & rimless(one.sick.brain)).any()]


def _cut_out(
    whole: Slices, step_mm: float, rng: np.random.Generator
) -> tuple[Slices, dict[int, Lesion]] | None:
    """Slices about a lesion, and the lesion by their rows."""
    middle = int(rng.choice(protocol_rows(whole)))
    lesion = draw_lesion(whole.brain[middle], rng)
    if lesion is None:
        return None
    touched = solid(lesion, whole.index, middle, step_mm / PIXEL_MM)
    more = int(np.ceil(MARGIN_MM / step_mm))
    rows = np.arange(max(0, min(touched) - more), min(len(whole), max(touched) + more + 1))
    return whole.take(rows), {row - int(rows[0]): one for row, one in touched.items()}


def _ask(
    job: Progress,
    engine: Engine,
    slices: Slices,
    lesions: dict[int, Lesion],
    samples: int,
    step_mm: float,
) -> Block:
    """Run the network on all slices without and on those with the lesion."""
    noise = noise_for(len(slices), samples, 0)
    clean = Drawn(slices.pictures, slices.brain, *run_slices(engine, slices.pictures, noise, job))
    sick, truth = with_solid(job, engine, clean, lesions, noise)
    return Block(clean, sick, truth, step_mm)


def with_solid(
    job: Progress, engine: Engine, clean: Drawn, lesions: dict[int, Lesion], noise: Tensor
) -> tuple[Drawn, NDArray[np.bool_]]:
    """What the network says with a lesion; only the slices that it touches are run again."""
    rows = np.array(sorted(lesions))
    shown = np.stack([lesions[row].paste(clean.slices[row], clean.brain[row]) for row in rows])
    pictures, aleatoric = run_slices(engine, shown, noise[:, rows], job)
    slices, drawn, variance = clean.slices.copy(), clean.pictures.copy(), clean.aleatoric.copy()
    slices[rows], drawn[:, rows], variance[rows] = shown, pictures, aleatoric
    truth = np.zeros(clean.brain.shape, np.bool_)
    truth[rows] = np.stack([lesions[row].truth for row in rows])
    return replace(clean, slices=slices, pictures=drawn, aleatoric=variance), truth & clean.brain


def choose_volume(blocks: Sequence[Block], settings: AnomalySettings) -> AnomalySettings:
    """Smoothing of volumes with the best average precision, the growth with the truest volumes.

    The threshold is that of the clean blocks.
    """
    best = max(
        (replace(settings, volume_mm=mm) for mm in VOLUME_MM),
        key=lambda one: np.mean([_precision(block, one) for block in blocks]),
    )
    maps = [block.sick.volume_maps(best, block.step_mm).score("ratio") for block in blocks]

    def misfit(share: float) -> float:
        ratios = [
            _about_peak(score, block, share).sum() / max(1, block.truth.sum())
            for score, block in zip(maps, blocks, strict=True)
        ]
        return float(abs(np.log(max(np.median(ratios), 1e-6))))

    found = replace(best, grow=min(GROWS, key=misfit))
    if found.volume_mm <= 0:
        return found
    normal = [
        b.clean.volume_maps(found, b.step_mm).score("ratio")[rimless(b.clean.brain)] for b in blocks
    ]
    high = float(np.quantile(np.concatenate(normal), 1 - FALSE_ALARM_SHARE))
    return replace(found, threshold=high)


def _precision(block: Block, settings: AnomalySettings) -> float:
    inner = rimless(block.sick.brain)
    if not block.truth[inner].any():  # it lies in the rim, where nothing can be found
        return 0.0
    score = block.sick.volume_maps(settings, block.step_mm).score(settings.rule)
    return float(average_precision_score(block.truth[inner], score[inner]))


def _about_peak(score: NDArray[np.float32], block: Block, share: float) -> NDArray[np.bool_]:
    """What grows out of the highest pixel of the truth."""
    inner = rimless(block.sick.brain)
    seed = np.zeros(score.shape, np.bool_)
    seed[np.unravel_index(int(np.where(block.truth & inner, score, -1).argmax()), score.shape)] = 1
    whole = ndimage.binary_dilation(seed, iterations=SEED_PX) & inner
    return grown(score, whole, inner, share, block.spacing_mm)


@dataclass(frozen=True, slots=True)
class SolidTrial:
    """One solid lesion in a whole volume: how its map finds it and how large it seems.

    `precision` by predictor ("model", and "model:flat" without smoothing over slices); `ratio` is
    found by true volume, NaN where it is not found; `at` whether it is found at each of `TIMES`.
    """

    case: TrainCase
    draw: int
    precision: dict[str, float]
    ratio: float
    at: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class CleanTrial:
    """A whole normal volume: how many regions are taken for lesions, and its uncertainty.

    `at` are the regions at each of `TIMES`.
    """

    case: TrainCase
    regions: int
    uncertainty: UncertaintyTrial
    at: tuple[int, ...] = ()


def try_solid(
    job: Progress,
    engine: Engine,
    settings: AnomalySettings,
    cases: Sequence[PreparedCase],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[list[SolidTrial], list[CleanTrial]]:
    """Paste solid lesions into volumes that the weights have not seen."""
    solids, cleans = [], []
    for one in cases:
        whole, step_mm = slices_of(one.prepared), one.prepared.grid.spacing_mm[0]
        if len(whole) < WHOLE:
            continue
        noise = noise_for(whole.total, settings.samples, seed)[:, whole.index]
        said = run_slices(engine, whole.pictures, noise, job)
        clean = Drawn(whole.pictures, whole.brain, *said)
        regions, *at = (len(found) for found in _found(clean, settings, step_mm))
        judged = judge(one.case.patient, clean)
        cleans.append(CleanTrial(one.case, regions, judged, tuple(at)))
        for draw in range(draws):
            rng = np.random.default_rng([seed, draw, zlib.crc32(one.case.case.encode()), SEED])
            middle = int(rng.choice(protocol_rows(whole)))
            lesion = draw_lesion(whole.brain[middle], rng)
            if lesion is None:
                continue
            lesions = solid(lesion, whole.index, middle, step_mm / PIXEL_MM)
            sick, truth = with_solid(job, engine, clean, lesions, noise)
            solids.append(_tried(one.case, draw, Block(clean, sick, truth, step_mm), settings))
    return solids, cleans


def _tried(case: TrainCase, draw: int, block: Block, settings: AnomalySettings) -> SolidTrial:
    flat = replace(settings, volume_mm=0.0)
    precision = {"model": _precision(block, settings), "model:flat": _precision(block, flat)}
    touching, *at = (
        [one for one in found if block.truth[one].any()]
        for found in _found(block.sick, settings, block.step_mm)
    )
    sizes = [len(one[0]) / max(1, int(block.truth.sum())) for one in touching]
    found = tuple(map(bool, at))
    return SolidTrial(case, draw, precision, max(sizes, default=float("nan")), found)


_Regions = list[tuple[NDArray[np.intp], ...]]


def _found(drawn: Drawn, settings: AnomalySettings, step_mm: float) -> list[_Regions]:
    """The regions that a run would report, each as indices of its pixels; then at `TIMES`."""
    score = drawn.volume_maps(settings, step_mm).score("ratio")
    inner, spacing_mm = rimless(drawn.brain), (step_mm, PIXEL_MM, PIXEL_MM)
    least = usual_score(score, inner, settings)

    def over(threshold: float) -> _Regions:
        seeds = (score > threshold) & inner
        labels, _ = ndimage.label(grown(score, seeds, inner, settings.grow, spacing_mm, least))
        sizes = np.bincount(labels.ravel())[1:] * np.prod(spacing_mm) / 1000
        return [np.nonzero(labels == n + 1) for n in np.flatnonzero(sizes >= SMALLEST_ML)]

    return [over(settings.threshold * times) for times in (1.0, *TIMES)]


def solid_rows(
    subset: str, solids: Sequence[SolidTrial], cleans: Sequence[CleanTrial]
) -> list[MetricRow]:
    """Average precision, share found, size found by true size, and regions in normal brains."""
    if not solids:
        return []
    patients = [one.case.patient for one in solids]
    found = np.isfinite([one.ratio for one in solids])
    ratios = np.array([one.ratio for one in solids])[found]
    seen = [patient for patient, kept in zip(patients, found, strict=True) if kept]
    rows = [
        _row(subset, who, "pixel", "pr_auc", [one.precision[who] for one in solids], patients)
        for who in ("model", "model:flat")
    ]
    rows.append(_row(subset, "model", "case", "found_rate", found.astype(float), patients))
    if len(ratios):
        rows.append(_row(subset, "model", "case", "volume_ratio", ratios, seen))
        key: RowKey = ("model", "case", MEDIAN_RATIO, subset, "solid")
        middle = median_interval(ratios, seen)
        rows.append(MetricRow.of(key, middle, seen, truth="solid synthetic lesions"))
        error = np.abs(ratios - 1)
        rows.append(_row(subset, "model", "case", "volume_error", error, seen))
    counts = [float(one.regions) for one in cleans]
    clean_patients = [one.case.patient for one in cleans]
    clean = _row(subset, "model", "case", "false_regions", counts, clean_patients)
    rows.append(replace(clean, truth="normal brains", group="clean"))
    rows += _at_other_thresholds(subset, solids, cleans)
    return rows + uncertainty_rows(subset, [one.uncertainty for one in cleans])


def _at_other_thresholds(
    subset: str, solids: Sequence[SolidTrial], cleans: Sequence[CleanTrial]
) -> list[MetricRow]:
    """Share found and regions in normal brains at each of `TIMES`."""
    sick, normal = ([one.case.patient for one in trials] for trials in (solids, cleans))
    rows = []
    for n, times in enumerate(TIMES):
        group, hits = f"{OTHER_THRESHOLD}{times:g}", [float(one.at[n]) for one in solids]
        false = [float(one.at[n]) for one in cleans]
        rate = _row(subset, "model", "case", "found_rate", hits, sick)
        wrong = _row(subset, "model", "case", "false_regions", false, normal)
        rows += [replace(rate, group=group), replace(wrong, truth="normal brains", group=group)]
    return rows


def _row(
    subset: str,
    predictor: str,
    level: Level,
    name: str,
    values: Sequence[float] | NDArray[np.float64],
    patients: Sequence[str],
) -> MetricRow:
    found = mean_interval(np.asarray(values, dtype=np.float64), patients)
    key: RowKey = (predictor, level, name, subset, "solid")
    return MetricRow.of(key, found, patients, truth="solid synthetic lesions")
