"""``medview run`` and ``medview models``: run a model, and see which there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medview import RESEARCH_USE
from medview.cli.arguments import NewFile, person_choices, run_choices
from medview.cli.contract import Answer, Context, command
from medview.domain.wording import interval, number, place_words

if TYPE_CHECKING:
    from medview.domain.card import ModelCard
    from medview.services.running import RunOptions


class RolePath(click.ParamType[tuple[str, Path]]):
    """An input as "ROLE=PATH"."""

    name = "role=path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        """Turn "t1=head.nii.gz" into ("t1", Path("head.nii.gz")), or say what was expected."""
        if isinstance(value, tuple):
            return value
        role, equals, path = str(value).partition("=")
        if not (role and equals and path):
            self.fail(f"{value!r} is not ROLE=PATH", param, ctx)
        return role.strip().lower(), Path(path)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the form in the help."""
        return "ROLE=PATH"


def _in_words(body: Mapping[str, Any]) -> str:
    """Scores first, then what was found where, then what to mind."""
    lines = [_score_line(score) for score in body["scores"]]
    for found in body["findings"]:
        hidden = ", hidden by uncertainty" if found["hidden_by_uncertainty"] else ""
        count, of = found["normals_as_high"], found["normals"]
        normals = "" if count is None else f", as high in {count} of {of} normal brains"
        lines.append(
            f"finding {found['id']}: {number(found['volume_ml'])} ml at "
            f"{place_words(found['centroid_lps'])}, peak {number(found['peak'])} "
            f"({found['map']}{hidden}{normals})"
        )
    lines += [f"note: {note['text']}" for note in body["warnings"]]
    maps = ", ".join(item["name"] for item in body["maps"])
    lines.append("written: result.json" + (f", slices.csv, maps ({maps})" if maps else ""))
    lines.append(RESEARCH_USE)
    return "\n".join(lines)


def _score_line(score: Mapping[str, Any]) -> str:
    name = score["name"].replace("_", " ")
    if score["value"] is None:
        return f"{name}: not available ({score['meaning']})"
    unit = "" if score["unit"] == "1" else f" {score['unit']}"
    spread = interval(score["low"], score["high"])
    return f"{name}: {number(score['value'])}{unit}{f' ({spread})' if spread else ''}"


@command("result", words=_in_words)
@click.argument("model")
@click.argument(
    "paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path, readable=False)
)
@click.option("--input", "named", multiple=True, type=RolePath(), help="An input by its role.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--series", metavar="UID[#STACK]", help="Which series, if there are several.")
@person_choices("the patient")
@run_choices
def run(context: Context, model: str, paths: tuple[Path, ...], out: Path, **wanted: Any) -> Answer:
    """Run MODEL (ID or ID@VERSION) and write result.json, slices.csv and maps/ into --out.

    A bare PATH takes the input that its headers or its name speak of; "--input t1=PATH" says it.
    """
    from medview.services.audit import note, of_result
    from medview.services.inputs import Wanted
    from medview.services.running import UNUSED_SITE, run_case
    from medview.services.versions import located

    found = located(model, wanted["weights"])
    wanted["weights"] = found.chosen
    inputs = Wanted(paths, wanted.pop("named"), wanted.pop("series"))
    options = run_options(context, wanted)
    body = run_case(context.jobs, found.card, inputs, options, out, progress=context.report)
    for told in body["warnings"]:
        if told["code"] == UNUSED_SITE:
            context.say(f"medview: {told['text']}")
    note("ran", of_result(body))
    return Answer(body)


def run_options(context: Context, wanted: Mapping[str, Any]) -> RunOptions:
    """The options of one run, from what was typed and from the common ones."""
    from medview.services.running import RunOptions

    common = context.options
    return RunOptions(
        device=common.device,
        threads=common.threads,
        seed=common.seed,
        private=common.private,
        age_years=wanted["age"],
        **{name: value for name, value in wanted.items() if name != "age"},
    )


def _models_in_words(body: Mapping[str, Any]) -> str:
    if not body["models"]:
        return "This copy came without models."
    lines = []
    alone = len({entry["id"] for entry in body["models"]}) == 1
    for entry in body["models"]:
        lines.append(f"{entry['id']}@{entry['version']}  {entry['title']}")
        lines.append(f"  {entry['summary']}")
        lines += [f"  input {item['role']}: {item['needs']}" for item in entry["inputs"]]
        method = entry["method"]
        lines += [f"  limit: {limit}" for limit in entry["limits"] if limit not in method]
        lines += _method_in_words(entry, alone=alone)
        lines.append(f"  licence: {entry['licence']}")
        lines.append(f"  weights: {entry['weights_sha256']}")
    if "check" in body:
        lines.append(f"{body['check']['file']}: hash, names, shapes and values are right")
    return "\n".join(lines)


def _method_in_words(entry: Mapping[str, Any], *, alone: bool) -> list[str]:
    """How a model was trained and measured: of one that was asked for alone; else where to ask."""
    day = f", {entry['trained_at']}" if entry["trained_at"] else ""
    if not entry["method"]:
        return [f"  trained{day}"] if day else []
    if not alone:
        return [f'  trained and measured{day}: see "medview models {entry["id"]}"']
    return [f"  trained and measured{day}:", *(f"    {line}" for line in entry["method"])]


@command("models", words=_models_in_words)
@click.argument("model", required=False)
@click.option(
    "--check", type=click.Path(path_type=Path), help="Verify hash and shapes of a weights file."
)
@click.option(
    "--plot",
    type=NewFile(".svg"),
    help="Draw how well uncertainties fit errors, or probabilities what happens, as SVG.",
)
def models(context: Context, model: str | None, check: Path | None, plot: Path | None) -> Answer:
    """Show the models there are, or MODEL (ID or ID@VERSION): inputs, figures, limits, licence."""
    from medview.domain.errors import UsageError
    from medview.io.cards import model_entry
    from medview.services.models import CHECK, find_card

    if plot is not None:
        _draw(model, plot)
    if check is None:
        return Answer({"models": [model_entry(card) for card in _cards(model)]})
    if model is None:
        raise UsageError("a check needs the model", do='Use "medview models ID --check FILE".')
    card = find_card(model, check)
    verdict = context.call("compute", CHECK, card.id, str(check.absolute()))
    return Answer({"models": [model_entry(card)], "check": verdict})


def _draw(model: str | None, path: Path) -> None:
    """Draw the first card of a model that has the figures."""
    from medview.domain.card_plots import card_plots
    from medview.domain.errors import UsageError
    from medview.io.plot_file import write_plot

    cards = _cards(model) if model else []
    plots = [plot for card in cards for _, plot in card_plots(card)]
    if not plots:
        raise UsageError(
            "no card there tells how well an uncertainty fits the errors, or a probability what "
            "happens",
            do='Name a model that does: "medview models anomaly --plot FILE".',
        )
    write_plot(plots[0], path)


def _cards(name: str | None) -> list[ModelCard]:
    """The shipped cards and the user's own; those of one model or part, or one version."""
    from medview.services.models import find_cards
    from medview.services.versions import located, versions

    if name is None:
        own = [one.card for one in versions() if one.own]
        return [*find_cards(), *own]
    model, _, version = name.partition("@")
    found = [one.card for one in versions(model)]
    if not found:
        return list(find_cards(name, parts=True))
    return [located(name).card] if version else found
