"""A version that says the same with other confidence: fitted on local cases, nothing trained.

The weights stay as they are, but the file also holds what was fitted, so that it has a hash of
its own and one file tells all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors.torch import load_file, save_file

from medview.domain.card import Figure, ModelCard
from medview.domain.errors import DataError, UsageError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.progress import Progress
from medview.domain.training import FinetuneRequest
from medview.io.atomic import whole_file
from medview.io.cards import write_card
from medview.io.case_names import shown_patient
from medview.io.hashing import file_sha256
from medview.io.plain import plain
from medview.io.seen import with_seen
from medview.io.tables import read_table
from medview.learning.calibration import FEWEST, Local, judged, worse
from medview.learning.cases import find_subsets
from medview.learning.evaluate import evaluate
from medview.learning.finetune import compared, joined
from medview.learning.patients import patient_hash
from medview.learning.weights import CARD, WEIGHTS, card_beside

AGE = "age"
LOCAL = Path("comparison") / "local"
"""Below the folder of a calibration: what its parent says of the local cases."""
SCORES: dict[str, tuple[str, ...]] = {
    "cxr": ("severe",),
    "icu": ("mortality", "icu_admission"),
    "brain-age": (AGE,),
}
"""What can be calibrated, by model; each needs a way into the card in ``_settings``."""


def recalibrate(job: Progress, request: FinetuneRequest) -> dict[str, Any]:
    """Fit temperatures or intervals on the cases that the version has not seen.

    Writes weights.safetensors, card.json and before_after.json.

    Returns
    -------
    dict
        ``calibrated`` (score, what was fitted, value, n), ``before_after`` and
        ``weights_sha256``; ``epochs`` is 0.

    Raises
    ------
    UsageError
        If nothing of this model can be calibrated.
    DataError
        Fewer than 30 patients with a label.
    """
    began = time.perf_counter()
    if request.model not in SCORES:
        raise UsageError(
            f"{request.model} has no probability or age that could be calibrated",
            do=f"Choose one of: {', '.join(SCORES)}.",
        )
    out, parent = Path(request.train.out), Path(cast(str, request.train.init))
    _ask(job, request, out)
    cases = local_cases(request.model, out)
    fitted, rows, differences = [], [], []
    for one in cases:
        job.check()
        value, figures, apart = judged(one)
        what = "half widths" if one.is_age else "temperature"
        fitted.append({"score": one.score, "what": what, "value": value, "n": len(one.truth)})
        rows += figures
        differences += apart
    found: dict[str, Any] = {"metrics": rows, "differences": differences}
    found["worse"] = worse(differences)
    older = card_beside(parent)
    card = _store(parent, older, fitted, rows, cases, _own_names(request), out)
    if request.reference:
        found = joined(found, compared(job, request, "reference", request.reference))
    with whole_file(out / "before_after.json") as draft:
        text = json.dumps(plain({"schema": "medview.before_after/1", **found}), indent=1)
        draft.write_text(text + "\n", "utf-8")
    return {
        "epochs": 0,
        "held_out": 0,
        "calibrated": plain(fitted),
        "n": {"local": sum(one.people for one in cases)},
        "seconds": round(time.perf_counter() - began, 1),
        "weights_sha256": card.weights_sha256,
        "before_after": plain(found),
    }


def _ask(job: Progress, request: FinetuneRequest, out: Path) -> None:
    """Write what the version says of local cases whose patients it was not trained on."""
    train = request.train
    evaluate(
        job,
        EvaluateRequest(
            request.model,
            train.data,
            str(out / LOCAL),
            weights=train.init,
            split="all",
            device=train.device,
            threads=train.threads,
            seed=train.seed,
            private=train.private,
        ),
    )


def _own_names(request: FinetuneRequest) -> dict[str, str]:
    """The names of patients by what the tables call them where nobody is named."""
    train = request.train
    if not train.private:
        return {}
    subsets = find_subsets(train.data, request.model)
    people = {case.patient for subset in subsets for case in subset.cases}
    return {shown_patient(name, private=True): name for name in people}


def local_cases(model: str, out: Path) -> list[Local]:
    """What the version says of local cases, by score.

    Raises
    ------
    DataError
        If of no score there are enough patients with both outcomes.
    """
    rows = read_table(out / LOCAL / "predictions.csv").by_name()
    found = [_local(score, rows) for score in SCORES[model]]
    enough = [one for one in found if one.tells]
    if not enough:
        most = max(one.people for one in found)
        raise DataError(
            f"not enough local cases: {most} patients with a label that the version has not "
            f"seen, {FEWEST} are needed"
            if most < FEWEST
            else "all local cases have the same outcome",
            code="MV-DAT-145",
            do="Add labelled cases.",
        )
    return enough


def _local(score: str, rows: list[dict[str, str]]) -> Local:
    known = [row for row in rows if row.get(f"true_{score}") and row.get(score)]
    if score == AGE:
        known = [row for row in known if row.get("age_low") and row.get("age_high")]

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([float(row[name]) for row in known], dtype=np.float64)

    half = (column("age_high") - column("age_low")) / 2 if score == AGE else None
    names = tuple(row.get("patient") or row["case"] for row in known)
    sites = tuple(row.get("site") or "" for row in known)
    return Local(score, column(f"true_{score}"), column(score), names, half, sites)


def _store(
    parent: Path,
    older: ModelCard,
    fitted: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    cases: list[Local],
    own: Mapping[str, str],
    out: Path,
) -> ModelCard:
    """Weights with what was fitted, and the card: parent, settings, figures, who was used.

    `own` are the names of patients by what a table calls them.
    """
    settings = dict(older.settings)
    for one in fitted:
        settings = _settings(settings, one)
    settings["calibrated"] = plain(fitted)
    with whole_file(out / WEIGHTS) as draft:
        save_file(load_file(parent), draft, metadata={"calibrated": json.dumps(plain(fitted))})
    used = {patient_hash(own.get(name, name)) for one in cases for name in one.patients}
    figures = tuple(
        Figure(
            name=row["name"],
            value=row["value"],
            on="local cases",
            n=row["n"],
            predictor=row["predictor"],
            level="case",
            group="cross-fitted",
            command="medview finetune MODEL --method calibrate --data DATA --out DIR",
        )
        for row in rows
    )
    card = replace(
        with_seen(older, used),
        parent=older.weights_sha256,
        weights_sha256=file_sha256(out / WEIGHTS),
        settings=settings,
        measured=(*older.measured, *figures),
    )
    write_card(card, out / CARD)
    return card


def _settings(settings: Mapping[str, object], one: Mapping[str, Any]) -> dict[str, object]:
    """The card's settings with one thing that was fitted, on top of what stood there."""
    if one["what"] == "half widths":
        widths = cast(Mapping[str, float], settings["half_width"])
        return {**settings, "half_width": {k: v * one["value"] for k, v in widths.items()}}
    if one["score"] == "severe":
        before = float(str(settings.get("temperature", 1.0)))
        return {**settings, "temperature": before * one["value"]}
    parts = []
    for part in cast(list[dict[str, Any]], settings["parts"]):
        own = one["score"] in part["outputs"]
        factor = one["value"] if own else 1.0
        parts.append({**part, "temperature": part.get("temperature", 1.0) * factor})
    return {**settings, "parts": parts}
