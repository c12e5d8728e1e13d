"""``medview compare``: two versions of a model on the same cases."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medview.cli.arguments import data_sets
from medview.cli.contract import Answer, Context, command
from medview.domain.comparison import COMPARED_ON
from medview.services.report_figures import group_words, name_words

COMPARE = "medview.learning.compare:compare"
_SAME = ("task", "level", "name", "subset", "group")


def in_words(body: Mapping[str, Any]) -> str:
    """Old, new and difference of each figure, a line each."""
    lines = []
    for one in body["differences"]:
        rows = {
            row["predictor"]: row["value"]
            for row in body["metrics"]
            if all(row[key] == one[key] for key in _SAME)
        }
        spread = "" if one["low"] is None else f" [{one['low']:+.3f}, {one['high']:+.3f}]"
        level = "" if one["level"] == "case" else f"{one['level']} "
        group = "" if one["group"] == "all" else f"{group_words(one['group'])} "
        lines.append(
            f"{group}{one['subset']} {one['task']} {level}{name_words(one['name'])}: "
            f"old {_figure(rows['old'])}, new {_figure(rows['new'])}, "
            f"difference {_signed(one['new_minus_old'])}{spread}, n {one['n']}"
        )
    if body["worse"]:
        lines.append(f"worse: {'; '.join(map(worse_words, body['worse']))}")
    return "\n".join(lines)


def worse_words(worse: str) -> str:
    """A figure that became worse, in words: "reference mae" is of the locked set."""
    group, _, name = worse.rpartition(" ")
    return f"{name_words(name)} on {COMPARED_ON.get(group, group)}" if group else name_words(name)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


@command("compare", words=in_words)
@click.argument("old")
@click.argument("new")
@data_sets
@click.option("--samples", type=click.IntRange(min=1), help="Draws of the model; else the card's.")
@click.option("--include-seen", is_flag=True, help="Also patients the weights were trained on.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep what both say of each case.")
def compare(
    context: Context, old: str, new: str, data: tuple[str, ...], out: Path | None, **wanted: Any
) -> Answer:
    """Compare OLD with NEW (each ID@VERSION or a weights file) on cases that neither has seen."""
    from medview.domain.comparison import CompareRequest
    from medview.domain.errors import UsageError
    from medview.io.atomic import whole_folder
    from medview.io.case_names import hide_case_names, set_names

    first, second = _version(old), _version(new)
    if first.card.id != second.card.id:
        raise UsageError(
            f"{old} and {new} are not versions of one model",
            do='Give two of one model; "medview versions" lists them.',
        )
    options = context.options
    with tempfile.TemporaryDirectory() as spare, whole_folder(out or Path(spare) / "o") as draft:
        request = CompareRequest(
            first.card.id,
            str(first.weights.absolute()),
            str(second.weights.absolute()),
            data,
            str(draft),
            device=options.device,
            threads=options.threads,
            seed=options.seed,
            private=options.private,
            **wanted,
        )
        body = context.call("compute", COMPARE, request)
        if options.private:
            body = hide_case_names(draft, body, set_names(data))
    ends = {"model": first.card.id, "old": _told(first), "new": _told(second)}
    return Answer({**ends, **body})


def _version(name: str) -> Any:
    from medview.io.cards import CARD, read_card
    from medview.services.versions import Version, located

    file = Path(name)
    if file.suffix and file.is_file():
        return Version(read_card(file.with_name(CARD)), file, own=True)
    return located(name)


def _told(version: Any) -> dict[str, str]:
    return {"version": version.card.version, "weights_sha256": version.card.weights_sha256}
