"""Run any model: which function of which module answers for it. Runs in the compute child.

To add a model: write its run in a file of its own and one line in ``RUNNERS``.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import cast

import torch

from medview.domain.errors import OUT_OF_MEMORY, ModelInputError
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.progress import Progress
from medview.domain.volume import Note
from medview.imaging.padding import without_padding
from medview.io.code_version import code_version
from medview.learning.coverage import without_uncounted
from medview.learning.devices import choose_device

Runner = Callable[[Progress, RunRequest], Prediction]

# Model -> "module:function" that takes (job, request) and returns the Prediction.
RUNNERS: dict[str, str] = {
    "icu": "medview.learning.icu_run:run_icu",
    "anomaly": "medview.learning.anomaly_run:run_anomaly",
    "cxr": "medview.learning.cxr_run:run_cxr",
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
    clean = {role: without_padding(volume) for role, volume in request.volumes.items()}
    made = _within_memory(job, work, replace(request, volumes=clean))
    made = without_uncounted(made, request)
    padded = [role for role, volume in request.volumes.items() if clean[role] is not volume]
    steps = tuple(f"{role}: padding replaced by background" for role in padded)
    return replace(made, preparation=(*steps, *made.preparation), code=code_version())


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


def _says_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; torch has no class of its own for a CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in ("can't allocate memory", "CUDA out of memory"))


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
