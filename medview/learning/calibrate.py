"""How maps become scores: chosen on training brains with lesions of their own draw.

What is chosen here (smoothing, mean or quantile) never sees the brains or the lesions that a
figure is measured on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from medview.domain.progress import Progress
from medview.learning.anomaly_engine import Engine, noise_for, run_slices
from medview.learning.anomaly_maps import SliceMaps
from medview.learning.anomaly_scores import Drawn, rimless, sums
from medview.learning.anomaly_settings import AnomalySettings, Norm
from medview.learning.brain import SMALLEST_SLICE_PX, Prepared
from medview.learning.lesions import Lesion, draw_lesion
from medview.learning.recognised import floor_of
from medview.learning.solid import choose_volume, draw_blocks

SMOOTHINGS = (1.0, 2.0, 3.0, 4.0, 5.0)
QUANTILES = (0.0, 0.95, 0.99)
WIDES = (0.0, 16.0, 24.0)
"""What is tried of ``AnomalySettings``: `smooth_px`, `quantile` and `wide_px`."""
SEED = 777
"""Of the lesions and slices used here; figures are measured with others."""
FALSE_ALARM_SHARE = 0.0005
"""Share of normal brain pixels over the default threshold."""


def draw_slices(
    job: Progress,
    engine: Engine,
    slices: NDArray[np.float32],
    brain: NDArray[np.bool_],
    samples: int,
    *,
    spread: bool = True,
) -> Drawn:
    """Run the network on slices (n, 128, 128) with seed 0; without `spread` on mean codes alone."""
    noise = noise_for(len(slices), samples, 0) * float(spread)
    return Drawn(slices, brain, *run_slices(engine, slices, noise, job))


def slices_with_room(
    cases: Sequence[Prepared], each: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_], list[Lesion]]:
    """Random slices of each volume that hold enough brain, and a lesion for each."""
    pictures, brains, lesions = [], [], []
    for prepared in cases:
        enough = np.flatnonzero(prepared.brain.sum(axis=(1, 2)) > SMALLEST_SLICE_PX)
        for n in rng.choice(enough, min(each, enough.size), replace=False):
            lesion = draw_lesion(prepared.brain[n], rng)
            if lesion is not None:
                pictures.append(prepared.slices[n])
                brains.append(prepared.brain[n])
                lesions.append(lesion)
    return np.stack(pictures), np.stack(brains), lesions


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The same normal slices as they are and with lesions, and where these lie."""

    clean: Drawn
    sick: Drawn
    truth: NDArray[np.bool_]


def calibrate(
    job: Progress, engine: Engine, cases: Sequence[Prepared], start: AnomalySettings
) -> AnomalySettings:
    """Choose smoothings and summary, then norms and thresholds, on these normal brains."""
    trial = draw_trial(job, engine, cases, start.samples)
    chosen = choose(trial, start)
    blocks = draw_blocks(job, engine, cases, start.samples)
    found = choose_volume(blocks, chosen) if blocks else chosen
    return replace(found, floor=floor_of(trial.clean.explained()))


@dataclass(frozen=True, slots=True, eq=False)
class Pasted:
    """Normal slices (n, 128, 128) as they are and with a lesion each, and where it lies."""

    plain: NDArray[np.float32]
    pasted: NDArray[np.float32]
    brain: NDArray[np.bool_]
    truth: NDArray[np.bool_]


def paste_lesions(cases: Sequence[Prepared]) -> Pasted:
    """Some slices of each brain, with lesions of this module's own draw."""
    rng = np.random.default_rng(SEED)
    plain, brain, lesions = slices_with_room(cases, 12, rng)
    pasted = np.stack([le.paste(p, b) for le, p, b in zip(lesions, plain, brain, strict=True)])
    truth = np.stack([le.truth for le in lesions]) & brain
    return Pasted(plain, pasted, brain, truth)


def draw_trial(job: Progress, engine: Engine, cases: Sequence[Prepared], samples: int) -> Trial:
    """What the network says of some slices of these brains, without and with lesions."""
    given = paste_lesions(cases)
    clean = draw_slices(job, engine, given.plain, given.brain, samples)
    sick = draw_slices(job, engine, given.pasted, given.brain, samples)
    return Trial(clean, sick, given.truth)


def choose(trial: Trial, start: AnomalySettings) -> AnomalySettings:
    """Smoothing and summary that do best on a trial, with its norms and thresholds.

    The smoothing is the one with the best pixel average precision, the summary the one whose
    slice score parts slices with a lesion best from the same slices without (ROC AUC).
    """
    clean, sick, truth = trial.clean, trial.sick, trial.truth
    before = max(
        (replace(start, smooth_px=px) for px in SMOOTHINGS),
        key=lambda one: _pixel_precision(sick.slice_maps(one), truth, sick.brain, start),
    )
    chosen = max(
        (
            with_norms(replace(before, wide_px=wide, quantile=q), clean)
            for wide in WIDES
            for q in QUANTILES
        ),
        key=lambda settings: _slice_auc(clean, sick, settings),
    )
    return with_thresholds(chosen, [clean.slice_maps(chosen)], [clean.brain])


def _pixel_precision(
    maps: SliceMaps,
    truth: NDArray[np.bool_],
    brain: NDArray[np.bool_],
    settings: AnomalySettings,
) -> float:
    inner = rimless(brain)
    return float(average_precision_score(truth[inner], maps.score(settings.rule)[inner]))


def _slice_auc(clean: Drawn, sick: Drawn, settings: AnomalySettings) -> float:
    scores = [drawn.slice_scores(settings) for drawn in (clean, sick)]
    labels = np.repeat([0, 1], [len(s) for s in scores])
    return float(roc_auc_score(labels, np.concatenate(scores)))


def with_norms(settings: AnomalySettings, clean: Drawn) -> AnomalySettings:
    """Mean and spread of both terms over normal slices."""
    residual, score = sums(clean.slice_maps(settings), clean.brain, settings)
    return replace(settings, residual_norm=_norm(residual), score_norm=_norm(score))


def _norm(values: NDArray[np.float64]) -> Norm:
    known = values[np.isfinite(values)]
    return Norm(float(known.mean()), float(max(known.std(), 1e-12)))


def with_thresholds(
    settings: AnomalySettings,
    maps: Sequence[SliceMaps],
    brains: Sequence[NDArray[np.bool_]],
    *,
    single: bool = True,
) -> AnomalySettings:
    """Display thresholds that few pixels of normal brains pass.

    `single` sets those of single slices as well as those of volumes.
    """
    pairs = [(m, rimless(brain)) for m, brain in zip(maps, brains, strict=True)]
    high = 1 - FALSE_ALARM_SHARE
    score = np.concatenate([m.score("ratio")[inner] for m, inner in pairs])
    residual = np.concatenate([m.residual[inner] for m, inner in pairs])
    threshold = _short(float(np.quantile(score, high)))
    low = _short(float(np.quantile(residual, high)))
    found = replace(
        settings, threshold=threshold, residual_threshold=low, top=_short(3 * threshold)
    )
    if not single:
        return found
    return replace(found, slice_threshold=threshold, slice_residual_threshold=low)


def _short(value: float) -> float:
    """Two significant digits: a threshold is a choice, not a measurement."""
    return float(f"{value:.2g}")


def commonest(found: Sequence[AnomalySettings]) -> AnomalySettings:
    """Of the settings of several folds, for each choice the one that most of them made."""
    chosen = {}
    for name in ("smooth_px", "wide_px", "quantile", "volume_mm", "grow"):
        values = [getattr(one, name) for one in found]
        chosen[name] = max(sorted(set(values)), key=values.count)
    return replace(found[0], **chosen)


def settle_norms(
    drawn: Sequence[Drawn], steps_mm: Sequence[float], settings: AnomalySettings
) -> AnomalySettings:
    """Floor, norms and thresholds over whole brains that the scoring weights never saw.

    `steps_mm` is the distance of the slices of each. Slices below the floor are not judged, so
    they are no part of norms and thresholds; unless no slice can be judged.
    """
    enough = [d.brain.sum(axis=(1, 2)) > SMALLEST_SLICE_PX for d in drawn]
    pairs = list(zip(drawn, enough, strict=True))
    together = Drawn(
        np.concatenate([d.slices[e] for d, e in pairs]),
        np.concatenate([d.brain[e] for d, e in pairs]),
        np.concatenate([d.pictures[:, e] for d, e in pairs], axis=1),
        np.concatenate([d.aleatoric[e] for d, e in pairs]),
    )
    floor = floor_of(together.explained())
    if not together.judged(floor).brain.any():
        return replace(_settled(together, drawn, steps_mm, settings), floor=floor)
    known = [d.judged(floor) for d in drawn]
    return replace(_settled(together.judged(floor), known, steps_mm, settings), floor=floor)


def _settled(
    together: Drawn, drawn: Sequence[Drawn], steps_mm: Sequence[float], settings: AnomalySettings
) -> AnomalySettings:
    """Norms and thresholds of all slices together and of the brains as volumes."""
    found = with_norms(replace(settings, floor=None), together)
    found = with_thresholds(found, [together.slice_maps(found)], [together.brain])
    if found.volume_mm <= 0:
        return found
    maps = [d.volume_maps(found, mm) for d, mm in zip(drawn, steps_mm, strict=True)]
    return with_thresholds(found, maps, [d.brain for d in drawn], single=False)
