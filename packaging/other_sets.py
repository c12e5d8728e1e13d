"""Tell on a card what the same training does when it learns from other sets.

    python packaging/other_sets.py CARD OTHER_CARD

OTHER_CARD is what ``medview train region-net --set sets=...`` wrote. Its rows on all regions and
on groups of them stand on CARD as those of a predictor of its own, "learnt from SETS", with the
command that measures them: each on heads that were not learnt from. A limit says it of each set
that CARD's weights have not learnt from, a word on the method of each that they have.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.card import Figure, ModelCard
from medview.io.cards import read_card, write_card
from medview.learning.region_card import command_of
from medview.learning.region_trainer import RegionRecipe

_BEFORE = "learnt from "
_TOLD = (("Dice", "dice", 2, ""), ("volumes off by", "volume_error", 1, " %"),
         ("ages off by", "mae", 1, " years"), ("r", "pearson_r", 2, ""))  # fmt: skip
Rows = dict[tuple[str, str], float]


def with_other(card: ModelCard, other: ModelCard) -> ModelCard:
    """The card with the rows of the other one, in the place of former ones of the same sets.

    Raises
    ------
    ValueError
        If both learnt from the same sets, or no row of the other is on a set of the card.
    """
    recipe = _recipe(other)
    own, sets = _recipe(card).set_names, recipe.set_names
    if set(own) == set(sets):
        raise ValueError("both learnt from the same sets")
    who = f"{_BEFORE}{' and '.join(sets)}"
    begins = f"Other weights, {who}: left-out heads of "
    ours = _on_all(card.measured)
    measured = dict.fromkeys(on for on, _ in ours if (on, "dice") in ours)
    added = tuple(
        replace(figure, predictor=who, command=command_of(recipe))
        for figure in other.measured
        if figure.predictor == "model"
        and figure.on in measured
        and figure.command.startswith("medview train ")
        and not figure.group.startswith("region:")
    )
    if not added:
        raise ValueError("no row of the second card is on a set of the first")
    theirs = _on_all([replace(figure, predictor="model") for figure in added])
    said = {on: f"{begins}{on} have {_beside(on, theirs, ours)}." for on in measured}
    kept = tuple(figure for figure in card.measured if figure.predictor != who)
    limits = (line for line in card.limits if not line.startswith(begins))
    method = (line for line in card.method if not line.startswith(begins))
    return replace(
        card,
        measured=kept + added,
        limits=(*limits, *(line for on, line in said.items() if on not in own)),
        method=(*method, *(line for on, line in said.items() if on in own)),
    )


def _beside(on: str, theirs: Rows, ours: Rows) -> str:
    """The figures of a set that both have, as a sentence tells them."""
    return ", ".join(
        f"{words} {theirs[on, name]:.{digits}f}{unit} (these {ours[on, name]:.{digits}f})"
        for words, name, digits, unit in _TOLD
        if (on, name) in theirs and (on, name) in ours
    )


def _on_all(figures: Sequence[Figure]) -> Rows:
    """What a network's own figures on all cases say, by set and name."""
    own = [f for f in figures if (f.predictor, f.group) == ("model", "all")]
    return {(f.on, f.name): f.value for f in own if f.value is not None}


def _recipe(card: ModelCard) -> RegionRecipe:
    recipe: Any = card.settings["recipe"]
    return RegionRecipe.of(dict(recipe))


def main() -> None:
    """Read the words, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("other", type=Path)
    given = parser.parse_args()
    try:
        made = with_other(read_card(given.card), read_card(given.other))
    except ValueError as odd:
        sys.exit(str(odd))
    write_card(made, given.card)


if __name__ == "__main__":
    main()
