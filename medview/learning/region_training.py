"""Train the region network and the age model on its regions: folds, refit, figures, card.

One command makes everything that ships: networks without some patients each for the figures,
one on all for the program, and the regression from a table of the same regions. Labelled sets
that are not learnt from are measured with the last network.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.training import TrainRequest
from medview.io.atomic import whole_file
from medview.learning.cases import find_subsets
from medview.learning.devices import choose_device
from medview.learning.metrics import MetricRow
from medview.learning.region_age import AgeModel, fit_age
from medview.learning.region_card import Trained, make_card
from medview.learning.region_cases import LabelledHead, load_head
from medview.learning.region_measure import (
    Measured,
    Table,
    age_rows,
    effect_row,
    error_of,
    head_ages,
    measure,
    region_rows,
    table_ages,
)
from medview.learning.region_sets import MODEL, ROLE
from medview.learning.region_trainer import RegionRecipe, RegionTrainer
from medview.learning.subset import Subset
from medview.learning.weights import save
from medview.models.region_net import RegionNet


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What all trainings of one command share."""

    job: Progress
    recipe: RegionRecipe
    request: TrainRequest
    out: Path
    deadline: float


def fit(job: Progress, request: TrainRequest) -> dict[str, Any]:
    """Train, measure, fit the age model, write weights and card.

    Returns
    -------
    dict
        The body of ``medview.train/1``.

    Raises
    ------
    DataError
        Unusable data or recipe, or nothing to learn from.
    """
    began = time.perf_counter()
    if request.threads:
        torch.set_num_threads(request.threads)
    request = replace(request, device=choose_device(request.device))
    recipe = RegionRecipe.of(dict(request.recipe))
    subsets = find_subsets(request.data, MODEL)
    heads = load_heads(job, subsets)
    learnt = [head for head in heads if head.case.subset in recipe.sets.split(",")]
    if not learnt:
        raise DataError(
            f"there is no set called {recipe.sets} with region labels",
            do="Name the sets to learn from with --set sets=NAME.",
            code="MV-DAT-030",
        )
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    _write_splits(out / "splits.csv", learnt, heads)
    minutes = request.max_minutes
    run = _Run(job, recipe, request, out, began + 60 * minutes if minutes else float("inf"))
    left_out = _cross_validated(run, learnt)
    trainer = _trained(run, learnt, out, "all heads")
    network = stored(trainer.model)
    others = [measure(network, head) for head in heads if head not in learnt]
    table = table_of(subsets)
    rows = figures(left_out, others, table)
    age = _age_model(table, left_out)
    card = make_card(Trained(subsets, learnt, table, recipe, trainer.options), age, rows)
    kept = save(network, card, out)
    return {
        "epochs": trainer.epoch,
        "best_epoch": trainer.epoch,
        "stopped": trainer.stopped,
        "n": {"train": len({head.case.patient for head in learnt}), "val": 0},
        "seconds": round(time.perf_counter() - began, 1),
        "weights_sha256": kept.weights_sha256,
        "health": _health(rows),
    }


def load_heads(job: Progress, subsets: Sequence[Subset]) -> list[LabelledHead]:
    """Read every case that has region labels."""
    cases = [c for subset in subsets for c in subset.cases if c.brain_rule == "labels"]
    heads = []
    for n, case in enumerate(cases):
        job.check()
        job.report(n, len(cases), f"reading case {n + 1} / {len(cases)}")
        heads.append(load_head(case))
    return heads


def table_of(subsets: Sequence[Subset]) -> Table | None:
    """People with region volumes and an age, of all sets together; None without any."""
    cases = [c for s in subsets for c in s.cases if ROLE in c.rows and c.age_years is not None]
    if not cases:
        return None
    ages = np.array([case.age_years for case in cases], dtype=np.float64)
    return Table(tuple(c.patient for c in cases), np.stack([c.rows[ROLE] for c in cases]), ages)


def stored(model: RegionNet) -> RegionNet:
    """The network with the values that a weights file keeps of it (float16), ready to use."""
    for value in model.state_dict().values():
        if value.is_floating_point():
            # A variance of a running mean may be beyond what half precision can hold.
            most = torch.finfo(torch.float16).max
            value.copy_(value.clamp(-most, most).half().float())
    return model.eval()


def _trained(run: _Run, heads: Sequence[LabelledHead], folder: Path, name: str) -> RegionTrainer:
    """A network trained to the end of the recipe, or until the time is up."""
    cases = tuple(head.for_training() for head in heads)
    request = run.request
    trainer = RegionTrainer(run.recipe, cases, request.seed, request.device, folder)
    if request.resume and (folder / "checkpoint" / "last.pt").is_file():
        trainer.resume(folder)
    for report in trainer.fit():
        run.job.check()
        run.job.report(
            report.epoch, report.epochs, f"{name}: epoch {report.epoch} / {report.epochs}"
        )
        run.job.partial(report)
        if time.perf_counter() > run.deadline and trainer.epoch < run.recipe.epochs:
            trainer.stopped = "time"
            break
    return trainer


def _cross_validated(run: _Run, heads: Sequence[LabelledHead]) -> list[Measured]:
    """Every head measured by a network that never saw its patient; none without folds."""
    folds = run.recipe.folds
    patients = list(dict.fromkeys(head.case.patient for head in heads))
    found = []
    for number in range(folds if folds > 1 else 0):
        out = set(patients[number::folds])
        rest = [head for head in heads if head.case.patient not in out]
        folder = run.out / f"fold-{number + 1}"
        folder.mkdir(exist_ok=True)
        trainer = _trained(run, rest, folder, f"fold {number + 1} of {folds}")
        network = stored(trainer.model)
        found += [measure(network, head) for head in heads if head.case.patient in out]
    return found


def figures(
    left_out: Sequence[Measured], others: Sequence[Measured], table: Table | None
) -> list[MetricRow]:
    """All figures: regions and ages of heads that the measuring network had not seen."""
    rows: list[MetricRow] = []
    by_set: dict[str, list[Measured]] = {}
    for head in (*left_out, *others):
        by_set.setdefault(head.subset, []).append(head)
    for heads in by_set.values():
        rows += region_rows(heads)
    if table is None:
        return rows
    rows += age_rows(table_ages(table, left_out), "ixi-roi-2mm", "model")
    rows += age_rows(table_ages(table, left_out, exact=True), "ixi-roi-2mm", "plain ridge")
    rows += age_rows(table_ages(table, left_out, mean=True), "ixi-roi-2mm", "mean")
    for subset, heads in by_set.items():
        if any(head.age_years is not None for head in heads):
            ages = head_ages(table, heads, left_out)
            rows += age_rows(ages["model"], subset, "model")
            rows += age_rows(ages["table"], subset, "label volumes")
            rows.append(effect_row(ages["model"], ages["table"], subset))
    return rows


def _age_model(table: Table | None, left_out: Sequence[Measured]) -> AgeModel | None:
    if table is None:
        return None
    return fit_age(table.ml, table.age, error_of(left_out))


def _health(rows: Sequence[MetricRow]) -> list[dict[str, object]]:
    kept = [r for r in rows if r.predictor == "model" and r.group == "all" and r.name != "bias"]
    shown = [r for r in kept if r.name in ("dice", "volume_error", "mae")]
    return [
        {"name": f"{row.subset} {row.name}", "value": row.value, "ok": row.value is not None}
        for row in shown
    ]


def _write_splits(
    path: Path, learnt: Sequence[LabelledHead], heads: Sequence[LabelledHead]
) -> None:
    """splits.csv: case, patient, site, part; what is only measured is the part "test"."""
    with whole_file(path) as draft, draft.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("case", "patient", "site", "part"))
        for head in heads:
            part = "train" if head in learnt else "test"
            writer.writerow((head.case.case, head.case.patient, head.case.site, part))
