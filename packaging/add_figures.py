"""Add the rows of an ablation.json to a card, each with the command that measures it.

    python packaging/add_figures.py CARD ABLATION.json --command "medview ablate ..." [--limit TEXT]
        [--method TEXT] [--names NAME,NAME] [--subset NAME]

A limit is what a reader must know before trusting a result; what only tells how the model was
trained or measured goes under method.

Rows say of which variant they are ("model" is the default one); a difference from the default
stands beside them with its interval. Figures of sites left out are of the group
"unseen-site:all". Only figures of the given names are taken, and of the given subset alone.
What the command sets stands in each row, so that the same figure under other settings is told
apart; a row that another command has measured already, with the same settings, stands once.
"""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card

APART = ("difference", "low", "high", "p", "test", "runs", "sd")


def with_rows(
    card: ModelCard,
    rows: list[dict[str, Any]],
    command: str,
    names: tuple[str, ...],
    subset: str = "",
) -> ModelCard:
    """The card with these rows in the place of former ones of the same command."""
    kept = tuple(figure for figure in card.measured if figure.command != command)
    wanted = (row for row in rows if row["name"] in names and subset in ("", row["subset"]))
    known = [replace(figure, command="") for figure in kept]
    added = tuple(
        figure
        for figure in (_figure(row, command) for row in wanted)
        if replace(figure, command="") not in known
    )
    return replace(card, measured=kept + added)


def set_in(command: str) -> dict[str, str]:
    """The settings of a command, as a part of a row; empty where it has none."""
    words = [value for word, value in pairwise(shlex.split(command)) if word == "--set"]
    return {"settings": ", ".join(words)} if words else {}


def _figure(row: dict[str, Any], command: str) -> Figure:
    variant = str(row["variant"])
    apart = {f"against_default_{k}" if k in ("low", "high") else k: row[k] for k in APART}
    return Figure(
        name=str(row["name"]),
        value=row["mean"],
        on=str(row["subset"]),
        low=row["value_low"],
        high=row["value_high"],
        n=int(str(row["n"])),
        predictor="model, trained in these folds" if variant == "default" else variant,
        level=str(row["level"]),
        group="unseen-site:all" if "--leave-out site" in command else "all",
        command=command,
        extra={"task": row["task"], **apart, **set_in(command)},
    )


def main() -> None:
    """Read the words, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("ablation", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--names", default="mae,rmse")
    parser.add_argument("--subset", default="")
    parser.add_argument("--limit", action="append", default=[])
    parser.add_argument("--method", action="append", default=[])
    given = parser.parse_args()
    card = read_card(given.card)
    rows = json.loads(given.ablation.read_text("utf-8"))["rows"]
    made = with_rows(card, rows, given.command, tuple(given.names.split(",")), given.subset)
    limits = tuple(dict.fromkeys((*made.limits, *given.limit)))
    method = tuple(dict.fromkeys((*made.method, *given.method)))
    write_card(replace(made, limits=limits, method=method), given.card)


if __name__ == "__main__":
    main()
