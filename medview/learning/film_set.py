"""Films of data sets as arrays: squares of the lungs, zones and labels, with augmented copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from medview.domain.errors import InputRefused
from medview.domain.progress import Progress
from medview.learning.chest_rows import (
    MIRRORED,
    SEVERE,
    lung_class,
    severity_class,
    zone_scores,
)
from medview.learning.film import Film, prepare_film
from medview.learning.film_squares import Picture, shares_of
from medview.learning.images import read_image
from medview.learning.subset import LeftOut, TrainCase
from medview.models.backbones import Backbone
from medview.models.mdmt import pool_zones

Labels = NDArray[np.int8]
SHIFT, ZOOM, TURN, LIKELY = 0.1, 0.1, 10.0, 0.5
"""Augmentation: largest shift (share of the side), zoom (share) and turn (degrees), each with
this chance."""
ELASTIC, SMOOTH = (20.0, 40.0), 7.0
"""Augmentation: least and largest strength of a bend, and how smooth it is, both in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmSet:
    """Films ready for a network: n films in c copies, the first as it is.

    Attributes
    ----------
    cases : tuple[TrainCase, ...]
        The films, n.
    squares : NDArray[np.uint8]
        (n, c, size, size), grey 0..255.
    shares : NDArray[np.float16]
        (n, c, 6, cells, cells): how much of each cell is of each zone.
    mirrored : NDArray[np.bool_]
        (n, c), True for copies that are mirrored.
    found : NDArray[np.bool_]
        (n,), False where the lungs were not told apart.
    skipped : tuple[LeftOut, ...]
        Films that cannot be used, and why.
    """

    cases: tuple[TrainCase, ...]
    squares: NDArray[np.uint8]
    shares: NDArray[np.float16]
    mirrored: NDArray[np.bool_]
    found: NDArray[np.bool_]
    skipped: tuple[LeftOut, ...] = ()

    @property
    def patients(self) -> list[str]:
        """The patient of each film."""
        return [case.patient for case in self.cases]


def load_films(
    job: Progress, cases: Sequence[TrainCase], size: int, copies: int, seed: int
) -> FilmSet:
    """Read films and make their copies; films that are refused are left out by name."""
    kept, skipped, films = [], [], []
    for n, case in enumerate(cases):
        job.check()
        job.report(n, len(cases), f"reading film {n + 1} / {len(cases)}")
        try:
            film = prepare_film(read_image(case.image))
        except InputRefused as error:
            skipped.append(LeftOut(case.case, error.code, error.what))
            continue
        pixels = {"pixels": str(film.grey.size)}
        kept.append(replace(case, cells={**case.cells, **pixels}))
        films.append(_copies(film, size, copies, np.random.default_rng((seed, n))))
    cells = size // 32
    squares = np.empty((len(films), copies, size, size), np.uint8)
    shares = np.empty((len(films), copies, 6, cells, cells), np.float16)
    mirrored = np.zeros((len(films), copies), np.bool_)
    found = np.ones(len(films), np.bool_)
    for n, (versions, whole) in enumerate(films):
        found[n] = whole
        for c, (square, zones, turned) in enumerate(versions):
            squares[n, c] = _in_bytes(square)
            shares[n, c], mirrored[n, c] = shares_of(zones, cells), turned
    return FilmSet(tuple(kept), squares, shares, mirrored, found, tuple(skipped))


def _in_bytes(square: Picture) -> NDArray[np.uint8]:
    return np.round(255 * square).astype(np.uint8)


def one_film(film: Film, size: int) -> tuple[Tensor, Tensor]:
    """The square (1, size, size) of a film and the shares of its zones, as a set would hold them.

    Rounding to bytes moves a probability by some thousandths: a film alone is asked as those were
    that the network learnt from and was measured on.
    """
    shares = shares_of(film.zones(size), size // 32).astype(np.float16)
    grey = torch.from_numpy(_in_bytes(film.crop(size)))[None].float() / 255
    return grey, torch.from_numpy(shares)[None].float()


Version = tuple[Picture, Labels, bool]


def _copies(
    film: Film, size: int, copies: int, rng: np.random.Generator
) -> tuple[list[Version], bool]:
    plain = film.crop(size), film.zones(size)
    others = [augmented(*plain, rng) for _ in range(copies - 1)]
    return [(*plain, False), *others], film.found


def augmented(square: Picture, zones: Labels, rng: np.random.Generator) -> Version:
    """A square moved, zoomed, turned, bent or mirrored, each with a chance of one half.

    In a mirrored one the zones change sides, so that A to C are on the left of the picture again.
    """
    size = len(square)
    chance = rng.random(5) < LIKELY
    shift = rng.uniform(-SHIFT, SHIFT, 2) * size * chance[0]
    zoom = 1 + rng.uniform(-ZOOM, ZOOM) * chance[1]
    angle = np.radians(rng.uniform(-TURN, TURN)) * chance[2]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / zoom
    middle = (size - 1) / 2
    places = np.indices((size, size)).astype(np.float64) - middle
    places = np.tensordot(turn, places, 1) + middle + shift[:, None, None]
    if chance[3]:
        bend = rng.uniform(-1, 1, (2, size, size))
        places += [ndimage.gaussian_filter(b, SMOOTH) * rng.uniform(*ELASTIC) for b in bend]
    square = ndimage.map_coordinates(square, places, order=1, mode="nearest")
    zones = ndimage.map_coordinates(zones, places, order=0, mode="constant")
    if chance[4]:
        square, zones = square[:, ::-1], mirror_zones(zones[:, ::-1])
    return square, zones, bool(chance[4])


def mirror_zones(zones: Labels) -> Labels:
    """Zone numbers with the sides exchanged: A and D, B and E, C and F."""
    table = np.array([0, *(place + 1 for place in MIRRORED)], np.int8)
    return table[zones]


def targets_of(cases: Sequence[TrainCase]) -> dict[str, NDArray[np.float32]]:
    """Labels by task; NaN where a film has none.

    ``prognosis`` (n,) 1 is SEVERE; ``severity`` (n,) 0 to 3; ``lungs`` (n, 2) 0 to 3; ``zones``
    (n, 6) 0 to 3.
    """
    n = len(cases)
    zones = np.full((n, 6), np.nan, np.float32)
    prognosis = np.full(n, np.nan, np.float32)
    for k, case in enumerate(cases):
        if case.cells.get("brixia"):
            zones[k] = zone_scores(case.cells["brixia"])
        if case.cells.get("prognosis"):
            prognosis[k] = case.cells["prognosis"] == SEVERE
    return {"prognosis": prognosis, **severity_targets(zones)}


def severity_targets(zones: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The three kinds of severity labels of zone scores (n, 6)."""
    known = np.isfinite(zones).all(axis=1)
    severity = np.full(len(zones), np.nan, np.float32)
    lungs = np.full((len(zones), 2), np.nan, np.float32)
    for k in np.flatnonzero(known):
        severity[k] = severity_class(int(zones[k].sum()))
        lungs[k] = [lung_class(int(zones[k, :3].sum())), lung_class(int(zones[k, 3:].sum()))]
    return {"severity": severity, "lungs": lungs, "zones": zones}


def mirror_targets(targets: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Labels of mirrored films: zones and lungs change sides."""
    return {
        **targets,
        "zones": targets["zones"][:, list(MIRRORED)],
        "lungs": targets["lungs"][:, ::-1].copy(),
    }


def pooled_features(
    job: Progress, films: FilmSet, backbone: Backbone, batch: int = 16
) -> NDArray[np.float16]:
    """What the whole encoder gives, pooled: (n, c, 7, F), over the square and over each zone."""
    stages = backbone.stages.eval()
    n, copies = films.squares.shape[:2]
    squares = films.squares.reshape(n * copies, *films.squares.shape[2:])
    shares = films.shares.reshape(n * copies, *films.shares.shape[2:])
    found = np.empty((n * copies, 7, backbone.features), np.float16)
    with torch.inference_mode():
        for first in range(0, n * copies, batch):
            job.check()
            job.report(first, n * copies, "features of the films")
            here = slice(first, first + batch)
            features = stages(backbone.normalised(_grey(squares[here])))
            pooled = pool_zones(features, torch.from_numpy(shares[here]).float())
            found[here] = pooled.numpy()
    return found.reshape(n, copies, 7, backbone.features)


def _grey(squares: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(squares).float() / 255
