"""Weights of the chest model: the whole encoder, shared layer and heads in one file."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from medview.domain.card import ModelCard
from medview.domain.errors import WeightsError
from medview.domain.resources import resource
from medview.learning.adapters import plain_state
from medview.learning.weights import (
    card_of,
    fill,
    load_state,
    shipped,
    usable_settings,
)
from medview.models.backbones import DEFAULT, Backbone, make_backbone
from medview.models.mdmt import Mdmt, MdmtOptions


def encoder(name: str) -> Backbone:
    """An encoder with its ImageNet weights where they are built in, else with random ones.

    Raises
    ------
    UsageError
        No such backbone, or its library is not there.
    WeightsError
        The built-in weights are missing or damaged.
    """
    backbone = make_backbone(name)
    if name == DEFAULT:
        file = resource("weights", "efficientnet-lite0", "weights.safetensors")
        try:
            state = {
                k: v.float() if v.is_floating_point() else v for k, v in load_file(file).items()
            }
            backbone.stages.load_state_dict(state)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise WeightsError(
                "the ImageNet weights of the encoder are missing or damaged",
                file="efficientnet-lite0/weights.safetensors",
                do="Install the program again.",
                code="MV-WGT-008",
            ) from error
    return backbone


def whole_network(model: Mdmt, backbone: Backbone, frozen: int) -> Mdmt:
    """The trained part with the frozen stages before it: pictures in, scores out."""
    stages = list(backbone.stages)
    first = stages if frozen < 0 else stages[:frozen]
    whole = Mdmt(model.options, nn.Sequential(*copy.deepcopy(first), *model.tail))
    state = {k: v for k, v in plain_state(model).items() if not k.startswith("tail.")}
    whole.load_state_dict({**whole.state_dict(), **state})
    return whole.eval()


def settings_of(model: Mdmt, backbone: str, size: int) -> dict[str, object]:
    """What a card keeps so that the network can be made again."""
    return {"network": asdict(model.options), "backbone": backbone, "size": size}


def temperature_of(card: ModelCard) -> float:
    """By what the logits of the outcome are divided, found on left-out films; 1 where unknown."""
    found = card.settings.get("temperature")
    return float(found) if isinstance(found, int | float) else 1.0


def load_cxr(weights: Path | None, device: str = "cpu") -> tuple[Mdmt, ModelCard, Backbone]:
    """The chest network in evaluation mode, its card and its encoder's way to normalise.

    Raises
    ------
    WeightsError
        Weights missing, damaged or of another model.
    """
    path = weights or shipped("cxr")
    card = card_of(path, "cxr", "the chest model")
    with usable_settings(path):
        backbone = make_backbone(str(card.settings["backbone"]))
        model = Mdmt(MdmtOptions(**card.settings["network"]), backbone.stages)  # type: ignore[arg-type]  # a table of the card
    fill(model, load_state(path, card), path.name)
    return model.eval().to(torch.device(device)), card, backbone
