"""``medview train``: weights from data, by a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.arguments import Finite, data_sets, only_for_series
from medview.cli.contract import Answer, Context, command
from medview.cli.progress import in_time
from medview.domain.wording import counted


def _in_words(body: Mapping[str, Any]) -> str:
    parts = ", ".join(f"{counted(count, 'patient')} in {part}" for part, count in body["n"].items())
    lines = [
        f"{counted(body['epochs'], 'epoch')} in {in_time(body['seconds'])}, the best was "
        f"{body['best_epoch']}; stopped by {body['stopped']}",
        parts,
    ]
    for check in body["health"]:
        value = "-" if check["value"] is None else f"{check['value']:.4g}"
        verdict = "ok" if check["ok"] else f"NOT OK: {check.get('text', '')}".rstrip(": ")
        lines.append(f"{check['name'].replace('_', ' ')}: {value}  {verdict}")
    for one in body.get("skipped", ()):
        lines.append(f"left out: {one['case']}: {one['what']}")
    lines.append(f"weights: {body['weights_sha256']}")
    return "\n".join(lines)


@command("train", words=_in_words)
@click.argument("model")
@data_sets
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--recipe", type=click.Path(path_type=Path), help="Settings as TOML.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One setting of it.")
@click.option("--epochs", type=click.IntRange(min=1), help="Rounds, of every part.")
@click.option("--max-minutes", type=Finite(min=0, min_open=True), help="Stop by then.")
@click.option(
    "--variables", type=click.Path(path_type=Path), help="Map of variables of a CSV folder (icu)."
)
@click.option("--init", type=click.Path(path_type=Path), help="Weights to start from.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
def train(context: Context, model: str, data: tuple[str, ...], out: Path, **wanted: Any) -> Answer:
    """Train MODEL on --data and write weights, card, history and splits into --out.

    An interrupted training leaves its checkpoint, and "--resume" goes on from it. The models
    of anomalies, ages, chest films and ICU stays also train in several processes: "torchrun
    --nproc-per-node N -m medview train ...". Folds of the networks of anomalies and regions train
    side by side on a processor, up to --threads of them at once, each on one thread.
    """
    from medview.cli.expecting import Expecting, as_answer
    from medview.domain.training import FOLLOWS, TrainRequest
    from medview.io.case_names import hide_set_names, set_names, without_case_names
    from medview.services.models import find_card
    from medview.services.recipes import epochs_settings, read_recipe
    from medview.services.runs import write_run
    from medview.services.training import TRAIN_ON, only_checkpoints_stay, trainer_of

    work = trainer_of(model)
    if wanted["init"] is not None:
        find_card(model, wanted["init"])
    epochs = epochs_settings(model, wanted["epochs"])
    only_for_series(model, wanted["variables"])
    options = context.options
    request = TrainRequest(
        data=data,
        out=str(out),
        recipe=read_recipe(model, wanted["recipe"], (*wanted["settings"], *epochs)),
        seed=options.seed,
        threads=options.threads,
        device=options.device,
        init=str(wanted["init"]) if wanted["init"] else None,
        resume=wanted["resume"],
        max_minutes=wanted["max_minutes"],
        private=options.private,
        variables=str(wanted["variables"]) if wanted["variables"] else None,
    )
    expecting = Expecting(context, model, "train", request.recipe)
    before = expecting.say(data)
    with only_checkpoints_stay(out):
        started = (TRAIN_ON, request, work) if request.init else (work, request)
        body = context.call("train", *started)
        if options.private and FOLLOWS not in body:
            hide_set_names(out, set_names(data))
            body = without_case_names(body, set_names(data))
    if FOLLOWS in body:
        return Answer(body, silent=True)
    if not request.resume:
        expecting.note(body, out)
    write_run(out, model, request, body)
    return Answer({**body, "expected": as_answer(before)})
