"""How much of the evidence for a result lies where it should: inside the lungs."""

from __future__ import annotations

import numpy as np

from medview.domain.prediction import Prediction

EVIDENCE, LUNGS = "evidence", "lungs"
#: With less of the evidence inside the lungs, most of it is about something else.
LEAST_SHARE = 0.5


def share_in_lungs(prediction: Prediction) -> float | None:
    """Share of the evidence for a severe course that lies in the zones of the lungs, 0 to 1.

    None where one of the two maps is missing, they are on different grids, or nothing speaks for
    a severe course.
    """
    evidence, lungs = prediction.map(EVIDENCE), prediction.map(LUNGS)
    if evidence is None or lungs is None or evidence.array.shape != lungs.array.shape:
        return None
    speaking = np.clip(np.nan_to_num(evidence.array), 0.0, None)
    whole = float(speaking.sum(dtype=np.float64))
    if whole <= 0.0:
        return None
    inside = np.asarray(lungs.array, dtype=np.float32) > 0
    return float(speaking[inside].sum(dtype=np.float64)) / whole
