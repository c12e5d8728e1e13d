"""Does a report still hold: is it unchanged, and does the model still say the same?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from medview.domain.errors import WeightsError
from medview.domain.prediction import Precision, Prediction, RunRequest, Score
from medview.domain.study import Catalogue
from medview.domain.volume import Volume
from medview.io.pdf import PrintedReport
from medview.io.resultjson import prediction_of
from medview.services.analysis import PREDICT
from medview.services.library import SCAN
from medview.services.report_source import Call, find_input

READ_REPORT = "medview.io.pdf:read_report"
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
    """How to run a model again; `weights` None takes the shipped ones."""

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
    catalogue = cast(Catalogue, call("files", SCAN, (study,)))
    differences: list[Difference] = []
    rerun = True
    for each in results:
        found, ran = _compare(call, catalogue, prediction_of(_plain(each["result"])), again)
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


def _compare(
    call: Call, catalogue: Catalogue, printed: Prediction, again: Again
) -> tuple[list[Difference], bool]:
    """Run one model again; the differences, and whether it could be run."""
    volumes: dict[str, Volume] = {}
    differences: list[Difference] = []
    for wanted in printed.inputs:
        _, volume, digest = find_input(call, catalogue, wanted)
        if volume is None or digest != wanted.sha256:
            differences.append(
                {"input": wanted.role, "printed": wanted.sha256, "now": digest or None}
            )
        else:
            volumes[wanted.role] = volume
    if differences:
        return differences, False
    try:
        now = cast(Prediction, call("compute", PREDICT, _request(printed, volumes, again)))
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
    return differences + _score_differences(printed, now), True


def _request(printed: Prediction, volumes: dict[str, Volume], again: Again) -> RunRequest:
    samples, alpha = printed.parameters.get("samples"), printed.parameters.get("alpha")
    age = printed.parameters.get("age_years")
    return RunRequest(
        model=printed.model,
        volumes=volumes,
        inputs=printed.inputs,
        samples=samples if isinstance(samples, int) else None,
        alpha=float(alpha) if isinstance(alpha, int | float) else None,
        device=again.device,
        threads=again.threads,
        seed=printed.seed,
        precision=cast(Precision, printed.dtype),
        weights=again.weights,
        age_years=float(age) if isinstance(age, int | float) else None,
    )


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
