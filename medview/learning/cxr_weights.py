"""Weights of the chest model: encoder (or which one is built in), shared layer and heads."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from medview.domain.card import ModelCard
from medview.domain.errors import WeightsError
from medview.domain.resources import resource
from medview.io.cards import WEIGHTS
from medview.io.hashing import file_sha256
from medview.learning.adapters import plain_state
from medview.learning.cases import ARMED
from medview.learning.cxr_recipe import ALL
from medview.learning.weights import (
    card_of,
    fill,
    load_state,
    shipped,
    usable_settings,
)
from medview.models.backbones import DEFAULT, Backbone, make_backbone
from medview.models.mdmt import Mdmt, MdmtOptions
from medview.models.site_mdmt import SiteMdmt

TAIL = "tail."
"""How the names of the parameters of the encoder begin."""
ENCODER = resource("weights", "efficientnet-lite0", WEIGHTS)
SHARED = "encoder_sha256"
"""Setting of a card whose weights go with the encoder that is built in: the hash of its file,
empty where they carry their own."""
_TITLES = {"cxr": "the chest model", "cxr-armed": "the chest model with site effects"}


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
        try:
            state = {
                k: v.float() if v.is_floating_point() else v for k, v in load_file(ENCODER).items()
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
    whole = model.like(nn.Sequential(*copy.deepcopy(first), *model.tail))
    state = {k: v for k, v in plain_state(model).items() if not k.startswith(TAIL)}
    whole.load_state_dict({**whole.state_dict(), **state})
    return whole.eval()


def kept_part(whole: Mdmt, settings: Mapping[str, object]) -> Mdmt:
    """What is written of a network: all but the encoder, where its settings name that."""
    if not settings.get(SHARED):
        return whole
    part = whole.like(nn.Sequential())
    part.load_state_dict({k: v for k, v in whole.state_dict().items() if not k.startswith(TAIL)})
    return part


def settings_of(model: Mdmt, backbone: str, size: int, frozen: int) -> dict[str, object]:
    """What a card keeps so that the network can be made again.

    A network with effects of sites shares an encoder that stays as it is built in; others carry
    theirs with them.
    """
    settings = {"network": asdict(model.options), "backbone": backbone, "size": size}
    if not isinstance(model, SiteMdmt):
        return settings
    shares = frozen == ALL and backbone == DEFAULT
    hashed = file_sha256(ENCODER) if shares else ""
    return {**settings, "sites": list(model.sites), SHARED: hashed}


def temperature_of(card: ModelCard) -> float:
    """By what the logits of the outcome are divided, found on left-out films; 1 where unknown."""
    found = card.settings.get("temperature")
    return float(found) if isinstance(found, int | float) else 1.0


def load_cxr(
    weights: Path | None, device: str = "cpu", model: str = "cxr"
) -> tuple[Mdmt, ModelCard, Backbone]:
    """The chest network in evaluation mode, its card and its encoder's way to normalise.

    `model` is its id; one with effects of sites is a ``SiteMdmt``.

    Raises
    ------
    WeightsError
        Weights missing, damaged or of another model.
    """
    path = weights or shipped(model)
    card = card_of(path, model, _TITLES[model])
    shares = bool(card.settings.get(SHARED))
    with usable_settings(path):
        name = str(card.settings["backbone"])
        backbone = encoder(name) if shares else make_backbone(name)
        options = MdmtOptions(**card.settings["network"])  # type: ignore[arg-type]  # a table of the card
        net = Mdmt(options, backbone.stages)
        if model.endswith(ARMED):
            sites = tuple(str(one) for one in card.settings["sites"])  # type: ignore[attr-defined]  # a list of the card
            net = SiteMdmt(options, backbone.stages, sites)
    state = load_state(path, card)
    if shares:
        _refuse_other_encoder(card, path)
        state |= {f"{TAIL}{k}": v for k, v in backbone.stages.state_dict().items()}
    fill(net, state, path.name)
    return net.eval().to(torch.device(device)), card, backbone


def load_armed_cxr(weights: Path | None) -> tuple[Mdmt, ModelCard, Backbone]:
    """The chest network with effects of sites; as ``load_cxr``."""
    return load_cxr(weights, model="cxr-armed")


def _refuse_other_encoder(card: ModelCard, path: Path) -> None:
    """Refuse weights that were trained on another encoder than the one that is built in."""
    if card.settings[SHARED] != file_sha256(ENCODER):
        raise WeightsError(
            "the weights go with another encoder than the one that is built in",
            file=path.name,
            do="Train them again with this program.",
            code="MV-WGT-005",
        )
