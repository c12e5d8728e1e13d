"""Brain age from a T1 volume: regions, their volumes, an age. Runs in the compute child."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from medview import __version__
from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction, RunRequest, Score, with_doubts
from medview.domain.progress import Progress
from medview.domain.volume import Note, Volume
from medview.learning.devices import peak_memory_mb
from medview.learning.gap_words import gap_by_age
from medview.learning.refusals import notes_on, refuse_unfit
from medview.learning.region_age import FEATURES, AgeModel, VolumeError, grouped_ml
from medview.learning.region_grid import boxed
from medview.learning.region_groups import CLASSES, REGIONS
from medview.learning.region_intervals import factors
from medview.learning.regions import RegionModel, Regions, find_regions, load_region_model
from medview.learning.tilt import pose_in_slices
from medview.learning.upright_words import lie_notes, turned_words
from medview.learning.whole_brain import cut_notes, refuse_noise

MODEL = "brain-age"
ROLE = "t1"
USUAL_ICV_ML = (900.0, 2100.0)
"""Intracranial volumes of adults; beyond it the head was not found as it is."""
UNLIKE = "; these volumes are unlike theirs, so age and interval mean little"
_THICK_MM = 3.0
_LEARNT_FROM = "those learnt from are 2 mm apart, few of them made as if 4 mm"
_LEAST_MM = 100.0
"""No brain of an adult is smaller along any axis."""


def run_t1(job: Progress, request: RunRequest) -> Prediction:
    """Age, gap and region map of a T1 volume.

    Raises
    ------
    ModelInputError
        No T1 volume, or one that does not fit the model.
    WeightsError
        Weights missing, damaged or foreign.
    Cancelled
        The user asked to stop.
    """
    began = time.perf_counter()
    if ROLE not in request.volumes:
        raise ModelInputError(
            "the image route of brain age needs a T1 volume (role t1)",
            do="Choose a T1-weighted MR series.",
            code="MV-MOD-004",
        )
    volume = request.volumes[ROLE]
    refuse_part(volume)
    job.report(0, 2, "finding the brain")
    model = load_region_model(Path(request.weights) if request.weights else None)
    job.check()
    box = boxed(volume)
    refuse_noise(volume, box.mask, lambda: box.pose or pose_in_slices(volume, box.mask))
    regions = find_regions(volume, model.network, box)
    job.check()
    job.report(1, 2, "measuring the regions")
    scores = scores_of(model, regions, request.age_years)
    warnings = _warnings(volume, regions, scores[0])
    return Prediction(
        model=MODEL,
        version=model.card.version,
        weights_sha256=model.card.weights_sha256,
        code=__version__,
        device="cpu",
        dtype="float32",
        mode="image",
        seed=request.seed,
        parameters={"route": ROLE, "age_years": request.age_years},
        seconds=round(time.perf_counter() - began, 2),
        peak_memory_mb=peak_memory_mb(),
        inputs=tuple(i for i in request.inputs if i.role == ROLE),
        scores=with_doubts(scores, warnings),
        maps=_maps(volume, regions),
        preparation=(
            regions.box.words,
            *turned_words(regions.box.pose),
            *model.card.preparation[1:],
        ),
        warnings=warnings,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def refuse_part(volume: Volume) -> None:
    """Refuse what is no MR volume that can hold a whole brain: volumes of regions need it all.

    Raises
    ------
    ModelInputError
        Another modality, colour, a single slice, or less than 100 mm along an axis.
    """
    refuse_unfit(volume)
    for size, step in zip(volume.geometry.shape, volume.geometry.spacing_mm, strict=True):
        if size * step < _LEAST_MM:
            slices = (
                "a single slice" if size == 1 else f"{size} slices, {size * step:.0f} mm in all"
            )
            raise ModelInputError(
                f"this is {slices}; brain age needs the whole brain",
                do="Choose a T1 series that covers the brain.",
                code="MV-MOD-006",
            )


def scores_of(model: RegionModel, regions: Regions, age_years: float | None) -> tuple[Score, ...]:
    """Age with its interval, both gaps, sex (not trained here) and the grouped volumes."""
    reason = "the head that tells sex was not trained for T1 volumes"
    sex = Score("sex_male", None, status="not_available", meaning=reason)
    if model.age is None:
        missing = "these weights came without an age model"
        ages = tuple(
            Score(name, None, unit="years", status="not_available", meaning=missing)
            for name in ("age", "gap_raw", "gap_corrected")
        )
        return (*ages, sex, *_volumes(regions, model))
    return (*_ages(model.age, regions, age_years), sex, *_volumes(regions, model))


def _ages(model: AgeModel, regions: Regions, known: float | None) -> tuple[Score, ...]:
    """Age and gaps in years; `known` is the patient's age."""
    found = float(model.from_network(regions.ml[None])[0])
    strange = model.strangeness(regions.ml)
    is_inside = model.low <= found <= model.high and strange <= 1

    def score(name: str, value: float, meaning: str) -> Score:
        return Score(
            *(name, value, value - model.half_width, value + model.half_width),
            method="conformal, with the error of the volumes",
            unit="years",
            status="ok" if is_inside else "extrapolating",
            meaning=meaning,
        )

    age = score(
        "age",
        found,
        f"from {len(FEATURES)} groups of regions and the intracranial volume, by ridge regression "
        f"on {model.n} people of {model.low:.0f}-{model.high:.0f} years"
        f"{'' if strange <= 1 else UNLIKE}",
    )
    if known is None:
        return age, _no_gap("gap_raw"), _no_gap("gap_corrected")
    raw = score("gap_raw", found - known, f"age found less true age; {gap_by_age(model.drift)}")
    corrected = model.corrected_gap(known, found)
    expected = "the same without what is expected at that age"
    return age, raw, score("gap_corrected", corrected, expected)


def _no_gap(name: str) -> Score:
    reason = "no age of the patient is known"
    return Score(name, None, unit="years", status="not_available", meaning=reason)


def _volumes(regions: Regions, model: RegionModel) -> tuple[Score, ...]:
    """Volume of each group in ml; the interval is what the network was off on other heads.

    Where it was off to one side, so is the interval; the volume as found stays within it. Nobody
    knows which of the measured sets a new head is like: the interval holds the mean error of each.
    """
    made, error = [], model.age.error.of_volumes() if model.age else VolumeError.none()
    for n, (name, ml) in enumerate(grouped_ml(regions.ml).items()):
        ends: tuple[float | None, float | None] = (None, None)
        if error.spread[n] > 0:
            low, high = factors(error.middle[n], error.spread[n], _biases(model.card, name))
            ends = ml * low, ml * high
        made.append(
            Score(
                f"{name.replace(' ', '_')}_ml",
                ml,
                *ends,
                method="error on heads that were left out" if ends[0] is not None else "",
                unit="ml",
                meaning=f"volume of {name}",
            )
        )
    return tuple(made)


def _biases(card: ModelCard, group: str) -> tuple[float, ...]:
    """By what share of the volume the network is off on average, on each set of the card.

    Of a group whose error is known without its side, it counts to both.
    """
    sides: dict[str, list[float]] = {"volume_bias": [], "volume_error": []}
    for row in card.measured:
        is_ours = row.predictor == "model" and row.group in (f"group:{group}", f"region:{group}")
        if is_ours and row.name in sides and row.value is not None:
            sides[row.name].append(row.value / 100)
    both = [sign * size for size in sides["volume_error"] for sign in (-1, 1)]
    return tuple(share for share in sides["volume_bias"] or both if share > -1)


def _maps(volume: Volume, regions: Regions) -> tuple[ScalarMap, ...]:
    return (
        ScalarMap(
            "regions",
            regions.map,
            volume.geometry,
            "labels",
            range=(0.0, float(CLASSES - 1)),
            title="brain regions",
            labels=tuple(region.title for region in REGIONS),
        ),
        ScalarMap(
            "seen", regions.seen, volume.geometry, "image", "1", (0.0, 1.0), "what the model saw"
        ),
    )


def _warnings(volume: Volume, regions: Regions, age: Score) -> tuple[Note, ...]:
    notes = [*volume.warnings, *notes_on(volume)]
    thickest = max(volume.geometry.spacing_mm)
    if thickest > _THICK_MM:
        notes.append(
            Note("OUTSIDE_TRAINING", f"slices are {thickest:.1f} mm apart; {_LEARNT_FROM}")
        )
    low, high = USUAL_ICV_ML
    if not low <= regions.icv_ml <= high:
        notes.append(
            Note(
                "OUTSIDE_TRAINING",
                f"the head holds {regions.icv_ml:.0f} ml of brain and fluid, adults have "
                f"{low:.0f} to {high:.0f}",
            )
        )
    if age.status == "extrapolating":
        words = "the volumes are unlike those of the people that the age was learnt from; age and "
        words += "interval mean little here"
        beyond = "the age lies outside those that were learnt from"
        notes.append(Note("OUTSIDE_TRAINING", words if UNLIKE in age.meaning else beyond))
    notes += cut_notes(regions.box.mask, is_part=regions.box.is_part)
    notes += lie_notes(regions.box.pose)
    missing = [r.title for r, ml in zip(REGIONS, regions.ml, strict=True) if ml < 0.2]
    if missing:
        notes.append(Note("OUTSIDE_TRAINING", f"regions that were not found: {', '.join(missing)}"))
    return tuple(notes)
