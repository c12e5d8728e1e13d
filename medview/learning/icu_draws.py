"""Intervals of the ICU networks for many stays at once: those that a run tells of each of them.

A run asks the networks some times with dropout left on, from the same seed for every stay. So
stays of the same length share what is dropped, and are asked together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from medview.domain.card import ModelCard
from medview.learning.icu_armed import inside
from medview.learning.icu_fit import StaySet
from medview.learning.icu_model import IcuModel, Probabilities
from medview.learning.icu_one_stay import Effects, stand_ins
from medview.learning.site_effects import GivenSite
from medview.models.armed import Armed

DEFAULT_SAMPLES = 8
BLOCK = 256
LOWEST, HIGHEST = 2.5, 97.5
"""Percentiles of the draws that an interval ends at."""


def samples_of(asked: int | None, card: ModelCard) -> int:
    """How many times the networks are asked with dropout: as asked for, else as the card says."""
    return asked or int(str(card.settings.get("samples", DEFAULT_SAMPLES)))


def ends_of(
    model: IcuModel,
    name: str,
    stays: StaySet,
    sites: Sequence[GivenSite] | None,
    samples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Where the draws of a part end for each stay after its last bin, (2, N, outputs).

    `sites` are those of the stays where the part has effects of sites, else None.
    """
    part = model.parts[name]
    places = sites or [GivenSite(None, part.sites)] * len(stays)
    keys = [(int(n), site.number) for n, site in zip(stays.lengths, places, strict=True)]
    ends = np.full((2, len(stays), len(part.outputs)), np.nan)
    for key in dict.fromkeys(keys):
        here = np.array([n for n, one in enumerate(keys) if one == key])
        speaks = part.at(places[int(here[0])])
        for rows in np.split(here, range(BLOCK, len(here), BLOCK)):
            said = speaks.calmed(_drawn(model, name, stays.only(rows), samples, seed, key[1]))
            ends[:, rows] = np.percentile(said, (LOWEST, HIGHEST), axis=0)
    return ends


@torch.no_grad()
def _drawn(
    model: IcuModel, name: str, stays: StaySet, samples: int, seed: int, site: int
) -> Probabilities:
    """``icu_one_stay.drawn`` of stays of one length, after their last bin: (draws, N, outputs)."""
    sites = [site] * samples
    if site < 0 and model.parts[name].sites:
        others = stand_ins(len(model.parts[name].sites))
        sites = (others * samples)[: max(samples, len(others))]
    torch.manual_seed(seed)
    found = [_last(whole, stays, one) for one in sites for whole in model.whole(name)]
    return torch.stack(found).double().numpy()


def _last(whole: nn.Module, stays: StaySet, site: int) -> Tensor:
    """Probabilities (N, outputs) of one network after the last bin; what is dropped there is what a
    run drops, which asks for every bin.
    """
    net, bins = inside(whole), int(stays.lengths[0])
    with _alike(whole):
        states = net.states(stays.series[:, :bins])[:, -1]
    if isinstance(whole, Armed) and site >= 0:
        effects = Effects(site, drawn=True)
        shares, noise = effects.shares(whole).expand(len(states), -1), effects.noise(whole)
        with _alike(whole, bins):
            logits = whole((states, stays.present), shares, noise).mixed[:, None]
    else:
        with _alike(whole):
            film = None if stays.film is None else net.film_token(stays.film)
        with _alike(whole, bins):
            logits = net.fuse(net.tokens(states, film, stays.present), stays.present)
    return torch.sigmoid(logits)


@contextmanager
def _alike(model: nn.Module, rows: int = 1) -> Iterator[None]:
    """Dropout left on, which drops the same of each stay: what it drops of the last of so many
    rows, where a run has `rows` of one stay.
    """
    drops = [one for one in model.modules() if isinstance(one, nn.Dropout)]
    for one in drops:
        one.train()
        cast(Any, one).forward = partial(_dropped, one.p, rows)
    try:
        yield
    finally:
        for one in drops:
            del cast(Any, one).forward
        model.eval()


def _dropped(share: float, rows: int, values: Tensor) -> Tensor:
    """Dropout of one row for each stay."""
    return values * F.dropout(values.new_ones((rows, *values.shape[1:])), share)[-1:]
