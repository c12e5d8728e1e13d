"""Keep on a card what a network that learnt from fewer sets could do on the sets it never saw.

    python packaging/other_scanner.py CARD FORMER_CARD

CARD is of region weights that learnt from several sets: folds over all of them do not tell what
becomes of a scanner that is none of theirs. FORMER_CARD is of weights that learnt from some of
these sets alone; its rows on the others do. They are taken as those of a predictor of its own,
"learnt from SETS alone", with the command that trains it, and its rows on all cases of
the sets that both learnt from beside them. A limit and a word on the method tell both.
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
_LIMIT = "What to expect of other scanners:"
_METHOD = "Learnt from all its sets"
Rows = dict[tuple[str, str], Figure]


def with_former(card: ModelCard, former: ModelCard) -> ModelCard:
    """The card with the rows of the former one, and what they say beside its own.

    Raises
    ------
    ValueError
        If there is no set that the one learnt from and the other did not, or no row on it.
    """
    new, old = _sets(card), _sets(former)
    others = [name for name in new if name not in old]
    if not others or not set(old) <= set(new):
        raise ValueError("the first card must have learnt from the sets of the second, and more")
    names = " and ".join(old)
    command = command_of(RegionRecipe(sets=",".join(old)))
    added = [
        replace(figure, predictor=f"{_BEFORE}{names} alone", command=command)
        for figure in former.measured
        if figure.predictor == "model"
        and figure.command.startswith("medview train ")
        and (figure.on in others or (figure.on in old and figure.group == "all"))
    ]
    if not any(figure.on in others for figure in added):
        raise ValueError(f"the second card has no row on {' or '.join(others)}")
    kept = [f for f in card.measured if not f.predictor.startswith(_BEFORE)]
    limits = [line for line in card.limits if not line.startswith(_LIMIT)]
    method = [line for line in card.method if not line.startswith(_METHOD)]
    ours, theirs = _on_all(kept), _on_all(added)
    limits += [_limit(name, names, ours, theirs) for name in others]
    method += [_method(name, names, ours, theirs) for name in old]
    return replace(card, measured=(*kept, *added), limits=tuple(limits), method=tuple(method))


def _limit(name: str, old: str, ours: Rows, theirs: Rows) -> str:
    """What a network did on a set that it never saw, beside the one that learnt from it."""
    dice, age, r = (
        tuple(_number(rows, name, figure, digits) for rows in (theirs, ours))
        for figure, digits in (("dice", 2), ("mae", 1), ("pearson_r", 2))
    )
    return (
        f"{_LIMIT} by a network that learnt from {old} alone {name} has Dice {dice[0]} ({dice[1]} "
        f"where it is learnt from, its patients left out), ages off by {age[0]} years ({age[1]}), "
        f"r {r[0]} ({r[1]})."
    )


def _method(name: str, old: str, ours: Rows, theirs: Rows) -> str:
    """Whether learning from more sets costs a set that was learnt from before."""
    dice, volume, age = (
        " and ".join(_number(rows, name, figure, digits) for rows in (ours, theirs))
        for figure, digits in (("dice", 3), ("volume_error", 1), ("mae", 1))
    )
    return (
        f"{_METHOD}, and from {old} alone: left-out heads of {name} have Dice {dice}, volumes off "
        f"by {volume} %, ages off by {age} years."
    )


def _number(rows: Rows, name: str, figure: str, digits: int) -> str:
    found = rows.get((name, figure))
    return "unknown" if found is None or found.value is None else f"{found.value:.{digits}f}"


def _on_all(figures: Sequence[Figure]) -> Rows:
    """The figures of the network itself, or of the former one, on all cases by set and name."""
    own = [f for f in figures if f.predictor == "model" or f.predictor.startswith(_BEFORE)]
    return {(f.on, f.name): f for f in own if f.group == "all"}


def _sets(card: ModelCard) -> tuple[str, ...]:
    recipe: Any = card.settings["recipe"]
    return RegionRecipe(sets=str(recipe["sets"])).set_names


def main() -> None:
    """Read the words, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    parser.add_argument("former", type=Path)
    given = parser.parse_args()
    try:
        made = with_former(read_card(given.card), read_card(given.former))
    except ValueError as odd:
        sys.exit(str(odd))
    write_card(made, given.card)


if __name__ == "__main__":
    main()
