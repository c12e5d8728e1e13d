"""Does a report still hold: is it unchanged, and does the model still say the same?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from medview.domain.errors import MedviewError, WeightsError
from medview.domain.prediction import Precision, Prediction, RunRequest, Score
from medview.domain.study import Catalogue
from medview.domain.volume import Volume
from medview.io.cards import CARD, read_card
from medview.io.pdf import PrintedReport
from medview.io.resultjson import prediction_of
from medview.services.analysis import PREDICT
from medview.services.inputs import TABLES
from medview.services.library import SCAN
from medview.services.report_source import READ_REPORT, Call, find_input, find_table
from medview.services.versions import versions

# Another number of threads or another processor changes the last digits, not the answer.
_SAME = 1e-4
_SAME_ON_OTHER_DEVICE = 1e-2

Difference = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a report. `rerun` is True when every model in it was run again."""

    report_id: str
    hash_ok: bool
    rerun: bool
    differences: tuple[Difference, ...] = ()

    @property
    def holds(self) -> bool:
        """True when nothing was changed and nothing comes out differently."""
        return self.hash_ok and not self.differences


@dataclass(frozen=True, slots=True)
class Again:
    """How to run a model again.

    Without `weights` each result is made again with the version, shipped or the user's own, that
    has the weights it was made with, and with the shipped one where that is not here any more.
    """

    device: str = "auto"
    threads: int | None = None
    weights: str | None = None


def verify(call: Call, report: Path, study: Path | None = None, again: Again = Again()) -> Verdict:
    """Check a report against its own hashes and, given the study, against the model.

    Raises
    ------
    ReadError
        If the file is no report, or the study cannot be read.
    """
    printed = cast(PrintedReport, call("files", READ_REPORT, report))
    report_id = str(printed.manifest.get("report_id", ""))
    results = printed.manifest.get("results", [])
    if study is None or not printed.intact or not results:
        return Verdict(report_id, printed.intact, rerun=False)
    said = [prediction_of(_plain(each["result"])) for each in results]
    images = any(wanted.role not in TABLES for each in said for wanted in each.inputs)
    catalogue = cast(Catalogue, call("files", SCAN, (study,))) if images else None
    differences: list[Difference] = []
    rerun = True
    for each in said:
        inputs, lost = _inputs_again(call, catalogue, study, each)
        found, ran = (lost, False) if lost else _compare(call, each, inputs, again)
        differences += found
        rerun = rerun and ran
    return Verdict(report_id, printed.intact, rerun, tuple(differences))


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a manifest; private reports leave the UIDs out."""
    inputs = [
        {**item, "study": item["study"] or "", "series": item["series"] or ""}
        for item in body["inputs"]
    ]
    return {**body, "inputs": inputs}


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """The very inputs that a result was made from, by role."""

    volumes: dict[str, Volume]
    tables: dict[str, str]


def _inputs_again(
    call: Call, catalogue: Catalogue | None, study: Path, printed: Prediction
) -> tuple[_Inputs, list[Difference]]:
    """Find what the model was given: images by their pixels, tables by their bytes."""
    found = _Inputs({}, {})
    lost: list[Difference] = []
    for wanted in printed.inputs:
        digest = ""
        if wanted.role in TABLES:
            table = find_table(study, wanted.sha256)
            if table is not None:
                found.tables[wanted.role] = str(table)
                continue
        elif catalogue is not None:
            _, volume, digest = find_input(call, catalogue, wanted)
            if volume is not None and digest == wanted.sha256:
                found.volumes[wanted.role] = volume
                continue
        lost.append({"input": wanted.role, "printed": wanted.sha256, "now": digest or None})
    return found, lost


def _compare(
    call: Call, printed: Prediction, inputs: _Inputs, again: Again
) -> tuple[list[Difference], bool]:
    """Run one model again; the differences, and whether it could be run."""
    differences: list[Difference] = []
    try:
        now = cast(Prediction, call("compute", PREDICT, _request(printed, inputs, again)))
    except WeightsError as error:
        lost = {"weights": printed.weights_sha256, "printed": printed.weights_sha256, "now": None}
        return [{**lost, "what": str(error)}], False
    if now.weights_sha256 != printed.weights_sha256:
        differences.append(
            {
                "weights": printed.model,
                "printed": printed.weights_sha256,
                "now": now.weights_sha256,
            }
        )
    changed = _score_differences(printed, now)
    if changed and now.code != printed.code:
        # Other code is no fault by itself; where numbers differ it is what to look at first.
        changed.append({"code": printed.model, "printed": printed.code, "now": now.code})
    return differences + changed, True


def _request(printed: Prediction, inputs: _Inputs, again: Again) -> RunRequest:
    given = printed.parameters
    samples = given.get("samples")
    return RunRequest(
        model=printed.model,
        volumes=inputs.volumes,
        tables=inputs.tables,
        inputs=printed.inputs,
        samples=samples if isinstance(samples, int) else None,
        alpha=_number(given.get("alpha")),
        device=again.device,
        threads=again.threads,
        seed=printed.seed,
        precision=cast(Precision, printed.dtype),
        weights=_weights_for(printed, again),
        age_years=_number(given.get("age_years")),
        sex=_word(given.get("sex")),
        site=_word(given.get("site")),
        film_hour=_number(given.get("film_hour")),
    )


def _weights_for(printed: Prediction, again: Again) -> str | None:
    """The weights file to use; None for the shipped ones of the model.

    Of several results a file that was named is for those of its own model.
    """
    if again.weights is not None and _is_of(Path(again.weights), printed.model):
        return again.weights
    same = (
        each
        for each in versions(printed.model)
        if each.card.weights_sha256 == printed.weights_sha256
    )
    found = next(same, None)
    return str(found.chosen) if found is not None and found.chosen is not None else None


def _is_of(weights: Path, model: str) -> bool:
    """Whether a weights file is of that model; one whose card cannot be read is taken as such."""
    try:
        return read_card(weights.with_name(CARD)).id == model
    except MedviewError:
        return True


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _score_differences(printed: Prediction, now: Prediction) -> list[Difference]:
    same_device = printed.device.split(":")[0] == now.device.split(":")[0]
    tolerance = _SAME if same_device else _SAME_ON_OTHER_DEVICE
    found = []
    for score in printed.scores:
        other = now.score(score.name)
        if other is None or not _agree(score, other, tolerance):
            value = other.value if other else None
            found.append({"score": score.name, "printed": score.value, "now": value})
    return found


def _agree(one: Score, other: Score, tolerance: float) -> bool:
    pairs = ((one.value, other.value), (one.low, other.low), (one.high, other.high))
    return all(
        a is b or (a is not None and b is not None and _close(a, b, tolerance)) for a, b in pairs
    )


def _close(one: float, other: float, tolerance: float) -> bool:
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-6)
