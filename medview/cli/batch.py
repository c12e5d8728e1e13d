"""``medview batch``: one model on many cases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.arguments import person_choices, run_choices
from medview.cli.contract import Answer, Context, command
from medview.cli.progress import in_time
from medview.cli.running import run_options
from medview.domain.wording import counted
from medview.stopping import Stopped

_GO_ON = 'Finished cases stay; the same command with "--resume" goes on after them.'


def _in_words(body: Mapping[str, Any]) -> str:
    each = body["seconds_per_study"]
    pace = f", {each:.3g} s each" if each is not None else ""
    lines = [f"{counted(body['done'], 'case')} done in {in_time(body['seconds'])}{pace}"]
    if body["resumed"]:
        lines.append(f"{body['resumed']} of them finished before")
    lines += [f"run again: {o['case']}: changed: {', '.join(o['changed'])}" for o in body["redone"]]
    lines += [f"failed: {one['where'] or one['case']}: {one['what']}" for one in body["failed"]]
    return "\n".join(lines)


@command("batch", words=_in_words)
@click.argument("model")
@click.argument("path", type=click.Path(path_type=Path, readable=False))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="dask: on a cluster of dask.distributed.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Of the cluster; without it one is made here.")
@click.option(
    "--resume", is_flag=True, help="Keep results that still hold; run again what changed."
)
@person_choices("all patients")
@run_choices
def batch(context: Context, model: str, path: Path, out: Path, **wanted: Any) -> Answer:
    """Run MODEL on every case of a folder or of a case list (CSV).

    Each case gets --out/CASE/result.json and maps, as "medview run" writes them;
    predictions.csv and batch.json tell of all. Exit code 1 when some cases failed; they are named
    by their files, and series of DICOM files by their UID in the tables. With
    "--resume" a case whose inputs, weights or options are not those of its result is run again
    and named.
    """
    from medview.services.batch import run_batch
    from medview.services.batch_cases import find_cases
    from medview.services.versions import located

    found = located(model, wanted["weights"])
    card, wanted["weights"] = found.card, found.chosen
    engine = _engine(context, wanted)
    resume = wanted.pop("resume")
    cases = find_cases(context.jobs, card, path, private=context.options.private)
    try:
        body = run_batch(
            engine,
            card,
            cases,
            run_options(context, wanted),
            out,
            resume=resume,
            progress=context.report,
        )
    except Stopped as stop:
        stop.do = _GO_ON if out.exists() else ""
        raise
    return Answer(body, exit_code=int(bool(body["failed"])))


def _engine(context: Context, wanted: dict[str, Any]) -> Any:
    from medview.domain.errors import UsageError
    from medview.services.batch import local_engine

    workers, kind = wanted.pop("workers"), wanted.pop("engine")
    scheduler = wanted.pop("scheduler")
    if kind == "dask":
        from medview.services.cluster import dask_engine

        return dask_engine(scheduler, workers)
    if scheduler:
        raise UsageError("--scheduler is for --engine dask", do="Add --engine dask.")
    share = max(1, (os.cpu_count() or 1) // workers)
    return local_engine(workers, context.options.threads or share)
