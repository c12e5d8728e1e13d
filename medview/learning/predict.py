"""Run any model: which function of which module answers for it. Runs in the compute child.

To add a model: write its run in a file of its own and one line in ``RUNNERS``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import cast

import numpy as np
import torch

from medview.domain.errors import OUT_OF_MEMORY, ModelInputError
from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction, RunRequest, with_doubts
from medview.domain.progress import Progress
from medview.domain.volume import Note, Volume
from medview.imaging.gaps import without_gaps
from medview.imaging.padding import without_padding
from medview.io.code_version import code_version
from medview.learning.coverage import without_uncounted
from medview.learning.devices import choose_device
from medview.learning.told_by_table import with_person

# Share of missing slices from which a result rests too much on what was made up for them.
_MUCH_MISSING = 0.05

Runner = Callable[[Progress, RunRequest], Prediction]

# Model -> "module:function" that takes (job, request) and returns the Prediction.
RUNNERS: dict[str, str] = {
    "icu": "medview.learning.icu_run:run_icu",
    "icu-armed": "medview.learning.icu_run:run_icu",
    "anomaly": "medview.learning.anomaly_run:run_anomaly",
    "cxr": "medview.learning.cxr_run:run_cxr",
    "cxr-armed": "medview.learning.cxr_run:run_cxr",
    "brain-age": "medview.learning.brain_age_routes:run",
    "brain-age-armed": "medview.learning.armed_age_run:run_armed_age",
}


def run(job: Progress, request: RunRequest) -> Prediction:
    """Run a model on one study; the result says which code it was made with.

    Raises
    ------
    ModelInputError
        No model of that name, no such GPU, or the input does not fit it.
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
    choose_device(request.device)
    if request.threads:
        torch.set_num_threads(request.threads)
    module, _, function = RUNNERS[request.model].partition(":")
    work = cast(Runner, getattr(import_module(module), function))
    request, own = with_person(request)
    clean = {role: without_padding(volume) for role, volume in request.volumes.items()}
    whole = {role: without_gaps(volume) for role, volume in clean.items()}
    made = _within_memory(job, work, replace(request, volumes=whole))
    made = without_uncounted(_blank_where_missing(made, whole), request)
    padded = [role for role, volume in request.volumes.items() if clean[role] is not volume]
    bridged = [role for role, volume in clean.items() if whole[role] is not volume]
    steps = (
        *(
            f"{name.replace('_', ' in ')} as the feature table says"
            for name in own
            if name in made.parameters
        ),
        *(f"{role}: padding replaced by background" for role in padded),
        *(f"{role}: missing slices made of their neighbours" for role in bridged),
    )
    return replace(
        made,
        preparation=(*steps, *made.preparation),
        warnings=(*made.warnings, *request.notes),
        scores=with_doubts(made.scores, request.notes),
        code=code_version(),
    )


def _blank_where_missing(made: Prediction, volumes: Mapping[str, Volume]) -> Prediction:
    """Say nothing in maps and slices where no image was; scores are in doubt where much is gone."""
    used = [volumes[one.role] for one in made.inputs if one.role in volumes]
    gaps = [volume for volume in used if volume.missing_slices]
    if not gaps:
        return made
    # Figures of slices are those of axial ones, which others than missing ones may be.
    first = set(used[0].missing_slices) if _is_axial(used[0].geometry) else set()
    notes, scores = made.warnings, made.scores
    most = max(gaps, key=lambda volume: len(volume.missing_slices))
    gone, count = len(most.missing_slices), most.geometry.shape[0]
    if gone > _MUCH_MISSING * count:
        text = f"{gone} of {count} slices are missing, and the model was given their neighbours"
        notes = (*notes, Note("OUTSIDE_TRAINING", text))
        scores = with_doubts(scores, notes)
    return replace(
        made,
        maps=tuple(_blanked(each, gaps) for each in made.maps),
        slices=tuple(one for one in made.slices if one.slice not in first),
        slice_passes=tuple(one for one in made.slice_passes if one.slice not in first),
        warnings=notes,
        scores=scores,
    )


def _is_axial(geometry: Geometry) -> bool:
    """Whether index k goes up the body more than the others do."""
    corner = geometry.to_mm((0, 0, 0))
    steps = [geometry.to_mm(tuple(row)) - corner for row in np.eye(3)]
    return int(np.argmax([abs(step[2]) for step in steps])) == 0


def _blanked(shown: ScalarMap, gaps: Sequence[Volume]) -> ScalarMap:
    for volume in gaps:
        if shown.geometry is volume.geometry:
            array = np.array(shown.array)
            array[list(volume.missing_slices)] = 0
            return replace(shown, array=array)
    return shown


def _within_memory(job: Progress, work: Runner, request: RunRequest) -> Prediction:
    """Run; where the device has too little memory, with smaller batches, then on the CPU.

    The result names the mode it was made in. Nothing of a failed attempt is in it.

    Raises
    ------
    ModelInputError
        If the memory is too small even so.
    """
    on_cpu = _is_cpu(request.device)
    for mode, words, changes in _STEPS:
        if on_cpu and "device" in changes:
            continue
        made: Prediction | None = None
        try:
            if words:
                job.report(0, 1, f"memory ran out: {words}")
            made = work(job, replace(request, **changes))  # type: ignore[arg-type]  # fields of it
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not _says_memory(error):
                raise
        # Outside of the handler: what it holds on to of the failed attempt must be gone.
        if made is None:
            _free()
            continue
        if not mode:
            return replace(made, mode=_STEPS[1][0]) if request.batch == 1 else made
        note = Note("STEPPED_DOWN", f"the memory of the device ran out; made with {words}")
        return replace(made, mode=mode, warnings=(*made.warnings, note))
    raise ModelInputError(
        "the memory of this machine is too small for this input",
        do="Close other programs, or choose a smaller series.",
        code=OUT_OF_MEMORY,
    )


def _is_cpu(device: str) -> bool:
    return device == "cpu" or (device == "auto" and not torch.cuda.is_available())


_MEMORY_WORDS = ("can't allocate memory", "cannot allocate memory", "cuda out of memory")
"""Of torch's allocator, of the system where a file of weights is mapped, and of CUDA."""


def _says_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; torch has no class of its own for a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = str(error).casefold()
    return any(words in said for words in _MEMORY_WORDS)


# Mode in the result, in words, and what of the request is changed for it.
_STEPS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("", "", {}),
    ("one slice at a time", "one slice at a time", {"batch": 1}),
    ("CPU after the GPU's memory ran out", "the CPU", {"batch": 1, "device": "cpu"}),
)


def _free() -> None:
    """Give back what the failed attempt had taken, before the next one."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
