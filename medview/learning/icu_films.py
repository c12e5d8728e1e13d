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
from torch import Tensor
from torch.nn import functional as F

from medview.domain.overlay import ScalarMap
from medview.domain.progress import Progress
from medview.domain.volume import Volume
from medview.imaging.clahe import clahe
from medview.learning.cxr_weights import encoder
from medview.learning.film import as_grey, refuse_unfit
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
    found = encoded(squeezed(volume, equalise=equalise))[0]
    return np.asarray(found.numpy(), dtype=np.float32)


def squeezed(volume: Volume, *, equalise: bool = False) -> Tensor:
    """The whole film as (1, SIDE, SIDE) in 0..1, its contrast equalised where asked for.

    Raises
    ------
    ModelInputError
        As `features_of`.
    """
    refuse_unfit(volume)
    grey = torch.from_numpy(as_grey(volume))[None, None]
    small = F.interpolate(grey, (SIDE, SIDE), mode="bilinear", antialias=True)[:, 0]
    return torch.from_numpy(clahe(small[0].numpy()))[None] if equalise else small


def seen_map(volume: Volume, *, equalise: bool = False) -> ScalarMap:
    """What the encoder is given, as a layer on the film: its squeezed picture, drawn out again."""
    small = squeezed(volume, equalise=equalise)[None]
    size = volume.geometry.shape[1:]
    whole = F.interpolate(small, size, mode="bilinear", align_corners=False)[0]
    title = "what the model saw"
    return ScalarMap("seen", whole.numpy(), volume.geometry, "image", "1", (0.0, 1.0), title)


@torch.no_grad()
def encoded(grey: Tensor) -> Tensor:
    """Features (B, 1280) of grey pictures (B, SIDE, SIDE)."""
    backbone = _encoder()
    found: Tensor = backbone.stages(backbone.normalised(grey)).mean((2, 3))
    return found


def steps_of(*, equalise: bool) -> tuple[str, ...]:
    """What is done to a film, in words."""
    return (STEPS[0], EQUALISED, *STEPS[1:]) if equalise else STEPS


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
