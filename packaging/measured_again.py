"""Put rows that were measured again into the card of the same weights.

    python packaging/measured_again.py CARD NEW_CARD [--groups PREFIX]

NEW_CARD is what ``medview train`` wrote when it was run again. Weights must be the same, bit for
bit. Rows of the groups that begin with PREFIX (all, where none is given) take the place of those
of the same command; everything else of CARD stays.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card


def with_new_rows(card: ModelCard, new: ModelCard, groups: str = "") -> ModelCard:
    """The card with the rows of the new one in the place where its own of that kind stood.

    Raises
    ------
    ValueError
        If the weights differ, or no row of `new` is of these groups.
    """
    if card.weights_sha256 != new.weights_sha256:
        raise ValueError("these figures are of other weights")
    added = [figure for figure in new.measured if figure.group.startswith(groups)]
    if not added:
        raise ValueError(f"nothing was measured on {groups}" if groups else "nothing was measured")
    commands = {figure.command for figure in added}

    def goes(figure: Figure) -> bool:
        return figure.command in commands and figure.group.startswith(groups)

    place = next((n for n, f in enumerate(card.measured) if goes(f)), len(card.measured))
    kept = [figure for figure in card.measured if not goes(figure)]
    return replace(card, measured=(*kept[:place], *added, *kept[place:]))


def main() -> None:
    """Read the words, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--groups", default="")
    given = parser.parse_args()
    try:
        made = with_new_rows(read_card(given.card), read_card(given.new), given.groups)
    except ValueError as odd:
        sys.exit(str(odd))
    write_card(made, given.card)


if __name__ == "__main__":
    main()
