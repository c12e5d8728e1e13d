"""Is a weights file what its card says, and does it fit the network?"""

from __future__ import annotations

from pathlib import Path

from medview.domain.progress import Progress
from medview.learning.weights import load_anomaly


def check(job: Progress, model: str, weights: str) -> dict[str, object]:
    """Verify hash, names, shapes and values of a weights file; return what was counted.

    Raises
    ------
    WeightsError
        Naming the first thing that is wrong.
    """
    job.report(0, 1, "checking the weights")
    network, card, _ = _LOADERS[model](Path(weights))
    return {
        "file": Path(weights).name,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "tensors": len(network.state_dict()),
        "values": sum(value.numel() for value in network.state_dict().values()),
        "ok": True,
    }


_LOADERS = {"anomaly": load_anomaly}
