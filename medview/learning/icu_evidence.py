"""Where on the film the risk of a stay comes from: the film is covered part by part.

Given out only where the map becomes another one under heads with shuffled weights, as the card
says it was measured.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from medview.domain.overlay import ScalarMap
from medview.domain.progress import Progress, Silent
from medview.domain.volume import Volume
from medview.learning.cxr_evidence import HIGHEST_LIKENESS, Encode, likeness, occluded, remembering
from medview.learning.film import whole_film
from medview.learning.icu_films import encoded, on_film, squeezed
from medview.learning.icu_model import IcuModel
from medview.learning.icu_one_stay import OneStay
from medview.learning.icu_stays import Stay
from medview.learning.images import read_image
from medview.models.fusion import last_valid

NAME, TITLE = "evidence", "evidence by occlusion"
MEASURED = "map_likeness"
SHUFFLES = 4
FILMS = 6
"""Films and heads that the likeness is measured on."""


def shown(settings: Mapping[str, object]) -> bool:
    """Whether the card says that the map hangs on the head."""
    known = settings.get(MEASURED)
    value = known.get(NAME) if isinstance(known, Mapping) else None
    return isinstance(value, int | float) and abs(value) < HIGHEST_LIKENESS


def film_map(job: Progress, model: IcuModel, part: str, stay: OneStay, volume: Volume) -> ScalarMap:
    """How far the risk after the last bin falls where the film is covered, on its own grid."""
    film = whole_film(volume)
    square = squeezed(film, equalise=model.clahe)
    cells = occluded(job, risk_of_film(model, part, stay), square)
    wide = on_film(film, torch.from_numpy(np.maximum(cells, 0)))
    top = float(wide.max()) or 1.0
    return ScalarMap(NAME, wide[None], volume.geometry, "evidence", "1", (0.0, top), TITLE)


@torch.no_grad()
def risk_of_film(
    model: IcuModel, part: str, stay: OneStay, encode: Encode = encoded
) -> Callable[[Tensor], Tensor]:
    """Grey pictures (B, S, S) in place of the film to the logit of the first output, (B,)."""
    nets = model.members(part)
    states = [last_valid(net.states(stay.series), None) for net in nets]

    @torch.no_grad()
    def ask(grey: Tensor) -> Tensor:
        features = encode(grey)
        present = torch.tensor([[stay.has_series, True]]).expand(len(grey), -1)
        risks = [
            torch.sigmoid(
                net.fuse(net.tokens(s.expand(len(grey), -1), net.film_token(features), present),
                         present)
            )[:, 0]
            for net, s in zip(nets, states, strict=True)
        ]  # fmt: skip
        return torch.logit(torch.stack(risks).mean(0).clamp(1e-6, 1 - 1e-6))

    return ask


def with_shuffled_heads(model: IcuModel, part: str, seed: int) -> IcuModel:
    """A copy whose heads of a part have their weights in random order."""
    other = copy.deepcopy(model)
    rng = torch.Generator().manual_seed(seed)
    for net in other.members(part):
        for value in net.head.parameters():
            value.data = value.data.flatten()[torch.randperm(value.numel(), generator=rng)].view_as(
                value
            )
    return other


def likeness_of_maps(
    job: Progress, model: IcuModel, part: str, given: Sequence[tuple[OneStay, Volume]]
) -> float:
    """Rank correlation of each film's map with those of shuffled heads, mean over all."""
    others = [with_shuffled_heads(model, part, seed) for seed in range(SHUFFLES)]
    found = []
    for n, (stay, volume) in enumerate(given):
        job.report(n, len(given), f"shuffled heads: film {n + 1} / {len(given)}")
        square = squeezed(whole_film(volume), equalise=model.clahe)
        encode = remembering(encoded)
        ours, *theirs = (
            occluded(Silent(), risk_of_film(one, part, stay, encode), square)
            for one in (model, *others)
        )
        job.check()
        found += [likeness(ours, its) for its in theirs]
    return float(np.mean(found))


def measured_likeness(
    job: Progress, model: IcuModel, part: str, stays: Sequence[Stay]
) -> dict[str, object]:
    """What a card keeps of it: the figure of some films, each of another patient; {} without."""
    chosen = {s.case.patient: s for s in reversed(stays) if s.film is not None}
    films = list(chosen.values())[-1 : -FILMS - 1 : -1]
    if not films or not model.parts[part].uses_film:
        return {}
    given = [
        (
            OneStay.of(stay.grid, model, model.parts[part], stay.film),
            read_image(stay.case.images["film"]),
        )
        for stay in films
    ]
    value = likeness_of_maps(job, model, part, given)
    return {MEASURED: {NAME: round(value, 3), "films": len(films)}}
