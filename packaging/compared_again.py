"""Put a comparison of variants that was run again into the rows that a card has of it.

    python packaging/compared_again.py CARD ABLATION.json --command "medview ablate ..."
        [--called VARIANT=NAME,VARIANT=NAME]

Every row of CARD with this command takes value, interval, p and counts of the same figure in
ABLATION.json; other figures there are not added. `--called` says how the card names variants,
where not as the command does. A set on the card may say more than in the file, behind a comma
("physionet2012, left-out site").
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card

APART = "_difference"
EFFECT = "effect"
Row = Mapping[str, Any]


def with_compared(
    card: ModelCard, rows: list[dict[str, Any]], command: str, called: Mapping[str, str]
) -> ModelCard:
    """The card with what these rows say in the place of what its own of the command did.

    Raises
    ------
    ValueError
        If the card has no row of the command, or one that the comparison does not have.
    """
    if not any(figure.command == command for figure in card.measured):
        raise ValueError("the card has no row of this command")

    def renewed(figure: Figure) -> Figure:
        if figure.command != command:
            return figure
        same = [row for row in rows if _is_of(figure, row, called)]
        if len(same) != 1:
            which = f"{figure.predictor} {figure.name} {figure.group}"
            raise ValueError(f"the comparison has {len(same)} rows of {which}")
        return _taken(figure, same[0])

    return replace(card, measured=tuple(map(renewed, card.measured)))


def _is_of(figure: Figure, row: Row, called: Mapping[str, str]) -> bool:
    variant, subset = str(row["variant"]), str(row["subset"])
    if called.get(variant, variant) != figure.predictor:
        return False
    if row["name"] != figure.name.removesuffix(APART):
        return False
    if subset != figure.on and subset != figure.on.rpartition(", ")[0]:
        return False
    if row["level"] == EFFECT:
        return bool(figure.group.partition(":")[2] == row["task"])
    return bool(row["task"] == figure.extra["task"])


def _taken(figure: Figure, row: Row) -> Figure:
    extra = {**figure.extra, "runs": row["runs"]}
    if row["level"] == EFFECT:
        extra["sd_over_runs"] = row["sd"]
        return replace(figure, value=row["mean"], n=row["runs"], extra=extra)
    if figure.name.endswith(APART):
        extra |= {"p": row["p"], "test": row["test"]}
        value, low, high = (row[name] for name in ("difference", "low", "high"))
    else:
        value, low, high = (row[name] for name in ("mean", "value_low", "value_high"))
    return replace(figure, value=value, low=low, high=high, n=row["n"], extra=extra)


def main() -> None:
    """Read the words, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("ablation", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--called", default="")
    given = parser.parse_args()
    called = dict(pair.split("=", 1) for pair in given.called.split(",") if pair)
    rows = json.loads(given.ablation.read_text("utf-8"))["rows"]
    try:
        made = with_compared(read_card(given.card), rows, given.command, called)
    except ValueError as odd:
        sys.exit(str(odd))
    write_card(made, given.card)


if __name__ == "__main__":
    main()
