"""``medview evaluate``: how good weights are on data they have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.arguments import data_sets, only_for_series
from medview.cli.contract import Answer, Context, command
from medview.domain.wording import counted
from medview.services.report_figures import group_words, name_words, predictor_words

EVALUATE = "medview.learning.evaluate:evaluate"
# What a reader wants first; everything else is in metrics.json.
_MAIN_GROUPS = ("all", "twin")


def _in_words(body: Mapping[str, Any], *, with_seen: bool = False) -> str:
    lines = []
    for part in body["data"]:
        seen = part["seen_in_training"]
        known = (
            f"{seen} of them seen in training, so too good" if with_seen
            else f"{seen} left out as seen in training"
        )  # fmt: skip
        lines.append(
            f"{part['subset']}: {counted(part['cases'], 'case')} of "
            f"{counted(part['patients'], 'patient')}; {known}, {len(part['skipped'])} not usable"
        )
        lines += [f"  {one['case']}: {one['what']}" for one in part["skipped"]]
    lines += ["", *(_row_words(row) for row in body["metrics"] if row["group"] in _MAIN_GROUPS)]
    return "\n".join([*lines, *body.get("notes", ())])


def _row_words(row: Mapping[str, Any]) -> str:
    value, low, high = row["value"], row["low"], row["high"]
    figure = "-" if value is None else f"{value:.3f}"
    spread = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
    chance = row["prevalence"]
    share = "" if chance is None else f", prevalence {chance:.3f}"
    level = "" if row["level"] == "case" else f"{row['level']} "
    what = f"{row['subset']}  {level}{name_words(row['name'])}"
    group = "" if row["group"] == "all" else f" ({group_words(row['group'])})"
    count = f"n {row['n']}, {counted(row['n_patients'], 'patient')}{share}"
    return f"{what}{group}  {predictor_words(row['predictor'])}: {figure}{spread}  {count}"


@command("metrics", words=_in_words)
@click.argument("model")
@data_sets
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Weights with their card beside them."
)
@click.option(
    "--variables", type=click.Path(path_type=Path), help="Map of variables of a CSV folder (icu)."
)
@click.option("--samples", type=click.IntRange(min=1), help="Draws of the model; else the card's.")
@click.option(
    "--split",
    type=click.Choice(("test", "all")),
    default="test",
    show_default=True,
    help="Leave out cases marked train or val, or take all.",
)
@click.option("--include-seen", is_flag=True, help="Also patients the weights were trained on.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder.")
def evaluate(
    context: Context, model: str, data: tuple[str, ...], out: Path, **wanted: Any
) -> Answer:
    """Measure MODEL (ID or ID@VERSION) on data, and write what was found into --out.

    That is metrics.json, predictions.csv and slices.csv. Of normal brains the anomaly model also
    draws its errors beside the uncertainty it predicted for them: uncertainty.svg. Cases whose
    patient the weights were trained on are left out and counted. Labels may be missing:
    predictions are written all the same.
    """
    from medview.domain.evaluation import EvaluateRequest
    from medview.io.atomic import whole_folder
    from medview.io.case_names import hide_case_names, set_names

    with_seen = bool(wanted["include_seen"])
    model, weights = _chosen(model, wanted.pop("weights"))
    only_for_series(model, wanted["variables"])
    options, variables = context.options, wanted.pop("variables")
    with whole_folder(out) as draft:
        request = EvaluateRequest(
            model,
            data,
            str(draft),
            str(weights) if weights else None,
            device=options.device,
            threads=options.threads,
            seed=options.seed,
            private=options.private,
            variables=str(variables) if variables else None,
            **wanted,
        )
        body = context.call("compute", EVALUATE, request)
        if options.private:
            body = hide_case_names(draft, body, set_names(data))
        return Answer(body, text=_in_words(body, with_seen=with_seen))


def _chosen(name: str, weights: Path | None) -> tuple[str, Path | None]:
    """The model, and the weights of the version or file that is named; None for its usual ones."""
    from medview.services.models import find_card
    from medview.services.versions import located

    if weights is not None:
        return find_card(name, weights).id, weights
    if "@" not in name:
        return name, None
    found = located(name)
    return found.card.id, found.weights
