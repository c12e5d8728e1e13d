"""Synthetic lesions in held-out normal brains: what a score does when one thing is changed.

In each draw half of a volume's slices get one lesion each and the others stay clean, every
slice used once. Beside that the twin design compares a slice with itself without the lesion, so
that height, area and anatomy cancel: a score that looks at them only is at exactly one half.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medview.domain.progress import Progress
from medview.learning.anomaly_scores import rimless, volume_score
from medview.learning.cases import PreparedCase
from medview.learning.grid import PIXEL_MM
from medview.learning.lesions import Lesion, draw_lesion
from medview.learning.metrics import best_dice, peak_hit, pr_auc
from medview.learning.scoring import Scored, Scorer, Slices, protocol_rows, slices_of
from medview.learning.subset import TrainCase

DRAWS = 5


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """A normal case that the scores have not seen, with the scores to be asked.

    Each fold of a cross-validation brings its own weights and its own baselines.
    """

    found: PreparedCase
    scorer: Scorer


@dataclass(frozen=True, slots=True, eq=False)
class SliceTrial:
    """One slice in one draw. `scores` are of the slice as it was shown, `twins` without lesion.

    `slice` is the index along the volume's own slice axis; `radius_px` and `contrast` are None
    for a clean slice.
    """

    case: TrainCase
    draw: int
    slice: int
    scores: Mapping[str, float]
    twins: Mapping[str, float]
    radius_px: float | None = None
    contrast: float | None = None

    @property
    def label(self) -> bool:
        """True with a lesion."""
        return self.radius_px is not None


@dataclass(frozen=True, slots=True)
class PixelFigures:
    """How a map finds a truth: average precision, best Dice, share of peaks that hit."""

    pr_auc: float
    dice_best: float
    hit_rate: float


@dataclass(frozen=True, slots=True, eq=False)
class PixelTrial:
    """The lesion slices of one volume in one draw, all pixels of their rimless brain."""

    case: TrainCase
    draw: int
    prevalence: float
    figures: Mapping[str, PixelFigures]


@dataclass(frozen=True, slots=True, eq=False)
class CaseTrial:
    """A whole volume without and with one solid lesion."""

    case: TrainCase
    draw: int
    clean: Mapping[str, float]
    lesioned: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticTrials:
    """Everything that was tried."""

    slices: tuple[SliceTrial, ...]
    pixels: tuple[PixelTrial, ...]
    cases: tuple[CaseTrial, ...]


def try_lesions(
    job: Progress, held_out: Sequence[HeldOut], *, draws: int = DRAWS, seed: int = 0
) -> SyntheticTrials:
    """Paste lesions into every held-out case and ask all its scores."""
    found = []
    for number, one in enumerate(held_out):
        job.check()
        job.report(number, len(held_out), "synthetic lesions")
        whole = slices_of(one.found.prepared)
        found.append(try_case(job, one, whole, one.scorer(whole), draws=draws, seed=seed))
    job.report(len(held_out), len(held_out), "synthetic lesions")
    return gathered(found)


def gathered(found: Sequence[SyntheticTrials]) -> SyntheticTrials:
    """Trials of several cases as one."""
    return SyntheticTrials(
        tuple(trial for one in found for trial in one.slices),
        tuple(trial for one in found for trial in one.pixels),
        tuple(trial for one in found for trial in one.cases),
    )


def try_case(
    job: Progress,
    one: HeldOut,
    whole: Slices,
    clean: Mapping[str, Scored],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> SyntheticTrials:
    """Paste lesions into one held-out case.

    Parameters
    ----------
    whole : Slices
        All slices of the case.
    clean : Mapping[str, Scored]
        Its scores without any lesion.
    draws : int
        How often lesions are drawn anew.
    seed : int
        With the case's name it fixes its lesions, whatever other cases there are.
    """
    case, tried = one.found.case, []
    for draw in range(draws):
        job.check()
        rng = np.random.default_rng([seed, draw, zlib.crc32(case.case.encode())])
        lesions = _drawn(whole, rng)
        shown = _with_lesions(whole, lesions)
        found = one.scorer(shown) if lesions else {}
        of_slices = _slice_trials(one.found, draw, whole, clean, found, lesions)
        of_pixels = _pixel_trials(case, draw, shown, found, list(lesions.values()))
        of_case = _case_trials(one, draw, whole, clean, rng)
        tried.append(SyntheticTrials(of_slices, of_pixels, of_case))
    return gathered(tried)


def _with_lesions(whole: Slices, lesions: Mapping[int, Lesion]) -> Slices:
    """The slices that have a lesion, showing it."""
    shown = whole.take(np.fromiter(lesions, dtype=np.intp))
    pasted = [
        lesion.paste(shown.pictures[n], shown.brain[n]) for n, lesion in enumerate(lesions.values())
    ]
    return shown.showing(np.stack(pasted)) if pasted else shown


def _drawn(whole: Slices, rng: np.random.Generator) -> dict[int, Lesion]:
    """Lesions for a random half of the compared slices, by row."""
    rows = protocol_rows(whole)
    chosen = np.sort(rng.permutation(rows)[: len(rows) // 2])
    drawn = {int(row): draw_lesion(whole.brain[row], rng) for row in chosen}
    return {row: lesion for row, lesion in drawn.items() if lesion is not None}


def _slice_trials(
    found: PreparedCase,
    draw: int,
    whole: Slices,
    clean: Mapping[str, Scored],
    shown: Mapping[str, Scored],
    lesions: Mapping[int, Lesion],
) -> tuple[SliceTrial, ...]:
    place = {row: n for n, row in enumerate(lesions)}
    trials = []
    for row in protocol_rows(whole):
        twins = _at(clean, int(row))
        lesion = lesions.get(int(row))
        scores = twins if lesion is None else _at(shown, place[int(row)])
        trials.append(
            SliceTrial(
                found.case,
                draw,
                found.prepared.grid.index_of(int(whole.index[row])),
                scores,
                twins,
                lesion.radius_px if lesion else None,
                lesion.contrast if lesion else None,
            )
        )
    return tuple(trials)


def _at(scored: Mapping[str, Scored], row: int) -> dict[str, float]:
    return {
        name: float(one.per_slice[row]) for name, one in scored.items() if one.per_slice is not None
    }


def _pixel_trials(
    case: TrainCase,
    draw: int,
    shown: Slices,
    scored: Mapping[str, Scored],
    lesions: Sequence[Lesion],
) -> tuple[PixelTrial, ...]:
    if not lesions:
        return ()
    truth = np.stack([lesion.truth for lesion in lesions])
    inner = rimless(shown.brain)
    figures = {
        name: pixel_figures(truth, one.pixels, inner)
        for name, one in scored.items()
        if one.pixels is not None
    }
    share = float(truth[inner].mean())
    return (PixelTrial(case, draw, share, figures),)


def pixel_figures(
    truth: NDArray[np.bool_], pixels: NDArray[np.float32], where: NDArray[np.bool_]
) -> PixelFigures:
    """How a map (n, 128, 128) finds the truth; peaks are asked slice by slice where it has one."""
    flat, score = truth[where], pixels[where].astype(np.float64)
    hits = [
        peak_hit(truth[k][where[k]], pixels[k][where[k]])
        for k in range(len(truth))
        if truth[k][where[k]].any()
    ]
    rate = float(np.mean(hits)) if hits else float("nan")
    return PixelFigures(pr_auc(flat, score), best_dice(flat, score), rate)


def _case_trials(
    one: HeldOut,
    draw: int,
    whole: Slices,
    clean: Mapping[str, Scored],
    rng: np.random.Generator,
) -> tuple[CaseTrial, ...]:
    """The volume's score with one solid lesion; only the slices that it touches are run again."""
    rows = protocol_rows(whole)
    if len(rows) < 3:
        return ()
    middle = int(rng.choice(rows))
    lesion = draw_lesion(whole.brain[middle], rng)
    if lesion is None:
        return ()
    step_mm = one.found.prepared.grid.spacing_mm[0]
    touched = solid(lesion, whole.index, middle, step_mm / PIXEL_MM)
    at = np.fromiter(touched, dtype=np.intp)
    found = one.scorer(_with_lesions(whole, touched))
    before, after = {}, {}
    for name, scored in clean.items():
        if scored.per_slice is not None:
            changed = scored.per_slice.copy()
            changed[at] = found[name].per_slice
            before[name] = volume_score(scored.per_slice, whole.area)
            after[name] = volume_score(changed, whole.area)
    return (CaseTrial(one.found.case, draw, before, after),)


def solid(
    lesion: Lesion, index: NDArray[np.intp], middle: int, step_px: float
) -> dict[int, Lesion]:
    """Round a drawn outline off over the neighbouring slices, by row.

    `step_px` is the distance of two slices in model pixels. At a distance d from its middle
    slice the outline has drawn back by r - sqrt(r^2 - d^2), as a ball of its radius would.
    """
    depth = ndimage.distance_transform_edt(lesion.truth)
    radius = float(depth.max())
    out = {}
    for row in range(len(index)):
        away = abs(int(index[row]) - int(index[middle])) * step_px
        if away == 0:
            out[row] = lesion
        elif away < radius:
            left = depth > radius - np.sqrt(radius**2 - away**2)
            blend = np.asarray(ndimage.gaussian_filter(left.astype(np.float32), 1.0))
            out[row] = replace(lesion, blend=blend)
    return out
