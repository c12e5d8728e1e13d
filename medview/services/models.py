"""Models by name: the shipped ones, or a weights file with its card beside it."""

from __future__ import annotations

from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.errors import UsageError, WeightsError
from medview.io.cards import CARD, read_card
from medview.services.offers import card_errors, part_cards, shipped_cards

CHECK = "medview.learning.check_weights:check"


def find_cards(
    name: str | None = None, folder: Path | None = None, *, parts: bool = False
) -> tuple[ModelCard, ...]:
    """The shipped cards, all or the one called "ID" or "ID@VERSION".

    `folder` holds a folder for each model; None is the one that came with the program. With
    `parts` a name may also be that of a part of other models, which is not run alone.

    Raises
    ------
    UsageError
        If there is no such model or version, or it is a part and no part is wanted.
    WeightsError
        If its card is damaged.
    """
    cards = shipped_cards(folder)
    if name is None:
        return cards
    model, _, version = name.partition("@")
    found = [card for card in cards if card.id == model] or _part(model, folder, wanted=parts)
    if not found:
        raise _damaged(model, folder) or _unknown(model, cards)
    if version and version not in {card.version for card in found}:
        there = ", ".join(card.version for card in found)
        raise UsageError(f"there is no version {version} of {model}", do=f"There is: {there}.")
    return tuple(card for card in found if version in ("", card.version))


def find_card(name: str, weights: Path | None = None, folder: Path | None = None) -> ModelCard:
    """The card of the model called "ID" or "ID@VERSION"; with `weights` the one beside them.

    Raises
    ------
    UsageError
        If there is no such model or version.
    WeightsError
        If the weights are missing or of another model, or the card is damaged.
    """
    if weights is None:
        return find_cards(name, folder)[0]
    if not weights.is_file():
        raise WeightsError(
            "the weights are missing",
            file=weights.name,
            do="Name a weights file with its card beside it.",
        )
    card = read_card(weights.with_name(CARD))
    model, _, version = name.partition("@")
    if card.id != model or version not in ("", card.version):
        raise WeightsError(
            f"these are weights of {card.id}@{card.version}, not of {name}",
            file=weights.name,
            do="Choose weights of this model.",
            code="MV-WGT-006",
        )
    return card


def _part(model: str, folder: Path | None, *, wanted: bool) -> list[ModelCard]:
    found = [card for card in part_cards(folder) if card.id == model]
    if found and not wanted:
        raise UsageError(
            f"{model} is a part of other models and does nothing alone",
            do=f'See what it is with "medview models {model}".',
        )
    return found


def _damaged(model: str, folder: Path | None) -> WeightsError | None:
    """Why the card of a model that is there cannot be used; None when it is not there at all."""
    errors = card_errors(folder)
    return next((error for error in errors if error.file == f"{model}/{CARD}"), None)


def _unknown(model: str, cards: tuple[ModelCard, ...]) -> UsageError:
    known = ", ".join(dict.fromkeys(card.id for card in cards))
    do = f"Choose one of: {known}." if known else "This copy came without models: install it again."
    return UsageError(f"there is no model called {model}", do=do)
