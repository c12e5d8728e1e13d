"""The rows of ``medview bench infer`` about each shipped model: time and memory of a study."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from medview.cli.benches.rows import Row
from medview.cli.benches.studies import STUDIES, Study
from medview.cli.contract import Context
from medview.services.analysis import PREDICT
from medview.services.inputs import Wanted
from medview.services.jobs import Jobs
from medview.services.models import find_card
from medview.services.running import RunOptions, run_case
from medview.services.versions import located

QUICK = ("brain-age-armed", "icu")


def model_rows(context: Context, quick: bool) -> list[Row]:
    """Run each model on a study in a process of its own, whose start is told apart."""
    chosen = [each for each in STUDIES if not quick or each.model in QUICK]
    rows = []
    for done, study in enumerate(chosen):
        context.report(done, len(chosen), study.model)
        with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
            rows += _rows(context, study, Path(name))
    return rows


def _rows(context: Context, study: Study, folder: Path) -> list[Row]:
    options = context.options
    version = located(study.model)
    asked = RunOptions(
        device=options.device, threads=options.threads, seed=options.seed, weights=version.chosen
    )
    card = find_card(version.card.id, version.chosen)
    with Jobs(lambda call: call()) as jobs:
        began = time.perf_counter()
        start = jobs.warm("compute", PREDICT.partition(":")[0])
        start.settled.wait()
        start_s, child = time.perf_counter() - began, psutil.Process(start.pid)
        before = child.cpu_times()
        wanted = Wanted(study.files(folder))
        body: dict[str, Any] = run_case(jobs, card, wanted, asked, folder / "out")
        after = child.cpu_times()
    work_s = after.user + after.system - before.user - before.system
    what = f"{study.model} {card.version if '@' not in study.model else ''}".strip()
    what += f", {study.what}, {body['device']}"
    return [
        Row(f"{what}: a study", float(body["seconds"]), "s"),
        Row(f"{what}: processor time, which others on the machine do not change", work_s, "s"),
        Row(f"{what}: peak memory of its process", float(body["peak_memory_mb"]), "MB"),
        Row(f"{what}: start of its process before", start_s, "s"),
    ]
