"""Is a weights file what its card says, and does it fit the network?"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from medview.domain.progress import Progress

# Model -> "module:function" that loads its weights and returns (network, card, ...).
LOADERS: dict[str, str] = {
    "cxr": "medview.learning.cxr_weights:load_cxr",
    "cxr-armed": "medview.learning.cxr_weights:load_armed_cxr",
    "icu": "medview.learning.icu_model:load_icu",
    "icu-armed": "medview.learning.icu_model:load_armed_icu",
    "anomaly": "medview.learning.weights:load_anomaly",
    "brain-age": "medview.learning.brain_age_weights:load_for_check",
    "region-net": "medview.learning.regions:load_for_check",
    "lung-net": "medview.learning.lungs:load_for_check",
    "brain-age-armed": "medview.learning.armed_age_card:load_armed_age",
}


def check(job: Progress, model: str, weights: str) -> dict[str, object]:
    """Verify hash, names, shapes and values of a weights file; return what was counted.

    Raises
    ------
    WeightsError
        Naming the first thing that is wrong.
    """
    job.report(0, 1, "checking the weights")
    module, _, function = LOADERS[model].partition(":")
    load = cast(Callable[[Path], tuple[Any, ...]], getattr(import_module(module), function))
    network, card, *_ = load(Path(weights))
    return {
        "file": Path(weights).name,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "tensors": len(network.state_dict()),
        "values": sum(value.numel() for value in network.state_dict().values()),
        "ok": True,
    }
