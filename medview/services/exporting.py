"""A result and the very images it was made from, for what leaves as DICOM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from medview.domain.card import ModelCard
from medview.domain.errors import InputRefused
from medview.domain.prediction import Prediction
from medview.domain.study import Catalogue, Series
from medview.io.results import StoredResult
from medview.services.models import find_card
from medview.services.report_source import find_input

READ = "medview.io.results:read_result"
SCAN = "medview.io.readers:scan"


def dicom_source(
    call: Callable[..., Any], result: Path, *study: Path
) -> tuple[Prediction, ModelCard, Series]:
    """The stored result, the card of its model, and the series it is about.

    Raises
    ------
    ReadError
        If the folder holds no result.
    InputRefused
        If the result is about no image, or the study does not hold the very pixels.
    """
    stored = cast(StoredResult, call("files", READ, result))
    card = stored.card or find_card(stored.prediction.model)
    about = next((item for item in stored.prediction.inputs if item.study), None)
    if about is None:
        raise InputRefused(
            "the result is about no image",
            file=result.name,
            do="Export its report as PDF instead.",
            code="MV-DCM-013",
        )
    catalogue = cast(Catalogue, call("files", SCAN, study))
    series, _, digest = find_input(call, catalogue, about)
    if series is None or digest != about.sha256:
        raise InputRefused(
            "does not hold the images that the result was made from, or they have changed",
            file=study[0].name,
            do="Choose the study that was analysed.",
            code="MV-DCM-014",
        )
    return stored.prediction, card, series
