"""A chest film to its Prediction, on its own grid. Runs in the compute child."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.errors import ModelInputError
from medview.domain.overlay import MapKind, ScalarMap
from medview.domain.prediction import ZONES, Prediction, RunRequest, Score, Status
from medview.domain.progress import Progress
from medview.domain.volume import Note, Volume
from medview.learning.chest_rows import HIGHEST
from medview.learning.cxr_bounds import total_bounds, zone_bounds
from medview.learning.cxr_evidence import (
    GRADIENTS,
    TITLES,
    encoder_of,
    evidence_maps,
    kinds_to_show,
    remembering,
)
from medview.learning.cxr_given import scores_at
from medview.learning.cxr_weights import load_cxr, temperature_of
from medview.learning.devices import choose_device
from medview.learning.film import Film, prepare_film
from medview.learning.film_set import one_film
from medview.learning.film_shape import oddities
from medview.learning.film_squares import Picture
from medview.learning.run_stamp import stamped
from medview.learning.site_effects import FIXED, Both, GivenSite
from medview.learning.temperature import calmed
from medview.models.backbones import Backbone
from medview.models.mdmt import Mdmt, pool_zones
from medview.models.site_mdmt import SiteMdmt

ROLE = "film"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the network says of one film.

    `severe` is None without such a head, `zones` (6,) likewise; without effects of sites, or where
    the site has none, nothing of `severe` is mixed. `evidence` holds maps (cells, cells) by kind,
    signed: above 0 where the square speaks for a severe course.
    """

    severe: Both[float] | None
    zones: NDArray[np.float64] | None
    evidence: Mapping[str, Picture]


@lru_cache(maxsize=2)
def _loaded(
    model: str, weights: str | None, changed: float, device: str
) -> tuple[Mdmt, ModelCard, Backbone]:
    """The network, kept from run to run; `changed` is when its file was written."""
    return load_cxr(Path(weights) if weights else None, device, model)


def run_cxr(job: Progress, request: RunRequest) -> Prediction:
    """MDMT: severity of the course, Brixia scores of six zones, and where the evidence lies.

    Raises
    ------
    ModelInputError
        The input is no frontal chest film.
    WeightsError
        Weights missing, damaged or foreign.
    Cancelled
        The user asked to stop.
    """
    began = time.perf_counter()
    volume = request.volumes.get(ROLE)
    if volume is None:
        raise ModelInputError(
            "the chest model needs a film (role film)",
            do="Choose a frontal chest film.",
            code="MV-MOD-004",
        )
    device = choose_device(request.device)
    written = Path(request.weights).stat().st_mtime if request.weights else 0.0
    model, card, backbone = _loaded(request.model, request.weights, written, device)
    site = GivenSite(request.site, model.sites) if isinstance(model, SiteMdmt) else None
    size = int(str(card.settings["size"]))
    job.report(0, 2, "finding the lungs")
    film = prepare_film(volume)
    job.check()
    job.report(1, 2, "reading the film")
    kinds = tuple(kind for kind in TITLES if kind == GRADIENTS or kind in request.maps)
    said = ask(job, model, backbone, film, card, device, kinds, site)
    parameters = {"size": size, "backbone": backbone.name, **_asked(request, site)}
    return replace(
        stamped(
            *(card, request, began, _scores(said, film, card, site), parameters, (ROLE,)),
            device=device,
            mode="single",
        ),
        maps=_maps(said, film, volume, size),
        preparation=(*film.steps, f"square of {size} x {size}, three equal channels"),
        warnings=(
            *_warnings(film, volume, card, kinds),
            *(site.notes("the probability of a severe course") if site is not None else ()),
        ),
    )


def ask(
    job: Progress,
    model: Mdmt,
    backbone: Backbone,
    film: Film,
    card: ModelCard,
    device: str,
    wanted: Sequence[str] = (GRADIENTS,),
    site: GivenSite | None = None,
) -> Answer:
    """Run the network on one film, with the wanted kinds of evidence for its outcome.

    Of these, maps are those that passed under shuffled heads. They are of the answer with the
    effect of the `site`, where the network has one.
    """
    size = int(str(card.settings["size"]))
    square, shares = (given.to(device) for given in one_film(film, size))
    encode = remembering(encoder_of(model, backbone))
    own = model.at(site.number) if isinstance(model, SiteMdmt) and site is not None else model
    kinds = kinds_to_show(card.settings) if "prognosis" in model.heads else ()
    kinds = tuple(kind for kind in kinds if kind in wanted)
    evidence = evidence_maps(job, own, encode, square, shares, kinds)
    with torch.no_grad():
        name = site.name if site is not None else None
        found = scores_at(model, pool_zones(encode(square), shares), [name])
    calm = {n: float(calmed(found[n], temperature_of(card))[0]) for n in (FIXED, "severe")
            if n in found}  # fmt: skip
    severe = None
    if "severe" in calm:
        is_mixed = site is not None and site.is_known
        severe = Both(calm.get(FIXED, calm["severe"]), calm["severe"] if is_mixed else None)
    return Answer(severe, found["zones"][0] if "zones" in found else None, evidence)


def _scores(said: Answer, film: Film, card: ModelCard, site: GivenSite | None) -> tuple[Score, ...]:
    status: Status = "extrapolating" if oddities(film) else "ok"
    return (*_severe(said, card, status, site), *_zones(said, film, card, status))


def _severe(
    said: Answer, card: ModelCard, status: Status, site: GivenSite | None
) -> Iterator[Score]:
    """The probability; with effects of sites also without and with that of the film's own."""
    meaning = (
        "probability that this film is of a patient with a severe course (intensive care, "
        "ventilation or death), as in the training sets: mostly films of patients who already "
        "were in intensive care; no forecast"
    )

    def told(name: str, value: float | None, words: str) -> Score:
        if value is None:
            return Score(name, None, status="not_available", meaning=words)
        return Score(name, value, method=_calibration(card), status=status, meaning=words)

    both = said.severe
    if both is None:
        yield told("severe", None, "no such head was trained")
        return
    where = "" if site is None else f"; {site.words}"
    yield told("severe", both.best, f"{meaning}{where}")
    if site is not None:
        brief = "probability of a severe course"
        yield told("severe_fixed", both.fixed, f"{brief}, without the effect of a site")
        words = f"{brief}, {site.words}" if both.mixed is not None else site.words
        yield told("severe_mixed", both.mixed, words)


def _calibration(card: ModelCard) -> str:
    if "calibrated" in card.settings:
        return "temperature fitted to local cases"
    known = "temperature" in card.settings
    return "temperature from films left out in training" if known else "not calibrated"


def _zones(said: Answer, film: Film, card: ModelCard, status: Status) -> list[Score]:
    if said.zones is None:
        names = [*(f"brixia_{zone}" for zone in ZONES), "brixia_total"]
        why = "these weights give no scores of zones"
        return [Score(name, None, status="not_available", meaning=why) for name in names]
    where = "" if film.found else "; the lungs were not told apart, a fixed grid was used"
    sides = ("right lung", "left lung")
    parts = ("upper", "middle", "lower")
    method = "errors on films left out in training"
    scores = []
    for k, zone in enumerate(ZONES):
        value = float(said.zones[k])
        low, high = zone_bounds(value, card.settings)
        meaning = f"{parts[k % 3]} zone of the {sides[k // 3]}, 0 to 3{where}"
        scores.append(Score(f"brixia_{zone}", value, low, high, method=method, status=status,
                            meaning=meaning))  # fmt: skip
    total = float(said.zones.sum())
    low, high = total_bounds(total, card.settings)
    meaning = f"sum of the six zones, 0 to {HIGHEST}{where}"
    scores.append(Score("brixia_total", total, low, high, method=method, status=status,
                        meaning=meaning))  # fmt: skip
    return scores


def _maps(said: Answer, film: Film, volume: Volume, size: int) -> tuple[ScalarMap, ...]:
    """Evidence for a severe course, numbered zones, and the square that the model saw."""

    def made(name: str, title: str, kind: MapKind, values: Picture, top: float) -> ScalarMap:
        array = np.ascontiguousarray(values, dtype=np.float32)[None]
        return ScalarMap(name, array, volume.geometry, kind, "1", (0.0, top), title)

    lungs = film.turned(film.lungs.astype(np.float32))
    maps = [
        made("lungs", "zones A to F of the lungs", "labels", lungs, 6.0),
        made("seen", "what the model saw", "image", film.on_film(film.crop(size)), 1.0),
    ]
    for place, (kind, values) in enumerate(said.evidence.items()):
        shown = film.on_film(np.maximum(values, 0))
        top = float(shown.max()) or 1.0
        maps.insert(place, made(kind, TITLES[kind], "evidence", shown, top))
    return tuple(maps)


def _asked(request: RunRequest, site: GivenSite | None) -> dict[str, object]:
    """What the result tells of the maps that were asked for, and of the site."""
    told: dict[str, object] = {"maps": list(request.maps)} if request.maps else {}
    return {**told, "site": site.name} if site is not None and site.name else told


def _warnings(
    film: Film, volume: Volume, card: ModelCard, wanted: Sequence[str]
) -> tuple[Note, ...]:
    notes = list(volume.warnings)
    gone = [kind for kind in wanted if kind not in kinds_to_show(card.settings)]
    if gone:
        text = "stays much the same under a head with shuffled weights and is not shown"
        notes.append(Note("MAP_NOT_SHOWN", f"the map {' and '.join(gone)} {text}"))
    return (*notes, *(Note("OUTSIDE_TRAINING", odd) for odd in oddities(film)))
