"""``medview bench batch``: seconds a study, and whether a batch says what single runs say.

Chest films are drawn on the spot; one of them is cut off in the middle.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medview.cli.benches.rows import Row
from medview.cli.contract import Context
from medview.domain.card import ModelCard
from medview.services.batch import local_engine, run_batch
from medview.services.batch_cases import Case, find_cases
from medview.services.models import find_card
from medview.services.running import RunOptions, run_case

MODEL = "cxr"
FILMS, QUICK_FILMS = 24, 4
MANY = 100_000
SLOWER = 1.25
"""A study of a batch may take so many times as long as one run by itself after another."""
_CHANGING = ("seconds", "peak_memory_mb", "made_at")
_SIDE = 512


def measure(context: Context, quick: bool) -> list[Row]:
    """Time a batch beside single runs; compare, break off and go on."""
    card, count = find_card(MODEL), QUICK_FILMS if quick else FILMS
    options = RunOptions(device=context.options.device, threads=context.options.threads or 1)
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        folder = Path(name)
        cases = find_cases(context.jobs, card, write_films(folder, count))
        run_case(context.jobs, card, cases[0].wanted, options, folder / "warm")
        alone_s = _one_by_one(context, card, cases[:-1], options, folder / "alone")
        body = _batch(context, card, cases, options, folder / "batch")
        differing = sum(
            answer(folder / "alone" / case.name) != answer(folder / "batch" / case.name)
            for case in cases[:-1]
        )
        for case in cases[: count // 2]:
            shutil.rmtree(folder / "batch" / case.name)
        again = _batch(context, card, cases, options, folder / "batch", resume=True)
    each = body["seconds"] / len(cases)
    failed = {one["case"] for one in body["failed"]}
    rows = [
        Row(f"{MODEL}: a study of a batch of {count}", each, "s", "runs one after another",
            alone_s, SLOWER),
        Row("studies whose result differs from that of run", differing, "", aim=0),
        Row("damaged studies not listed as failed", int(failed != {cases[-1].name}), "", aim=0),
        Row("finished studies run again after a stop", count - again["resumed"] - count // 2,
            "", aim=0),
        Row(f"{MANY:,} such studies, one process", each * MANY / 3600, "h"),
    ]  # fmt: skip
    return rows


def _one_by_one(
    context: Context, card: ModelCard, cases: Sequence[Case], options: RunOptions, out: Path
) -> float:
    """Run each by itself in the warm child; seconds of one."""
    began = time.perf_counter()
    for case in cases:
        run_case(context.jobs, card, case.wanted, options, out / case.name)
    return (time.perf_counter() - began) / len(cases)


def _batch(
    context: Context,
    card: ModelCard,
    cases: Sequence[Case],
    options: RunOptions,
    out: Path,
    *,
    resume: bool = False,
) -> dict[str, Any]:
    engine = local_engine(1, options.threads or 1)
    progress = context.report
    return run_batch(engine, card, cases, options, out, resume=resume, progress=progress)


def answer(folder: Path) -> dict[str, Any]:
    """What a result folder says, but for when and how fast; maps as their bytes."""
    body = json.loads((folder / "result.json").read_text("utf-8"))
    said = {name: value for name, value in body.items() if name not in _CHANGING}
    maps = {path.name: path.read_bytes() for path in sorted(folder.glob("maps/*"))}
    return {**said, "bytes of maps": maps}


def write_films(folder: Path, count: int) -> Path:
    """A case list of drawn films, the last of which is cut off; path of the list."""
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("case", "film"))
        for number in range(count + 1):
            path = folder / f"film-{number:03d}.png"
            Image.fromarray(film(number)).save(path)
            table.writerow((path.stem, path.name))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return folder / "cases.csv"


def film(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A made-up chest film: a body with two dark lungs, ribs and noise, (512, 512)."""
    rng = np.random.default_rng(seed)
    rows, columns = (np.mgrid[:_SIDE, :_SIDE] / _SIDE).astype(np.float32)
    body = ((rows - 0.55) / 0.55) ** 2 + ((columns - 0.5) / 0.46) ** 2 < 1
    grey = 40 + 160 * body + 12 * (rows * 12 % 1 < 0.3) * body
    for middle in (0.29, 0.71):
        lung = ((rows - 0.5) / 0.31) ** 2 + ((columns - middle) / 0.16) ** 2 < 1
        grey = grey - (120 - 60 * rng.random()) * lung
    noisy = np.clip(grey + rng.normal(0, 4, grey.shape), 0, 255)
    return np.asarray(noisy, dtype=np.uint8)
