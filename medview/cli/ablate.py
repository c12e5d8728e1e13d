"""``medview ablate``: variants of a model on the same folds, compared case by case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.arguments import Finite, data_sets
from medview.cli.contract import Answer, Context, command
from medview.cli.progress import in_time
from medview.services.report_figures import name_words

ABLATE = "medview.learning.ablation:ablate"


def _in_words(body: Mapping[str, Any]) -> str:
    lines = [
        f"{body['runs_done']} of {body['runs_planned']} runs in {in_time(body['seconds'])}"
        + ("" if body["finished"] else "; the same command goes on with the rest")
    ]
    lines += [_row_words(row, body["against"]) for row in body["rows"]]
    return "\n".join(lines)


def _row_words(row: Mapping[str, Any], against: str) -> str:
    name = f"{row['subset']} {row['task']} {name_words(row['name'])}  {row['variant']}"
    spread = _spread(row["value_low"], row["value_high"])
    text = f"{name}: {_number(row['mean'])}{spread}  n {row['n']}, {row['runs']} runs"
    if row["difference"] is None:
        return text
    apart = f"{row['difference']:+.3f}{_spread(row['low'], row['high'])}"
    p = "" if row["p"] is None else f", p {row['p']:.3g} ({row['test']})"
    return f"{text}; against {against} {apart}{p}"


def _spread(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


@command("ablation", words=_in_words)
@click.argument("model")
@data_sets
@click.option("--variants", metavar="A,B", help="Which variants; without it all there are.")
@click.option(
    "--against", default="default", show_default=True, metavar="A", help="Compare with this one."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=V1,V2",
    help="A setting of the recipe; several values make a variant each.",
)
@click.option("--recipe", type=click.Path(path_type=Path), help="Settings as TOML.")
@click.option("--folds", type=click.IntRange(min=2), help="Number of folds (5).")
@click.option("--leave-out", type=click.Choice(["site"]), help="Leave one site out at a time.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--max-minutes", type=Finite(min=0, min_open=True), help="Stop by then.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder.")
def ablate(context: Context, model: str, data: tuple[str, ...], out: Path, **wanted: Any) -> Answer:
    """Train the variants of MODEL on folds of --data and compare them with one of them.

    Writes ablation.csv, ablation.json and a drawing, ablation.svg; finished runs are kept, and the
    same command goes on after an interruption. The variant "default" alone is the cross-validation.
    """
    from medview.domain.ablation import AblateRequest
    from medview.domain.errors import UsageError
    from medview.services.recipes import read_recipe, read_sweeps
    from medview.services.training import only_checkpoints_stay, trainer_of

    trainer_of(model)
    if wanted["folds"] and wanted["leave_out"]:
        raise UsageError("--folds and --leave-out exclude each other", do="Give one of them.")
    single, sweeps = read_sweeps(model, wanted["settings"])
    names = (wanted["variants"] or "").split(",")
    options = context.options
    request = AblateRequest(
        model=model,
        data=data,
        out=str(out),
        recipe=read_recipe(model, wanted["recipe"], single),
        against=wanted["against"],
        variants=tuple(name.strip() for name in names if name.strip()),
        sweeps=sweeps,
        folds=0 if wanted["leave_out"] else wanted["folds"] or 5,
        leave_out=wanted["leave_out"] or "",
        seeds=wanted["seeds"],
        max_minutes=wanted["max_minutes"],
        seed=options.seed,
        threads=options.threads,
        device=options.device,
        private=options.private,
    )
    with only_checkpoints_stay(out, option=""):
        return Answer(context.call("train", ABLATE, request))
