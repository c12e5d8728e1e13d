"""Put what ``medview evaluate`` found of weights on their card.

    python packaging/add_evaluated.py CARD METRICS.json --command "medview evaluate ..."
        [--groups PREFIX]

METRICS.json is what the command left in its folder. The card must be that of the same weights.
Rows of the groups that begin with PREFIX (all, where none is given) take the place of those of
the same command; everything else of CARD stays.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from measured_again import with_new_rows

from medview.domain.card import ModelCard
from medview.io.cards import read_card, write_card
from medview.learning.card_parts import figure_of


def with_evaluated(
    card: ModelCard, body: dict[str, Any], command: str, groups: str = ""
) -> ModelCard:
    """The card with the rows of a metrics.json in the place of former ones of the same command.

    Raises
    ------
    ValueError
        If the file or the command is of something else, the weights differ, or no row is of these
        groups.
    """
    if body.get("schema") != "medview.metrics/1":
        raise ValueError("the second file is no metrics.json of medview evaluate")
    begins = f"medview evaluate {body['model']} "
    if not command.startswith(begins):
        raise ValueError(f"these figures are of a command that begins with: {begins}")
    figures = tuple(figure_of(row, command) for row in body["metrics"])
    found = replace(card, weights_sha256=body["weights_sha256"], measured=figures)
    return with_new_rows(card, found, groups)


def main() -> None:
    """Read the words, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("metrics", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--groups", default="")
    given = parser.parse_args()
    try:
        body = json.loads(given.metrics.read_text("utf-8"))
        made = with_evaluated(read_card(given.card), body, given.command, given.groups)
    except ValueError as odd:
        sys.exit(str(odd))
    write_card(made, given.card)


if __name__ == "__main__":
    main()
