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

from safetensors.torch import load_file, save_file

from medview.domain.card import Figure, ModelCard
from medview.domain.errors import UsageError
from medview.domain.progress import Progress
from medview.domain.training import FinetuneRequest
from medview.io.atomic import whole_file
from medview.io.cards import CARD, WEIGHTS, write_card
from medview.io.case_names import shown_patient
from medview.io.hashing import file_sha256
from medview.io.plain import plain
from medview.io.seen import with_seen
from medview.learning.calibration import Local, judged, worse
from medview.learning.cases import find_subsets
from medview.learning.evaluate import evaluate
from medview.learning.finetune import compared, joined
from medview.learning.local_cases import LOCAL, SCORES, local_cases, of_local, refuse_few
from medview.learning.patients import patient_hash
from medview.learning.weights import card_beside


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
    job.report(0, 1, "looking at the cases")
    older = card_beside(parent)
    refuse_few(request, older)
    evaluate(job, of_local(request, str(out / LOCAL)))
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


def _own_names(request: FinetuneRequest) -> dict[str, str]:
    """The names of patients by what the tables call them where nobody is named."""
    train = request.train
    if not train.private:
        return {}
    subsets = find_subsets(train.data, request.model)
    people = {case.patient for subset in subsets for case in subset.cases}
    return {shown_patient(name, private=True): name for name in people}


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
