"""What turns the maps of an anomaly model into scores: the settings that its card keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

_PLAIN = (
    "samples",
    "mirrored",
    "balanced",
    "upright",
    "alpha",
    "rule",
    "smooth_px",
    "wide_px",
    "volume_mm",
    "opposite",
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
    single slices. Of every difference the share `opposite` of that on the other side is taken off
    where both are alike. A finding reaches down to the share `grow` of its peak (1: to the
    threshold). Slices of whose structure the model explains less than `floor` are not judged
    (None: all are). `mirrored`: every other draw is of the mirror image;
    `balanced`: the noise of all draws of a slice has a mean of 0.
    `upright`: heads that lie turned are shown to the model as if they did not.
    """

    samples: int = 5
    mirrored: bool = False
    balanced: bool = False
    upright: bool = False
    alpha: float = 0.5
    rule: Rule = "ratio"
    smooth_px: float = 1.0
    wide_px: float = 0.0
    volume_mm: float = 0.0
    opposite: float = 0.0
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


@dataclass(frozen=True, slots=True)
class Normals:
    """What normal brains that the scoring weights never saw have: each list from low to high.

    `scores` are those of volumes, `peaks` those of the highest finding of each, 0 without any.
    """

    scores: list[float]
    peaks: list[float]
