"""Chest films as feature vectors of a frozen encoder, for the fusion with a series.

The encoder is EfficientNet-Lite0 as trained on ImageNet. The paper trains a ResNet-34 end to end
on hundreds of thousands of films; the open set of films with laboratory values has 61 patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medview.domain.overlay import ScalarMap
from medview.domain.progress import Progress
from medview.domain.volume import Volume
from medview.imaging.clahe import clahe
from medview.learning.cxr_weights import encoder
from medview.learning.film import WholeFilm, whole_film
from medview.learning.icu_grid import Floats
from medview.learning.images import read_image
from medview.learning.subset import TrainCase
from medview.models.backbones import DEFAULT, Backbone

SIDE = 256
STEPS = (
    f"film: 2nd to 98th percentile to 0-1, whole film resized to {SIDE} x {SIDE}",
    "film features: EfficientNet-Lite0 (ImageNet), frozen, averaged over the film",
)


EQUALISED = "film: contrast equalised in 8 x 8 tiles, clip limit 2 (CLAHE)"


@cache
def _encoder() -> Backbone:
    found = encoder(DEFAULT)
    found.stages.eval()
    return found


@torch.no_grad()
def features_of(volume: Volume, *, equalise: bool = False) -> Floats:
    """Features (1280,) of a frontal chest film, its contrast equalised (CLAHE) where asked for.

    Raises
    ------
    ModelInputError
        Not a frontal chest film, or one without contrast.
    """
    found = encoded(squeezed(whole_film(volume), equalise=equalise))[0]
    return np.asarray(found.numpy(), dtype=np.float32)


def squeezed(film: WholeFilm, *, equalise: bool = False) -> Tensor:
    """The whole film as (1, SIDE, SIDE) in 0..1, its contrast equalised where asked for."""
    grey = torch.from_numpy(film.grey)[None, None]
    small = F.interpolate(grey, (SIDE, SIDE), mode="bilinear", antialias=True)[:, 0]
    return torch.from_numpy(clahe(small[0].numpy()))[None] if equalise else small


def on_film(film: WholeFilm, values: Tensor) -> NDArray[np.float32]:
    """A map (S, S) of the squeezed film, drawn out on the film's own grid; 0 in its frame."""
    size = film.grey.shape
    wide = F.interpolate(values[None, None], size, mode="bilinear", align_corners=False)[0, 0]
    return film.turned(wide.numpy())


def seen_map(volume: Volume, *, equalise: bool = False) -> ScalarMap:
    """What the encoder is given, as a layer on the film: its squeezed picture, drawn out again."""
    film = whole_film(volume)
    seen = on_film(film, squeezed(film, equalise=equalise)[0])[None]
    return ScalarMap("seen", seen, volume.geometry, "image", "1", (0.0, 1.0), "what the model saw")


@torch.no_grad()
def encoded(grey: Tensor) -> Tensor:
    """Features (B, 1280) of grey pictures (B, SIDE, SIDE)."""
    backbone = _encoder()
    found: Tensor = backbone.stages(backbone.normalised(grey)).mean((2, 3))
    return found


def steps_of(volume: Volume, *, equalise: bool) -> tuple[str, ...]:
    """What is done to a film, in words."""
    told = whole_film(volume).steps
    return (*told, STEPS[0], EQUALISED, *STEPS[1:]) if equalise else (*told, *STEPS)


def film_features(
    job: Progress, cases: Sequence[TrainCase], *, equalise: bool = False
) -> dict[Path, Floats]:
    """Features of the films of these cases, by file."""
    paths = sorted({case.images["film"] for case in cases if "film" in case.images})
    found = {}
    for n, path in enumerate(paths):
        job.check()
        job.report(n, len(paths), f"film {n + 1} / {len(paths)}")
        found[path] = features_of(read_image(path), equalise=equalise)
    return found
