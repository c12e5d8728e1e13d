"""Weights that were trained on from others: their name, their parent, and what that learnt from."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from medview.domain.progress import Progress
from medview.domain.training import FOLLOWS, TrainRequest
from medview.io.cards import CARD, read_card, write_card
from medview.io.seen import joined_seen
from medview.learning.region_card import with_licence_of_sets

Training = Callable[[Progress, TrainRequest], dict[str, Any]]
_OWN_HASH = re.compile(r"-[0-9a-f]{8}$")


def training_of(trainer: str) -> Training:
    """The "module:function" of a model's training."""
    module, _, function = trainer.partition(":")
    return cast(Training, getattr(import_module(module), function))


def train_on(job: Progress, request: TrainRequest, trainer: str) -> dict[str, Any]:
    """Train from the weights ``request.init``; the new card tells whose child these are.

    Returns
    -------
    dict
        The answer of the training.
    """
    body = training_of(trainer)(job, request)
    if FOLLOWS not in body:
        descend(Path(request.out), Path(cast(str, request.init)))
    return body


def descend(out: Path, parent: Path) -> None:
    """Give the new card a name of its own, its parent, and the patients that the parent has seen.

    It is called as the version it was made from and by the begin of its own hash, until it is
    registered by another name. Its licence is that of all sets that both learnt from.
    """
    card, older = read_card(out / CARD), read_card(parent.with_name(CARD))
    before = _OWN_HASH.sub("", older.version)
    own = tuple(one for one in card.trained_on if one not in older.trained_on)
    child = replace(
        joined_seen(card, older),
        version=f"{before}-{card.weights_sha256[:8]}",
        parent=older.weights_sha256,
        trained_on=(*older.trained_on, *own),
    )
    write_card(with_licence_of_sets(child), out / CARD)
