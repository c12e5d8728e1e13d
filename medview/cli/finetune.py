"""``medview finetune``: a version that has gone on learning from local cases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from medview.cli.arguments import Finite, data_sets
from medview.cli.compare import in_words as differences_in_words
from medview.cli.compare import worse_words
from medview.cli.contract import Answer, Context, command
from medview.domain.training import Method
from medview.domain.wording import counted

if TYPE_CHECKING:
    from medview.domain.training import FinetuneRequest
    from medview.services.versions import Version

_ALL_THE_SAME = (
    "Its weights stay in --out; --accept-worse with --register NAME keeps them all the same."
)
# Options that say how long and how to train.
_OF_TRAINING = {
    "epochs": "--epochs",
    "settings": "--set",
    "recipe": "--recipe",
    "max_minutes": "--max-minutes",
    "resume": "--resume",
}


def _in_words(body: Mapping[str, Any]) -> str:
    apart = counted(body["held_out"], "patient") if body["held_out"] else "the marked patients"
    trained = f"{counted(body['epochs'], 'epoch')}; held out: {apart}"
    fitted = [
        f"{one['what']} of {one['score']} x {one['value']:.3g}, from {one['n']} local cases"
        for one in body.get("calibrated", ())
    ]
    lines = [
        *(fitted or [trained]),
        differences_in_words(body["before_after"]),
        f"weights: {body['weights_sha256']}",
    ]
    if body["registered"]:
        lines.append(f"registered as {body['registered']}")
    elif body["refused"]:
        lines.append(f"not registered: {body['refused']}. {_ALL_THE_SAME}")
    return "\n".join(lines)


def _rates_in_words(body: Mapping[str, Any]) -> str:
    lines = [f"{rate:9.2g}  {loss:.4g}  {smoothed:.4g}" for rate, loss, smoothed in body["points"]]
    found = body["suggested"]
    told = "no rate is suggested" if found is None else f"--set {body['setting']}={found:.2g}"
    head = "     rate  loss  smoothed"
    return "\n".join([head, *lines, f"{told}: {body['why']} (the recipe has {body['recipe']:g})"])


@command("finetune", words=_in_words)
@click.argument("model")
@data_sets
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option(
    "--method",
    type=click.Choice(get_args(Method)),
    default="full",
    show_default=True,
    help="What of the network learns; calibrate trains nothing.",
)
@click.option(
    "--reference",
    multiple=True,
    metavar="[LAYOUT=]PATH",
    help="A locked set: a version that is worse on it is not registered.",
)
@click.option(
    "--leave-out",
    type=click.Choice(["site"]),
    help="Train once more without each site of a case list, and compare on it; with calibrate: "
    "fit once more.",
)
@click.option("--accept-worse", is_flag=True, help="Register it all the same.")
@click.option("--register", metavar="NAME", help="Keep it as MODEL@NAME.")
@click.option("--recipe", type=click.Path(path_type=Path), help="Settings as TOML.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One setting of it.")
@click.option("--epochs", type=click.IntRange(min=1), help="Rounds, of every part.")
@click.option("--max-minutes", type=Finite(min=0, min_open=True), help="Stop by then.")
@click.option("--weights", type=click.Path(path_type=Path), help="Start from these weights.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
@click.option(
    "--find-lr",
    is_flag=True,
    help="Train nothing: try rising learning rates for some steps, and suggest one.",
)
def finetune(
    context: Context, model: str, data: tuple[str, ...], out: Path, **wanted: Any
) -> Answer:
    """Train MODEL (ID or ID@VERSION) further on --data, and compare old and new.

    With "--method calibrate" nothing is trained: temperatures of probabilities and widths of
    intervals are fitted to --data. Else a fifth of the patients is held out where the data mark
    none as val. before_after.json tells of both. Exit code 1 when the new version is worse on
    --reference: it is then not registered. With "--leave-out site" rows of the group "site:NAME"
    tell how the same training does at a site that it has not seen.
    """
    from medview.cli.expecting import Expecting, as_answer
    from medview.services.runs import write_run
    from medview.services.training import only_checkpoints_stay
    from medview.services.training_request import work_of
    from medview.services.versions import located, refuse_name

    found = located(model, wanted["weights"])
    if wanted["register"] is not None:
        refuse_name(found.card.id, wanted["register"])
    request = _request(context, found, data, out, wanted)
    if wanted["find_lr"]:
        return _rates(context, request)
    leaves, train = bool(wanted["leave_out"]), request.train
    way = "leave-out" if leaves and not train.is_fit else train.method
    expecting = Expecting(context, request.model, way, train.recipe)
    before = expecting.say(data)
    with only_checkpoints_stay(out):
        work, given = work_of(request, leaves_sites=leaves)
        body = context.call("compute" if train.is_fit else "train", work, *given)
        if context.options.private:
            body = _without_names(out, body, (*data, *request.reference))
    if not train.resume:
        expecting.note({**body, "epochs": body.get("epochs") or 1}, out)
    write_run(out, request.model, train, body)
    told = {**body, "expected": as_answer(before)}
    return _registered(out, request.model, told, wanted)


def _request(
    context: Context, found: Version, data: tuple[str, ...], out: Path, wanted: Mapping[str, Any]
) -> FinetuneRequest:
    """What is asked of the training or the calibration of a version.

    Raises
    ------
    UsageError
        A setting of trainings for a calibration.
    """
    from medview.domain.errors import UsageError
    from medview.domain.training import FinetuneRequest, TrainRequest
    from medview.services.recipes import epochs_settings, read_recipe

    is_fit = wanted["method"] == "calibrate"
    idle = [option for name, option in _OF_TRAINING.items() if is_fit and wanted[name]]
    if idle:
        raise UsageError(
            f"{', '.join(idle)}: --method calibrate trains nothing", do="Leave it out."
        )
    recipe: Mapping[str, Any] = {}
    if not is_fit:
        epochs = epochs_settings(found.card.id, wanted["epochs"])
        recipe = read_recipe(found.card.id, wanted["recipe"], (*wanted["settings"], *epochs))
    options = context.options
    train = TrainRequest(
        data=data,
        out=str(out),
        recipe=recipe,
        seed=options.seed,
        threads=options.threads,
        device=options.device,
        init=str(found.weights.absolute()),
        resume=wanted["resume"],
        max_minutes=wanted["max_minutes"],
        private=options.private,
        method=wanted["method"],
    )
    return FinetuneRequest(found.card.id, train, wanted["reference"])


def _without_names(out: Path, body: dict[str, Any], data: tuple[str, ...]) -> dict[str, Any]:
    """The answer, and what stands in the folder, with keys for the names of cases and sets."""
    from medview.io.case_names import (
        hide_case_names,
        hide_set_names,
        set_names,
        without_case_names,
    )

    sets = set_names(data)
    # Of what stands in the folder only these tables are certainly the program's own.
    for folder in (out / "comparison", *out.glob("sites/*/comparison")):
        hide_case_names(folder, {}, sets)
    hide_set_names(out, sets)
    return without_case_names(body, sets)


def _rates(context: Context, request: FinetuneRequest) -> Answer:
    """Write rates.csv into the folder; nothing else is made."""
    from medview.io.atomic import whole_file
    from medview.services.rate_search import FIND_RATE
    from medview.services.recipes import rate_setting

    body = context.call("train", FIND_RATE, request)
    with whole_file(Path(request.train.out) / "rates.csv") as draft:
        rows = [f"{rate!r},{loss!r},{smoothed!r}" for rate, loss, smoothed in body["points"]]
        draft.write_text("\n".join(["rate,loss,smoothed", *rows, ""]), "utf-8")
    setting, now = rate_setting(request.model, request.train.recipe)
    told = {"model": request.model, "setting": setting, "recipe": now, **body}
    return Answer(told, kind="rates", text=_rates_in_words(told))


def _registered(
    out: Path, model: str, body: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Answer:
    from medview.io.cards import WEIGHTS
    from medview.services.versions import register

    worse = [name for name in body["before_after"]["worse"] if name.startswith("reference ")]
    refused = ""
    registered = None
    if worse and not wanted["accept_worse"]:
        told = "; ".join(map(worse_words, worse))
        refused = f"it is worse than the version it was made from ({told})"
    elif wanted["register"] is not None:
        registered = register(out / WEIGHTS, wanted["register"]).name
    return Answer(
        {"model": model, **body, "registered": registered, "refused": refused or None},
        exit_code=int(bool(refused)),
    )
