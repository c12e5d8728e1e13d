"""The labelled cases of a site that a version is calibrated on, and whether there are enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from medview.domain.card import ModelCard
from medview.domain.errors import DataError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.training import FinetuneRequest
from medview.domain.wording import counted
from medview.io.tables import read_table
from medview.learning.calibration import FEWEST, FEWEST_OF_EACH, Local
from medview.learning.cases import find_subsets
from medview.learning.metrics_file import PREDICTIONS
from medview.learning.subset import TrainCase
from medview.learning.unseen import unseen

AGE = "age"
_OUTCOMES = {"severe": "prognosis"}
"""What a score is called among the cells of a case, where it has another name there."""
LOCAL = Path("comparison") / "local"
"""Below the folder of a calibration: what its parent says of the local cases."""
SCORES: dict[str, tuple[str, ...]] = {
    "cxr": ("severe",),
    "icu": ("mortality", "icu_admission"),
    "brain-age": (AGE,),
}
"""What can be calibrated, by model; each needs a way into the card (``recalibrate``)."""


def of_local(request: FinetuneRequest, out: str) -> EvaluateRequest:
    """All local cases, whatever part they are marked for."""
    train = request.train
    return EvaluateRequest(
        request.model,
        train.data,
        out,
        weights=train.init,
        split="all",
        device=train.device,
        threads=train.threads,
        seed=train.seed,
        private=train.private,
    )


def refuse_few(request: FinetuneRequest, card: ModelCard) -> None:
    """Refuse, before the version is asked anything, where too few labelled patients are there.

    Raises
    ------
    DataError
        If of no score 30 patients that the version has not seen have a label; unusable data.
    """
    wanted = of_local(request, "")
    parts = (unseen(subset, card, wanted) for subset in find_subsets(wanted.data, request.model))
    cases = [case for part in parts for case in part.cases]
    people = ({c.patient for c in cases if _is_labelled(c, one)} for one in SCORES[request.model])
    most = max(map(len, people))
    if most < FEWEST:
        raise _too_few(most)


def local_cases(model: str, out: Path) -> list[Local]:
    """What the version says of local cases, by score.

    Raises
    ------
    DataError
        If of no score there are enough patients with both outcomes.
    """
    rows = read_table(out / LOCAL / PREDICTIONS).by_name()
    found = [_local(score, rows) for score in SCORES[model]]
    enough = [one for one in found if one.tells]
    if not enough:
        most = max(one.people for one in found)
        if most < FEWEST:
            raise _too_few(most)
        raise _too_alike(max(one.rarer for one in found if one.people >= FEWEST))
    return enough


def _local(score: str, rows: list[dict[str, str]]) -> Local:
    known = [row for row in rows if row.get(f"true_{score}") and row.get(score)]
    if score == AGE:  # of T1 volumes other weights tell it, which are not calibrated
        known = [r for r in known if r.get("age_low") and r.get("age_high") and not r.get("route")]

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([float(row[name]) for row in known], dtype=np.float64)

    half = (column("age_high") - column("age_low")) / 2 if score == AGE else None
    names = tuple(row.get("patient") or row["case"] for row in known)
    sites = tuple(row.get("site") or "" for row in known)
    return Local(score, column(f"true_{score}"), column(score), names, half, sites)


def _is_labelled(case: TrainCase, score: str) -> bool:
    if score == AGE:
        return case.age_years is not None
    return bool(case.cells.get(_OUTCOMES.get(score, score)))


def _too_alike(rarer: int) -> DataError:
    what = (
        f"only {counted(rarer, 'patient')} of the local cases with the rarer outcome, "
        f"{FEWEST_OF_EACH} are needed"
    )
    return DataError(
        what if rarer else "all local cases have the same outcome",
        code="MV-DAT-145",
        do="Add labelled cases.",
    )


def _too_few(people: int) -> DataError:
    told = counted(people, "patient")
    return DataError(
        f"not enough local cases: {told} with a label that the version has not seen, {FEWEST} are "
        "needed",
        code="MV-DAT-145",
        do="Add labelled cases.",
    )
