"""Model cards as ``card.json`` beside the weights, and as entries of ``medview.models/1``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.domain.errors import WeightsError
from medview.io.atomic import whole_file
from medview.io.hashing import file_sha256
from medview.io.plain import plain, record_of
from medview.io.seen import salted

CARD, WEIGHTS = "card.json", "weights.safetensors"
BASELINES = "baselines.safetensors"
"""Classical models, beside weights that have some."""
SCHEMA = "medview.card/1"
_PARTS: dict[str, type[Any]] = {
    "inputs": InputSpec,
    "outputs": OutputSpec,
    "trained_on": TrainedOn,
    "measured": Figure,
    "published": Figure,
}
_TEXTS = (
    *("id", "version", "title", "summary", "intended_use", "licence", "source"),
    *("weights_sha256", "trained_at"),
)
_LISTS = ("preparation", "limits", "seen_patients", "seen_salts", "method")
_MUST_SPEAK = ("id", "version", "title", "intended_use", "limits", "licence", "source")


def refuse_other_weights(weights: Path, card: ModelCard) -> None:
    """Refuse weights that are not, byte for byte, those of a card.

    Raises
    ------
    WeightsError
        If their hash is another one.
    """
    if file_sha256(weights) != card.weights_sha256:
        raise WeightsError(
            "the weights are not the ones that the card describes (SHA-256 differs)",
            file=weights.name,
            do="Copy the weights and their card again.",
            code="MV-WGT-003",
        )


def write_card(card: ModelCard, path: Path) -> None:
    """Write a card as JSON; patients it has seen get marks with a salt, where they have none.

    Raises
    ------
    WeightsError
        If the card is incomplete: a model without limits, licence or source is not shipped.
    WriteError
        If the file cannot be written.
    """
    _check_complete(card, path.name)
    card = salted(card)
    with whole_file(path) as draft:
        draft.write_text(json.dumps(card_dict(card), indent=1, ensure_ascii=False) + "\n", "utf-8")


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises
    ------
    WeightsError
        If the file is missing, is no card, or says nothing of limits, licence or source.
    """
    try:
        body = json.loads(path.read_text("utf-8"))
        card = card_of(body)
    except OSError as error:
        raise WeightsError(
            "the model card cannot be read", file=path.name, do="Put it back beside the weights."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WeightsError(
            "this is not a model card of this program",
            file=path.name,
            do="Use the card that came with the weights.",
        ) from error
    _check_complete(card, path.name)
    return card


def card_dict(card: ModelCard) -> dict[str, Any]:
    """Return a card as plain values, all of it; salts only where there are any."""
    body = {"schema": SCHEMA, **plain(card)}
    if not card.seen_salts:
        del body["seen_salts"]
    return body


def card_of(body: Mapping[str, Any]) -> ModelCard:
    """Make a card from what ``card_dict`` returned; keys it does not know are ignored."""
    if body["schema"] != SCHEMA:
        raise ValueError(f"the schema is {body['schema']!r}")
    known: dict[str, Any] = {}
    for field in fields(ModelCard):
        if field.name not in body:
            continue
        value = body[field.name]
        if field.name in _PARTS:
            value = tuple(record_of(_PARTS[field.name], item) for item in value)
        known[field.name] = tuple(value) if isinstance(value, list) else value
    _refuse_other_kinds(known)
    return ModelCard(**known)


def _refuse_other_kinds(known: Mapping[str, Any]) -> None:
    """Refuse what somebody wrote in the place of text, a list of text, or settings."""
    for name, value in known.items():
        if name in _LISTS and not (isinstance(value, tuple) and _are_text(value)):
            raise TypeError(f"{name} is no list of text")
        if name in _TEXTS and not isinstance(value, str):
            raise TypeError(f"{name} is no text")
    if not isinstance(known.get("settings", {}), dict):
        raise TypeError("settings are no table")
    if not isinstance(known.get("parent"), str | None):
        raise TypeError("the parent is no text")


def _are_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def model_entry(card: ModelCard) -> dict[str, Any]:
    """Return one entry of ``medview.models/1``; the patients seen stay out of it.

    `limits` is everything that narrows what the model is worth, what a reader must know first;
    those of them that tell how it was trained and measured are named again as `method`.
    """
    return {
        "id": card.id,
        "version": card.version,
        "title": card.title,
        "summary": card.summary,
        "weights_sha256": card.weights_sha256,
        "parent": card.parent,
        "licence": card.licence,
        "source": card.source,
        "intended_use": card.intended_use,
        "inputs": [plain(item) for item in card.inputs],
        "outputs": [
            plain(item) | ({"on_demand": True} if item.name in card.on_demand else {})
            for item in card.outputs
        ],
        "preparation": list(card.preparation),
        "settings": plain(card.settings),
        "trained_on": [plain(item) for item in card.trained_on],
        "measured": [_metric_row(card.id, figure) for figure in card.measured],
        "published": [_published_row(figure) for figure in card.published],
        "trained_at": card.trained_at or None,
        "limits": [*card.limits, *card.method],
        "method": list(card.method),
    }


def _metric_row(task: str, figure: Figure) -> dict[str, Any]:
    """Return a measured figure with the keys of a row of ``medview.metrics/1``."""
    row = {
        "predictor": figure.predictor,
        "task": task,
        "level": figure.level,
        "name": figure.name,
        "subset": figure.on,
        "group": figure.group,
        "value": plain(figure.value),
        "low": plain(figure.low),
        "high": plain(figure.high),
        "ci": "",
        "n": figure.n,
        # Cards keep these where the measurement told them.
        "n_patients": None,
        "n_positive": None,
        "prevalence": None,
    }
    return row | dict(plain(figure.extra)) | {"command": figure.command}


def _published_row(figure: Figure) -> dict[str, Any]:
    row = {"name": figure.name, "value": plain(figure.value), "on": figure.on}
    interval = {"low": plain(figure.low), "high": plain(figure.high), "n": figure.n or None}
    return row | {key: value for key, value in interval.items() if value is not None}


def _check_complete(card: ModelCard, file: str) -> None:
    silent = [name.replace("_", " ") for name in _MUST_SPEAK if not getattr(card, name)]
    if silent:
        raise WeightsError(
            f"the model card says nothing of {', '.join(silent)}",
            file=file,
            do="Complete the card before the model is used.",
        )
