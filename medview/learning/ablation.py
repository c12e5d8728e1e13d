"""Train variants of a model on the same folds and seeds, and compare them case by case.

To add a model: write its `Study` in a file of its own and one line in ``ABLATIONS``.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import torch

from medview.domain.ablation import AblateRequest, Scored
from medview.domain.errors import DataError, UsageError
from medview.domain.progress import Progress
from medview.domain.training import CHECKPOINTS
from medview.io.atomic import whole_file
from medview.io.case_names import called, case_hash, set_names, shown_patient
from medview.io.forest import write_forest
from medview.io.plain import plain, record_of
from medview.learning.ablation_figures import DEFAULT, Runs, compared, figures_of
from medview.learning.devices import choose_device

# Model -> "module:function" that takes (job, request) and returns its Study.
ABLATIONS: dict[str, str] = {
    "brain-age": "medview.learning.brain_age_ablation:study",
    "anomaly": "medview.learning.anomaly_ablation:AnomalyStudy",
    "icu": "medview.learning.icu_ablation:study",
    "cxr": "medview.learning.cxr_study:CxrStudy",
}


class Study(Protocol):
    """What a model has to say and do to be compared with its own variants."""

    def variants(self) -> tuple[str, ...]:
        """Names of all variants, "default" first."""

    def folds(self, seed: int) -> tuple[str, ...]:
        """Names of the folds, the same for all variants."""

    def run(
        self, job: Progress, variant: str, settings: Mapping[str, Any], seed: int, fold: str
    ) -> tuple[Scored, ...]:
        """Train one variant without one fold and score that fold's cases.

        `settings` are those of a sweep ({} for a named variant; `variant` is then "default").
        """


@dataclass(frozen=True, slots=True)
class Run:
    """One training: a variant by the name it is listed under, a seed and a fold."""

    name: str
    variant: str
    settings: Mapping[str, Any]
    seed: int
    fold: str

    @property
    def file(self) -> str:
        """Name of the file that keeps what it found."""
        words = f"{self.name}-{self.seed}-{self.fold}"
        return (
            "".join(sign if sign.isalnum() or sign in "-=._" else "_" for sign in words) + ".json"
        )


def ablate(job: Progress, request: AblateRequest) -> dict[str, Any]:
    """Run all variants, or go on with them, and write ablation.csv, .json and .svg.

    Returns
    -------
    dict
        The body of ``medview.ablation/1``, without its schema.

    Raises
    ------
    UsageError
        A model without variants, or an unknown variant.
    DataError
        Unusable data, or finished runs of another request in the folder.
    """
    began = time.perf_counter()
    choose_device(request.device)
    if request.threads:
        torch.set_num_threads(request.threads)
    study = study_of(job, request)
    planned = list(_planned(study, request))
    out = Path(request.out)
    kept = out / CHECKPOINTS
    _same_request(kept, request)
    done: Runs = {}
    for number, run in enumerate(planned):
        found = _read(kept / run.file)
        if found is None:
            late = request.max_minutes and time.perf_counter() - began > 60 * request.max_minutes
            if late and done:
                continue
            job.check()
            words = f"{run.name}, seed {run.seed}, fold {run.fold}"
            job.report(number, len(planned), f"run {number + 1} / {len(planned)}: {words}")
            found = study.run(job, run.variant, run.settings, run.seed, run.fold)
            found = tuple(map(_unnamed(request), found)) if request.private else found
            _write(kept / run.file, found)
        done[run.name, run.seed, run.fold] = found
    lines = figures_of(done)
    body = {
        "model": request.model,
        "finished": len(done) == len(planned),
        "runs_done": len(done),
        "runs_planned": len(planned),
        "folds": request.leave_out or request.folds,
        "seconds": round(time.perf_counter() - began, 1),
        "against": request.against,
        "rows": compared(done, request.against),
    }
    _write_tables(out, lines, body)
    return cast(dict[str, Any], plain(body))


def study_of(job: Progress, request: AblateRequest) -> Study:
    """The study of a model.

    Raises
    ------
    UsageError
        If it has none.
    """
    if request.model not in ABLATIONS:
        raise UsageError(
            f"there are no variants of a model called {request.model}",
            do=f"Choose one of: {', '.join(ABLATIONS)}.",
        )
    module, _, function = ABLATIONS[request.model].partition(":")
    make = cast(
        Callable[[Progress, AblateRequest], Study], getattr(import_module(module), function)
    )
    return make(job, request)


def _planned(study: Study, request: AblateRequest) -> Iterator[Run]:
    """All runs; the variants of one seed and fold stand together.

    So a comparison that is stopped early has the same folds of all variants.
    """
    known = study.variants()
    odd = next((one for one in (request.against, *request.variants) if one not in known), None)
    if odd is not None:
        raise UsageError(
            f"{request.model} has no variant {odd}", do=f"Choose from: {', '.join(known)}."
        )
    # A sweep asks for its values; all named variants beside it must be asked for.
    named = request.variants or ((DEFAULT,) if request.sweeps else known)
    names = tuple(dict.fromkeys((request.against, *named)))
    listed = [(name, name, dict[str, Any]()) for name in names]
    for key, values in request.sweeps.items():
        listed += [(f"{key}={value}", DEFAULT, {key: value}) for value in values]
    for seed in range(request.seed, request.seed + request.seeds):
        for fold in study.folds(seed):
            for name, variant, settings in listed:
                yield Run(name, variant, settings, seed, fold)


def _same_request(folder: Path, request: AblateRequest) -> None:
    """Refuse to mix the runs of two requests; variants, seeds and minutes may differ."""
    own = plain(
        replace(request, out="", variants=(), sweeps={}, seeds=1, max_minutes=None, threads=None)
    )
    del own["against"], own["private"]  # neither says what is trained
    if request.private:
        own["data"] = [case_hash(one) for one in request.data]
    text = json.dumps(own, sort_keys=True)
    path = folder / "request.json"
    if path.is_file() and path.read_text("utf-8") != text:
        raise DataError(
            "the finished runs there belong to other data, settings or folds",
            file=folder.parent.name,
            do="Give the same ones, or another --out.",
            code="MV-DAT-022",
        )
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as draft:
        draft.write_text(text, "utf-8")


def _unnamed(request: AblateRequest) -> Callable[[Scored], Scored]:
    """What a run found, with hashes for cases and patients and other names for sets."""
    sets = set_names(request.data)
    return lambda found: replace(
        found,
        cases=tuple(case_hash(one) for one in found.cases),
        patients=tuple(shown_patient(one, private=True) for one in found.patients),
        subset=called(found.subset, sets),
    )


def _write(path: Path, found: tuple[Scored, ...]) -> None:
    with whole_file(path) as draft:
        draft.write_text(json.dumps([plain(one) for one in found]), "utf-8")


def _read(path: Path) -> tuple[Scored, ...] | None:
    """What a finished run found; None where it has not been made."""
    if not path.is_file():
        return None
    try:
        return tuple(record_of(Scored, item) for item in json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise DataError(
            "a finished run cannot be read", file=path.name, do="Remove that file and go on."
        ) from error


def _write_tables(out: Path, lines: list[dict[str, Any]], body: Mapping[str, Any]) -> None:
    columns = ("variant", "seed", "fold", "subset", "task", "level", "name", "value")
    with whole_file(out / "ablation.csv") as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(plain(line) for line in lines)
    text = json.dumps(plain({"schema": "medview.ablation/1", **body}), indent=1)
    with whole_file(out / "ablation.json") as draft:
        draft.write_text(text + "\n", "utf-8")
    done = f"{body['runs_done']} of {body['runs_planned']} runs."
    note = f"Dot and line: difference with its 95 % interval, a paired bootstrap. {done}"
    write_forest(body["rows"], body["against"], note, out / "ablation.svg")
