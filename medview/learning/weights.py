"""Weights are data with a card and a hash: found, checked, loaded, saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from medview.domain.card import ModelCard
from medview.domain.errors import WeightsError
from medview.domain.resources import resource
from medview.io.atomic import whole_file
from medview.io.cards import CARD, WEIGHTS, read_card, refuse_other_weights, write_card
from medview.io.hashing import file_sha256
from medview.learning.adapters import plain_state
from medview.learning.anomaly_settings import AnomalySettings
from medview.models.anomaly_vae import AnomalyVae, VaeOptions

# Formats that can run code when opened; refused whatever they hold.
_CODE = {".pt", ".pth", ".ckpt", ".bin", ".pkl", ".npy", ".npz"}


def shipped(model_id: str) -> Path:
    """The weights file that ships with the program for a model."""
    return resource("weights", model_id, WEIGHTS)


def card_beside(weights: Path) -> ModelCard:
    """Read the card in the folder of a weights file."""
    return read_card(weights.with_name(CARD))


def card_of(weights: Path, model: str, title: str) -> ModelCard:
    """The card beside weights that must be of `model`; `title` is its name in a sentence.

    Raises
    ------
    WeightsError
        The card is of another model.
    """
    card = card_beside(weights)
    if card.id != model:
        raise WeightsError(
            f"these are weights of {card.title}, not of {title}",
            file=weights.name,
            do="Choose weights of this model.",
            code="MV-WGT-006",
        )
    return card


@contextmanager
def usable_settings(weights: Path) -> Iterator[None]:
    """Say in words that the settings of the card beside weights make no network.

    Raises
    ------
    WeightsError
        What is done inside failed for a missing or odd setting.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(
            "the model card has settings that this program cannot use",
            file=weights.with_name(CARD).name,
            do="Use the card that came with the weights.",
            code="MV-WGT-007",
        ) from error


def load_state(weights: Path, card: ModelCard) -> dict[str, Tensor]:
    """Read a weights file after checking it against its card; float32 on the CPU.

    Raises
    ------
    WeightsError
        Missing, a format that can hold code, another hash than the card's, damaged, not finite.
    """
    if weights.suffix in _CODE:
        raise WeightsError(
            "this kind of file can contain program code and is not opened",
            file=weights.name,
            do="Use weights stored as safetensors.",
            code="MV-WGT-002",
        )
    if not weights.is_file():
        raise WeightsError(
            "the weights are missing", file=weights.name, do="Install the program again."
        )
    refuse_other_weights(weights, card)
    try:
        state = {name: value.float() for name, value in load_file(weights).items()}
    except (SafetensorError, ValueError) as error:
        raise WeightsError(
            "the weights file is damaged", file=weights.name, do="Copy it again."
        ) from error
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise WeightsError(
            "the weights contain values that are not finite",
            file=weights.name,
            do="Train or copy them again.",
            code="MV-WGT-004",
        )
    return state


def fill(model: nn.Module, state: dict[str, Tensor], file: str) -> None:
    """Put a state into a network, or say which parts do not fit."""
    wanted = {name: value.shape for name, value in model.state_dict().items()}
    given = {name: value.shape for name, value in state.items()}
    if wanted != given:
        odd = sorted(n for n in wanted.keys() | given.keys() if wanted.get(n) != given.get(n))
        raise WeightsError(
            f"the weights belong to another network (first differences: {', '.join(odd[:5])})",
            file=file,
            do="Choose weights of this model.",
            code="MV-WGT-005",
        )
    model.load_state_dict(state)


def network_options(card: ModelCard) -> VaeOptions:
    """The network's options as the card's settings keep them."""
    given = card.settings.get("network", {})
    return VaeOptions(**given) if isinstance(given, dict) else VaeOptions()


def load_anomaly(
    weights: Path | None, device: str = "cpu"
) -> tuple[AnomalyVae, ModelCard, AnomalySettings]:
    """The anomaly network in evaluation mode, its card and how its maps become scores."""
    path = weights or shipped("anomaly")
    card = card_of(path, "anomaly", "the anomaly model")
    with usable_settings(path):
        model = AnomalyVae(network_options(card))
        settings = AnomalySettings.from_card(card.settings)
    fill(model, load_state(path, card), path.name)
    for part in model.modules():  # convolutions are a quarter faster with channels last
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            part.weight.data = part.weight.data.contiguous(memory_format=torch.channels_last)
    model = model.eval().to(device)
    return model, card, settings


def save(model: nn.Module, card: ModelCard, folder: Path, *, half: bool = True) -> ModelCard:
    """Write weights and their card; returns the card with its hash and the day of the training.

    The same weights once more (measured anew) keep the day that the card in the folder names.
    `half` stores float16: for weights whose scores do not move by more than 1e-3.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: (value.half() if half and value.is_floating_point() else value).contiguous().cpu()
        for name, value in plain_state(model).items()
    }
    with whole_file(folder / WEIGHTS) as draft:
        save_file(state, draft)
    digest = file_sha256(folder / WEIGHTS)
    hashed = replace(card, weights_sha256=digest, trained_at=_day(folder / CARD, digest))
    write_card(hashed, folder / CARD)
    return hashed


def _day(card: Path, digest: str) -> str:
    """The day that a card in that place gives these very weights, or today (ISO, UTC)."""
    with suppress(WeightsError):
        known = read_card(card)
        if known.weights_sha256 == digest and known.trained_at:
            return known.trained_at
    return datetime.now(UTC).date().isoformat()
