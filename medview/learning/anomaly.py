"""From model slices to residual, uncertainty and score, and from those to one number.

Source: arXiv 2504.15562, equations 10-14. With x the slice, x_bar the mean of K draws:

- residual = (x - x_bar)^2, the difference smoothed by a small Gaussian first (ours; 0 is the
  paper's form), because a lesion is wider than a misplaced gyrus; the maps of a volume are
  smoothed in all three directions, because a lesion is in the next slice, too;
- total = epistemic + aleatoric; score per pixel = residual / (total + 1e-8);
- A = alpha z(mean residual) + (1 - alpha) z(mean score): the paper adds the raw means and does
  not print alpha; we bring both terms to the mean and spread of training normals first, and
  may take a wide average off the difference, so that a slice is not judged by its shading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, stats
from torch.nn import functional as F

from medview.domain.prediction import Precision
from medview.domain.progress import Progress
from medview.learning.grid import PIXEL_MM
from medview.learning.recognised import explained, recognised
from medview.models.anomaly_vae import LATENT, AnomalyVae
from medview.models.blocks import channels_last
from medview.models.fused import FusedVae

EPSILON = 1e-8
DRAWS_A_SLICE = 5
COARSE = 4
"""Wide averages are worked out on blocks of so many pixels."""
RIM_PX = 2
"""The outermost pixels are left out of means: there the mask decides, not the brain."""

_PLAIN = (
    "samples",
    "alpha",
    "rule",
    "smooth_px",
    "wide_px",
    "volume_mm",
    "quantile",
    "threshold",
    "residual_threshold",
    "slice_threshold",
    "slice_residual_threshold",
    "grow",
    "top",
    "floor",
)

Rule = Literal[
    "ratio", "product", "sum", "epistemic", "residual", "ratio-aleatoric", "ratio-epistemic"
]
RULES: tuple[Rule, ...] = get_args(Rule)
"""The first is the paper's; the last two divide by one part of the uncertainty alone."""


@dataclass(frozen=True, slots=True)
class Norm:
    """Mean and standard deviation of a term over slices of training normals."""

    mean: float = 0.0
    sd: float = 1.0


@dataclass(frozen=True, slots=True)
class AnomalySettings:
    """What turns maps into scores; kept in the card, so that one file says it all.

    `quantile` is how a map is summed up over a brain slice: 0 is its mean (the paper),
    else the quantile, for lesions that fill little of a slice. A slice on its own is smoothed by
    `smooth_px`, and its score takes off an average over `wide_px` (0: none). The maps of a volume
    are smoothed by `volume_mm` in all directions (0: as slices on their own); `threshold` and
    `residual_threshold` are for these, `slice_threshold` and `slice_residual_threshold` for
    single slices. A finding reaches down to the share `grow` of its peak (1: to the threshold).
    Slices of whose structure the model explains less than `floor` are not judged (None: all are).
    """

    samples: int = 5
    alpha: float = 0.5
    rule: Rule = "ratio"
    smooth_px: float = 1.0
    wide_px: float = 0.0
    volume_mm: float = 0.0
    quantile: float = 0.0
    threshold: float = 6.0
    residual_threshold: float = 0.02
    slice_threshold: float = 6.0
    slice_residual_threshold: float = 0.02
    grow: float = 1.0
    top: float = 18.0
    floor: float | None = None
    residual_norm: Norm = Norm()
    score_norm: Norm = Norm()

    @classmethod
    def from_card(cls, settings: dict[str, object]) -> AnomalySettings:
        """Read the settings of a card; unknown entries are left alone."""
        plain = {name: settings[name] for name in _PLAIN if name in settings}
        for name in ("threshold", "residual_threshold"):
            if name in plain:
                plain.setdefault(f"slice_{name}", plain[name])
        found = cls(**plain)  # type: ignore[arg-type]  # names are checked above
        norms = {
            name: Norm(*settings[name])  # type: ignore[misc]  # two numbers by the card's format
            for name in ("residual_norm", "score_norm")
            if name in settings
        }
        return replace(found, **norms)  # type: ignore[arg-type]  # two Norm fields

    def of_single_slices(self) -> AnomalySettings:
        """The same for slices without neighbours."""
        return replace(
            self,
            volume_mm=0.0,
            threshold=self.slice_threshold,
            residual_threshold=self.slice_residual_threshold,
        )

    def to_card(self) -> dict[str, object]:
        """The same as plain values for JSON."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "residual_norm": [self.residual_norm.mean, self.residual_norm.sd],
            "score_norm": [self.score_norm.mean, self.score_norm.sd],
        }


@dataclass(frozen=True, slots=True, eq=False)
class SliceMaps:
    """Maps of n model slices, each (n, 128, 128) float32; `x_bar` is the mean reconstruction.

    `contrast` is the residual that slices are judged by, where that is another one.
    """

    x_bar: NDArray[np.float32]
    residual: NDArray[np.float32]
    epistemic: NDArray[np.float32]
    aleatoric: NDArray[np.float32]
    contrast: NDArray[np.float32] | None = None

    @property
    def total(self) -> NDArray[np.float32]:
        """Epistemic plus aleatoric variance."""
        return self.epistemic + self.aleatoric

    def score(self, rule: Rule = "ratio") -> NDArray[np.float32]:
        """Pixel score by one of the rules; "ratio" is the paper's."""
        return combine(self.residual, self.epistemic, self.total, rule)


def combine(
    residual: NDArray[np.float32],
    epistemic: NDArray[np.float32],
    total: NDArray[np.float32],
    rule: Rule,
) -> NDArray[np.float32]:
    """Pixel score from residual and variances.

    The ratio pulls the score down where the model is unsure; product and sum push it up there
    (variances enter as standard deviations, so that all terms grow alike).
    """
    if rule == "product":
        return np.asarray(np.sqrt(residual * total), dtype=np.float32)
    if rule == "sum":
        return np.asarray(np.sqrt(residual) + np.sqrt(total), dtype=np.float32)
    by = {"ratio": total, "ratio-aleatoric": total - epistemic, "ratio-epistemic": epistemic}
    if rule in by:
        return np.asarray(residual / (by[rule] + np.float32(EPSILON)), dtype=np.float32)
    return epistemic if rule == "epistemic" else residual


def noise_for(slices: int, samples: int, seed: int) -> torch.Tensor:
    """Standard normal draws (samples, slices, 256), the same whatever the batch size."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(slices, samples, LATENT, generator=generator).transpose(0, 1)


@dataclass(frozen=True, slots=True)
class Engine:
    """Where and how the network runs: `batch` slices are encoded at once."""

    model: AnomalyVae
    device: str = "cpu"
    precision: Precision = "float32"
    batch: int = 4

    @classmethod
    def fast(
        cls, model: AnomalyVae, device: str = "cpu", precision: Precision = "float32"
    ) -> Engine:
        """The same answers with less work, in blocks as large as the device likes.

        On a CPU blocks that leave the cache are slower; a GPU wants large ones.
        """
        return cls(FusedVae(model), device, precision, 4 if device == "cpu" else 64)

    @property
    def draws(self) -> int:
        """How many draws are decoded at once, whatever K is."""
        return DRAWS_A_SLICE * self.batch


def smooth_difference(
    difference: NDArray[np.float32],
    brain: NDArray[np.bool_],
    sigma_px: float,
    between: float = 0.0,
) -> NDArray[np.float32]:
    """Gaussian average within the brain, so that the outside does not dilute it.

    Over `sigma_px` pixels in each slice and, where they are neighbours, over `between` slices.
    """
    if sigma_px <= 0:
        return difference
    inside = brain.astype(np.float32)
    sigma = (between, sigma_px, sigma_px)
    weight = ndimage.gaussian_filter(inside, sigma, truncate=3)
    smooth = ndimage.gaussian_filter(difference * inside, sigma, truncate=3)
    return np.where(brain, smooth / np.maximum(weight, 1e-6), 0).astype(np.float32)


def wide_average(
    difference: NDArray[np.float32], brain: NDArray[np.bool_], sigma_px: float
) -> NDArray[np.float32]:
    """The same average over many pixels, worked out on a quarter of the resolution."""
    inside = torch.from_numpy(brain.astype(np.float32))[:, None]
    values = torch.from_numpy(np.ascontiguousarray(difference, dtype=np.float32))[:, None] * inside
    sigma = (0, 0, sigma_px / COARSE, sigma_px / COARSE)
    wide = [
        torch.from_numpy(
            ndimage.gaussian_filter(F.avg_pool2d(part, COARSE).numpy(), sigma, truncate=3)
        )
        for part in (values, inside)
    ]
    average = wide[0] / wide[1].clamp_min(1e-6)
    whole = F.interpolate(average, scale_factor=COARSE, mode="bilinear", align_corners=False)
    return np.asarray((whole * inside)[:, 0].numpy())


def run_slices(
    engine: Engine,
    slices: NDArray[np.float32],
    noise: torch.Tensor,
    job: Progress,
    arrived: Callable[[slice, NDArray[np.float32], NDArray[np.float32]], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Encode each slice once and decode its K draws together with those of its neighbours.

    Parameters
    ----------
    slices : NDArray[np.float32]
        (n, 128, 128) in 0..1.
    noise : torch.Tensor
        (K, n, 256) standard normal.
    arrived : Callable | None
        Told of each block: which slices, their pictures (K, b, 128, 128) and mean variance.

    Returns
    -------
    tuple
        Pictures (K, n, 128, 128) and the mean predicted variance (n, 128, 128).
    """
    count, samples = len(slices), noise.shape[0]
    pictures = np.empty((samples, *slices.shape), np.float32)
    aleatoric = np.empty(slices.shape, np.float32)
    for first in range(0, count, engine.batch):
        job.check()
        here = slice(first, first + engine.batch)
        drawn, variance = _run_block(engine, slices[here], noise[:, here])
        pictures[:, here], aleatoric[here] = drawn, variance
        if arrived is not None:
            arrived(here, drawn, variance)
        done = min(count, first + engine.batch)
        job.report(done, count, f"slice {done} / {count}")
    return pictures, aleatoric


@torch.inference_mode()
def _run_block(
    engine: Engine, slices: NDArray[np.float32], noise: torch.Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    samples, batch = noise.shape[:2]
    x = torch.from_numpy(np.ascontiguousarray(slices))[:, None].to(engine.device)
    kind = engine.device.split(":")[0]
    low = engine.precision == "bfloat16"
    with torch.autocast(kind, torch.bfloat16, enabled=low):
        mean, log_variance = engine.model.encode(channels_last(x))
        z = mean.float() + torch.exp(0.5 * log_variance.float()) * noise.to(engine.device)
        parts = torch.split(z.reshape(samples * batch, -1), engine.draws)
        pictures, s = zip(*(engine.model.decode(part) for part in parts), strict=True)
    shape = (samples, batch, *slices.shape[1:])
    variance = torch.cat(s).float().exp().reshape(shape).mean(0)
    return torch.cat(pictures).float().reshape(shape).cpu().numpy(), variance.cpu().numpy()


def maps_from_draws(
    slices: NDArray[np.float32],
    brain: NDArray[np.bool_],
    pictures: NDArray[np.float32],
    aleatoric: NDArray[np.float32],
    smooth_px: float,
    *,
    wide_px: float = 0.0,
    between: float = 0.0,
) -> SliceMaps:
    """Residual and variances of n slices from K pictures (K, n, 128, 128); zero outside.

    `between` smooths over slices, which must then be neighbours; `wide_px` makes `contrast`.
    """
    x_bar = pictures.mean(0)
    difference = smooth_difference(slices - x_bar, brain, smooth_px, between)
    inside = brain.astype(np.float32)
    contrast = None
    if wide_px > 0:
        contrast = (difference - wide_average(slices - x_bar, brain, wide_px)) ** 2 * inside
    return SliceMaps(
        x_bar * inside,
        difference**2 * inside,
        pictures.var(0) * inside,
        aleatoric * inside,
        contrast,
    )


def rimless(brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The brain of each slice (n, 128, 128) without its outermost pixels."""
    cross = ndimage.generate_binary_structure(2, 1)[None]
    return np.asarray(ndimage.binary_erosion(brain, cross, iterations=RIM_PX), dtype=np.bool_)


def sum_up(
    values: NDArray[np.float32], brain: NDArray[np.bool_], quantile: float
) -> NDArray[np.float64]:
    """One figure a slice: mean or quantile over its rimless brain; NaN where there is none."""
    inner = rimless(brain)
    out = np.full(len(values), np.nan)
    for k in np.flatnonzero(inner.any(axis=(1, 2))):
        here = values[k][inner[k]]
        out[k] = np.quantile(here, quantile) if quantile else here.mean()
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What the network said of n slices.

    `slices`, `brain` and the mean predicted variance `aleatoric` are (n, 128, 128), `pictures`
    (K, n, 128, 128).
    """

    slices: NDArray[np.float32]
    brain: NDArray[np.bool_]
    pictures: NDArray[np.float32]
    aleatoric: NDArray[np.float32]

    def explained(self) -> NDArray[np.float64]:
        """Share of the structure of each slice that the mean of its draws explains, (n,)."""
        return explained(self.slices, self.pictures.mean(0), self.brain)

    def judged(self, floor: float | None) -> Drawn:
        """The same with no brain in slices of which less is explained: they are not judged."""
        if floor is None:
            return self
        return replace(self, brain=self.brain & recognised(self.explained(), floor)[:, None, None])

    def maps(self, smooth_px: float, wide_px: float = 0.0) -> SliceMaps:
        """The maps of slices on their own at a smoothing, whether or not they are recognised."""
        said = (self.slices, self.brain, self.pictures, self.aleatoric)
        return maps_from_draws(*said, smooth_px, wide_px=wide_px)

    def volume_maps(self, settings: AnomalySettings, step_mm: float) -> SliceMaps:
        """The maps of neighbouring slices `step_mm` apart; empty where they are not judged."""
        known = self.judged(settings.floor)
        if settings.volume_mm <= 0 or len(self.slices) < 2:
            return known.maps(settings.smooth_px)
        said = (known.slices, known.brain, known.pictures, known.aleatoric)
        sigma = settings.volume_mm
        return maps_from_draws(*said, sigma / PIXEL_MM, between=sigma / step_mm)

    def slice_scores(self, settings: AnomalySettings) -> NDArray[np.float64]:
        """A(x) of each slice, (n,); NaN where there is no brain or it is not judged."""
        known = self.judged(settings.floor)
        return slice_scores(known.maps(settings.smooth_px, settings.wide_px), known.brain, settings)

    def volume_score(self, settings: AnomalySettings) -> float:
        """A(x) of all slices together."""
        return volume_score(self.slice_scores(settings), self.brain.sum(axis=(1, 2)))

    def without(self, draw: int) -> Drawn:
        """The same with one draw less."""
        return replace(self, pictures=np.delete(self.pictures, draw, 0))


def slice_scores(
    maps: SliceMaps, brain: NDArray[np.bool_], settings: AnomalySettings
) -> NDArray[np.float64]:
    """A(x) of each slice, standardised on training normals; NaN for slices without brain."""
    return weigh(*sums(maps, brain, settings), settings)


def sums(
    maps: SliceMaps, brain: NDArray[np.bool_], settings: AnomalySettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both terms of each slice before they are standardised."""
    residual = maps.residual if maps.contrast is None else maps.contrast
    score = combine(residual, maps.epistemic, maps.total, settings.rule)
    quantile = settings.quantile
    return sum_up(residual, brain, quantile), sum_up(score, brain, quantile)


def weigh(
    residual: NDArray[np.float64], score: NDArray[np.float64], settings: AnomalySettings
) -> NDArray[np.float64]:
    """Alpha times the standardised residual plus (1 - alpha) times the standardised score."""
    a, b = settings.residual_norm, settings.score_norm
    first = (residual - a.mean) / a.sd
    second = (score - b.mean) / b.sd
    return np.asarray(settings.alpha * first + (1 - settings.alpha) * second)


def volume_score(per_slice: NDArray[np.float64], area: NDArray[Any]) -> float:
    """One figure of a volume: the mean over its slices, weighted by their brain area."""
    known = np.isfinite(per_slice)
    if not known.any():
        return float("nan")
    return float(np.average(per_slice[known], weights=area[known]))


def score_with_interval(
    drawn: Drawn, settings: AnomalySettings
) -> tuple[float, float | None, float | None]:
    """The volume's score and its 95 % jackknife interval over draws; None for less than three.

    The score is NaN where no slice can be judged.
    """
    drawn, settings = drawn.judged(settings.floor), replace(settings, floor=None)
    value, samples = drawn.volume_score(settings), len(drawn.pictures)
    if samples < 3 or not np.isfinite(value):
        return value, None, None
    without = np.array([drawn.without(k).volume_score(settings) for k in range(samples)])
    error = np.sqrt((samples - 1) / samples * ((without - without.mean()) ** 2).sum())
    reach = float(stats.t.ppf(0.975, samples - 1) * error)
    return value, value - reach, value + reach
