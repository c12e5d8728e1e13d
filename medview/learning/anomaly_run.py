"""A brain MRI to its Prediction, on its own grid. Runs in the compute child."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.geometry import Geometry
from medview.domain.overlay import MapKind, ScalarMap
from medview.domain.prediction import (
    MOST_SAMPLES,
    Prediction,
    RunRequest,
    Score,
    SliceScore,
    with_doubts,
)
from medview.domain.progress import Progress
from medview.domain.volume import Note, Volume
from medview.learning.anomaly_draw import Asked, draw_volume
from medview.learning.anomaly_engine import Engine
from medview.learning.anomaly_maps import SliceMaps
from medview.learning.anomaly_scores import (
    Drawn,
    rimless,
    score_with_interval,
    slice_scores,
    sum_up,
)
from medview.learning.anomaly_settings import AnomalySettings
from medview.learning.brain import Prepared, prepare
from medview.learning.brain_size import size_notes
from medview.learning.convergence import converge
from medview.learning.devices import choose_device, precision_here
from medview.learning.findings import among_normals, find_all
from medview.learning.refusals import few_slices, notes_on, refuse_unfit
from medview.learning.run_stamp import stamped
from medview.learning.sheets import Sheets
from medview.learning.tilt import pose_in_slices, tilt_notes
from medview.learning.upright_slices import Upright, cut_upright, upright_notes
from medview.learning.weighting import weighting_notes
from medview.learning.weights import load_anomaly
from medview.learning.whole_brain import refuse_noise
from medview.models.anomaly_vae import AnomalyVae

_REACH = 4.0
"""Standard deviations after which scipy's Gaussian ends."""


def run_anomaly(job: Progress, request: RunRequest) -> Prediction:
    """Bayesian VAE: maps of score, residual and both uncertainties, and one score with interval.

    Raises
    ------
    ModelInputError
        The input does not fit the model.
    WeightsError
        Weights missing, damaged or foreign.
    Cancelled
        The user asked to stop.
    """
    began = time.perf_counter()
    role, volume = _one_volume(request)
    refuse_unfit(volume)
    is_whole = not few_slices(volume)
    device = choose_device(request.device)
    wanted, request = request, replace(request, precision=precision_here(request.precision, device))
    model, card, settings = load_anomaly(Path(request.weights) if request.weights else None, device)
    settings = _as_asked(settings, request)
    job.report(0, 1, "finding the brain")
    head = _head(request, role, volume)
    prepared = _to_judge(head.prepared, request, volume, settings)
    if is_whole:
        refuse_noise(volume, prepared.mask, lambda: pose_in_slices(volume, prepared.mask))
    job.check()
    upright = head.upright(volume) if is_whole and settings.upright else None
    asked = Asked.of(prepared, upright, part=request.slice is not None)
    engine = _engine(model, device, request, settings)
    drawn, sheets = draw_volume(job, engine, asked, settings, request.seed)
    job.report(len(drawn.slices), len(drawn.slices), "putting maps and findings together")
    share, floor = drawn.explained(), settings.floor
    drawn, settings = drawn.judged(floor), replace(settings, floor=None)
    if not is_whole:
        settings = settings.of_single_slices()
    elif settings.volume_mm > 0:
        whole = drawn.volume_maps(settings, prepared.grid.spacing_mm[0])
        sheets.add(prepared.scored, asked.told(whole, drawn.brain)[0])
    maps = _maps(volume, prepared, sheets, settings)
    own, brain = asked.told(drawn.slice_maps(settings), drawn.brain)
    inner = prepared.on_grid(rimless(brain).astype(np.float32)) > 0.5
    indices = [prepared.grid.index_of(int(height)) for height in prepared.scored]
    passes, slice_passes = converge(drawn, settings, indices, asked.told)
    notes = (*not_judged(asked.brain, drawn), *_warnings(volume, role))
    if request.precision != wanted.precision:
        notes += (_OTHER_PRECISION,)
    is_compared = is_whole and request.slice is None
    if is_compared:
        notes += _head_notes(volume, role, prepared, upright)
    peaks = np.asarray(card.settings.get("normal_peaks", []) if is_compared else [], np.float64)
    return replace(
        stamped(
            *(card, request, began),
            with_doubts(_scores(drawn, settings, card, whole=is_whole), notes),
            {**{name: getattr(settings, name) for name in _TOLD}, "floor": floor},
            (role,),
            device=device,
            dtype=request.precision,
        ),
        maps=maps,
        findings=among_normals(find_all(maps[0], maps[1], inner, settings), peaks, maps[0].name),
        slices=_slice_rows(volume.geometry, prepared, own, brain, settings, asked.told_each(share)),
        preparation=(*prepared.steps, *upright.steps) if upright else prepared.steps,
        warnings=notes,
        passes=passes,
        slice_passes=slice_passes,
    )


_OTHER_PRECISION = Note(
    "PRECISION",
    "computed in float32: this processor has no bfloat16 products, and float32 is faster here",
)
_TOLD = (
    *("samples", "mirrored", "balanced", "alpha", "rule", "threshold"),
    *("smooth_px", "volume_mm", "wide_px", "opposite", "grow", "upright"),
)


def _to_judge(
    prepared: Prepared, request: RunRequest, volume: Volume, settings: AnomalySettings
) -> Prepared:
    """The slices that are asked for, without holes: all, or those about one."""
    prepared = _without_holes(prepared, volume)
    if request.slice is None:
        return prepared
    return _around(prepared, request.slice, _REACH * settings.volume_mm)


def _engine(
    model: AnomalyVae, device: str, request: RunRequest, settings: AnomalySettings
) -> Engine:
    made = Engine.fast(model, device, request.precision, drawing=settings)
    return replace(made, batch=request.batch) if request.batch else made


def _one_volume(request: RunRequest) -> tuple[str, Volume]:
    for role in ("t1", "t1ce"):
        if role in request.volumes:
            return role, request.volumes[role]
    raise ModelInputError(
        "the anomaly model needs a T1 volume (role t1 or t1ce)",
        do="Choose a T1-weighted MR series.",
        code="MV-MOD-004",
    )


# The brain of the last volume: a run again with another K or seed needs only new draws.
_LAST: dict[tuple[object, ...], _Head] = {}


@dataclass(slots=True, eq=False)
class _Head:
    """A volume's model slices, and those of it upright once they were asked for."""

    prepared: Prepared
    _cut: tuple[Upright | None] | None = None

    def upright(self, volume: Volume) -> Upright | None:
        """The head of this volume upright; None where it lies so."""
        if self._cut is None:
            self._cut = (cut_upright(volume, self.prepared),)
        return self._cut[0]


def _head(request: RunRequest, role: str, volume: Volume) -> _Head:
    """Brain and model slices of a volume; those of the last one are kept."""
    sha256 = next((given.sha256 for given in request.inputs if given.role == role), "")
    key = (sha256, volume.array.shape, volume.geometry.affine_ijk.tobytes())
    if not sha256 or key not in _LAST:
        found = _Head(prepare(volume))
        _LAST.clear()
        _LAST[key] = found
    return _LAST[key]


def _as_asked(settings: AnomalySettings, request: RunRequest) -> AnomalySettings:
    """The card's settings with what the request changes of them."""
    samples = request.samples or settings.samples
    if samples > MOST_SAMPLES:
        raise ModelInputError(
            f"{samples} draws of the model are too many",
            do=f"Ask for at most {MOST_SAMPLES}.",
            code="MV-MOD-007",
        )
    alpha = settings.alpha if request.alpha is None else request.alpha
    return replace(settings, samples=samples, alpha=alpha)


def _without_holes(prepared: Prepared, volume: Volume) -> Prepared:
    """Take voxels that are not numbers out of the brain, there and on the model slices."""
    finite = np.isfinite(volume.array)
    if finite.all():
        return prepared
    known = prepared.on_model(finite.astype(np.float32)) > 0.99
    brain = prepared.brain & known
    if not brain.any():
        raise ModelInputError(
            "the brain has no values (NaN)", do="Choose another series.", code="MV-MOD-013"
        )
    return replace(
        prepared, brain=brain, slices=prepared.slices * brain, mask=prepared.mask & finite
    )


def _around(prepared: Prepared, index: int, reach_mm: float) -> Prepared:
    """Only the brain of a slice and of those that smoothing brings into it."""
    grid = prepared.grid
    height = grid.index_of(index)  # the way there and back is the same
    away_mm = abs(np.arange(len(prepared.slices)) - height) * grid.spacing_mm[0]
    brain = prepared.brain & (away_mm <= reach_mm)[:, None, None]
    if not 0 <= height < len(brain) or not brain[height].any():
        raise ModelInputError(
            "there is no brain in this slice", do="Scroll to another one.", code="MV-MOD-013"
        )
    return replace(prepared, brain=brain, slices=prepared.slices * brain)


def _maps(
    volume: Volume, prepared: Prepared, sheets: Sheets, settings: AnomalySettings
) -> tuple[ScalarMap, ...]:
    """Every map that is shown, with what its colours span."""
    inside = prepared.mask
    seen = prepared.on_grid(prepared.slices[prepared.scored])

    def made(
        title: str, name: str, kind: MapKind, array: NDArray[np.float32], top: float
    ) -> ScalarMap:
        return ScalarMap(name, array, volume.geometry, kind, "1", (0.0, top), title)

    def variance(name: str) -> ScalarMap:
        array = sheets.volume(name)
        return made(f"{name} variance", name, "uncertainty", array, _most(array, inside))

    score, residual = sheets.volume("score"), sheets.volume("residual")
    return (
        made("anomaly score", "score", "anomaly", score, settings.top),
        made("squared residual", "residual", "anomaly", residual, 3 * settings.residual_threshold),
        variance("epistemic"),
        variance("aleatoric"),
        variance("total"),
        made("brain mask", "brain", "mask", inside.astype(np.float32), 1.0),
        made("what the model saw", "seen", "image", seen, 1.0),
    )


def _most(variance: NDArray[np.float32], inside: NDArray[np.bool_]) -> float:
    """What a variance spans: 0 to its 99th percentile over the brain.

    Each has its own, because the epistemic part is far below the aleatoric.
    """
    return (float(np.percentile(variance[inside], 99)) if inside.any() else 0.0) or 1.0


_UNKNOWN = "the model did not recognise these images, so there is no score"
MOST_BLANK = 0.25
"""A study of whose brain more than this share is not judged is not like the fitted ones."""


def _scores(
    drawn: Drawn, settings: AnomalySettings, card: ModelCard, *, whole: bool
) -> tuple[Score, ...]:
    value, low, high = score_with_interval(drawn, settings)
    if not np.isfinite(value):
        return tuple(
            Score(name, None, unit=unit, status="not_available", meaning=_UNKNOWN)
            for name, unit in (("anomaly", "1"), ("anomaly_percentile", "%"))
        )
    normals = np.asarray(card.settings.get("normal_scores", []) if whole else [], dtype=np.float64)
    among = f"share of {normals.size} normal brains left out in training that score lower"
    return (
        Score(
            "anomaly",
            value,
            low,
            high,
            method=f"{settings.samples} samples",
            meaning="mean over the brain, in standard deviations of training normals; the "
            "interval covers the draws of the model, not the patient",
        ),
        Score(
            "anomaly_percentile",
            float((normals < value).mean() * 100) if normals.size else None,
            unit="%",
            status="ok" if normals.size else "not_available",
            meaning=among if whole else "single slices are not compared with whole brains",
        ),
    )


def _slice_rows(
    geometry: Geometry,
    prepared: Prepared,
    maps: SliceMaps,
    brain: NDArray[np.bool_],
    settings: AnomalySettings,
    share: NDArray[np.float64],
) -> tuple[SliceScore, ...]:
    """Figures of each slice, in the order of the volume's own slices.

    `share` (n,) is what the model explains of them; one that is not judged has that figure alone.
    """
    grid = prepared.grid
    summed = (
        sum_up(maps.residual, brain, settings.quantile),
        sum_up(maps.epistemic, brain, 0),
        sum_up(maps.aleatoric, brain, 0),
    )
    scores = slice_scores(maps, brain, settings)
    rows = []
    for height, *figures in zip(prepared.scored, scores, *summed, share, strict=True):
        index = grid.index_of(int(height))
        height_mm = float(geometry.slice_centre_mm(grid.order[0], index)[2])
        rows.append(SliceScore(index, height_mm, *(float(value) for value in figures)))
    return tuple(sorted(rows, key=lambda row: row.slice))


def not_judged(asked: NDArray[np.bool_], drawn: Drawn) -> tuple[Note, ...]:
    """What is told of slices that the model does not recognise; nothing where it knows them all.

    `asked` (n, 128, 128) is the brain in the slices that it was asked of.
    """
    given = asked.sum(axis=(1, 2))
    blank = np.asarray(~drawn.brain.any(axis=(1, 2)), dtype=np.bool_)
    if not blank.any():
        return ()
    count, slices = int(blank.sum()), "slice" if len(blank) == 1 else f"{len(blank)} slices"
    which = f"the {slices}" if blank.all() else f"{count} of {slices}"
    lost = float(given[blank].sum() / given.sum())
    notes = [
        Note(
            "NOT_JUDGED",
            f"the model did not recognise {which}: what it expected there has too little in "
            "common with the image, so nothing is marked there and no score is given",
        )
    ]
    if lost > MOST_BLANK:
        share = "the whole" if blank.all() else f"{100 * lost:.0f} %"
        notes.append(
            Note(
                "OUTSIDE_TRAINING",
                f"{share} of the brain is not like those that the model was made for; another "
                "sequence, contrast agent, a wrong brain mask or damaged weights can be why",
            )
        )
    return tuple(notes)


def _head_notes(
    volume: Volume, role: str, prepared: Prepared, upright: Upright | None
) -> tuple[Note, ...]:
    """Doubts about a whole head: how it lies, how large it is, whether it looks like T1.

    Contrast agent brightens the cortex, so of `role` t1ce the last is not asked.
    """
    turned = upright_notes(upright) if upright else tilt_notes(volume, prepared.mask)
    weighted = weighting_notes(prepared) if role == "t1" else ()
    return (*turned, *size_notes(volume, prepared.mask), *weighted)


def _warnings(volume: Volume, role: str) -> tuple[Note, ...]:
    notes = [*volume.warnings, *notes_on(volume)]
    if role == "t1ce":
        notes.append(
            Note(
                "OUTSIDE_TRAINING",
                "the weights were trained on T1 without contrast; vessels and enhancing "
                "membranes score high",
            )
        )
    thickest = max(volume.geometry.spacing_mm)
    if few := few_slices(volume):
        count = "a single slice" if few == 1 else f"{few} slices only"
        what = "the outline of the brain is a crude threshold and the score not that of a brain"
        notes.append(Note("FEW_SLICES", f"{count}: {what}"))
    elif thickest > 3:
        notes.append(
            Note("OUTSIDE_TRAINING", f"slices are {thickest:.1f} mm apart; trained on 1 to 2 mm")
        )
    return tuple(notes)
