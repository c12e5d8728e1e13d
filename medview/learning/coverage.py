"""Conformal intervals are shown where somebody has counted how often they hold, and only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.errors import WeightsError
from medview.domain.prediction import Prediction, RunRequest, Score
from medview.domain.resources import resource
from medview.domain.volume import Note
from medview.io.cards import CARD, read_card

_METHOD, _FIGURE = "conformal", "coverage"
# A part that answers in place of the model, by the way a result says it took.
_PARTS = {"t1": "region-net"}


def without_uncounted(made: Prediction, request: RunRequest) -> Prediction:
    """Take conformal intervals away whose coverage no card of these weights tells.

    It has to be measured on patients left out of training; a version of the reader's own comes
    without that until somebody evaluates it.
    """
    if is_counted(cards_of(made, request)) or not any(map(_is_conformal, made.scores)):
        return made
    scores = tuple(_bare(each) if _is_conformal(each) else each for each in made.scores)
    text = "no interval: how often it holds was not measured for these weights"
    note = Note("NO_COVERAGE", text)
    return replace(made, scores=scores, warnings=(*made.warnings, note))


def is_counted(cards: tuple[ModelCard, ...]) -> bool:
    """Whether a card tells the coverage of an interval on at least one patient."""
    figures = (figure for card in cards for figure in card.measured)
    return any(
        figure.name == _FIGURE and figure.value is not None and figure.n > 0 for figure in figures
    )


def cards_of(made: Prediction, request: RunRequest) -> tuple[ModelCard, ...]:
    """The card of the weights that answered, and of the part that did so in their place."""
    own = Path(request.weights).with_name(CARD) if request.weights else None
    paths = [own or resource("weights", made.model, CARD)]
    part = _PARTS.get(str(made.parameters.get("route", "")))
    if part is not None:
        paths.append(resource("weights", part, CARD))
    return tuple(card for path in paths if (card := _card(path)) is not None)


def _card(path: Path) -> ModelCard | None:
    try:
        return read_card(path)
    except WeightsError:
        return None


def _is_conformal(score: Score) -> bool:
    return _METHOD in score.method and score.low is not None


def _bare(score: Score) -> Score:
    return replace(score, low=None, high=None)
