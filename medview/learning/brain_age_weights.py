"""Weights of the age model: found, checked, loaded with the settings of their card."""

from __future__ import annotations

from pathlib import Path

from medview.domain.card import ModelCard
from medview.learning.brain_age_model import AgeEnsemble, AgeModel, model_from_card
from medview.learning.weights import (
    card_of,
    fill,
    load_state,
    shipped,
    usable_settings,
)

MODEL = "brain-age"


def load_age_model(weights: Path | None) -> tuple[AgeModel, ModelCard]:
    """The age model, ready to predict, and its card.

    Raises
    ------
    WeightsError
        Weights missing, damaged or of another model, or a card that cannot be used.
    """
    path = weights or shipped(MODEL)
    card = card_of(path, MODEL, "the brain-age model")
    with usable_settings(path):
        model = model_from_card(card.settings)
    fill(model.ensemble, load_state(path, card), path.name)
    model.ensemble.eval()
    return model, card


def load_for_check(weights: Path) -> tuple[AgeEnsemble, ModelCard]:
    """The network and its card, for the check of a weights file."""
    model, card = load_age_model(weights)
    return model.ensemble, card
