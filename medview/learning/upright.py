"""How far a head is turned against the mean head, by rigid registration of its box.

The region network learnt from heads that lie nearly as the mean one does: one that is turned by
20 degrees more gets other volumes, and another age. So a head that lies far off is turned upright
before it is shown; one that lies as those learnt from is left alone, because turning means
interpolation, which costs more there than it gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from medview.domain.errors import WeightsError
from medview.domain.resources import resource
from medview.io.cards import WEIGHTS

Picture = NDArray[np.float32]
MOST_DEG = 10.0
"""Heads turned by more are turned back; of the heads learnt from none is turned by 9."""
WIDEST_DEG = 25.0
"""A head found further off is in doubt: few lie so, and wrong headers come out so."""
INVERTED = -0.35
"""Correlation within the brain below which white matter is the darker one: of T1 heads none has
less than 0.2, of inverted ones none more than -0.38."""
LEAST_ALIKE = 0.5
"""Correlation with the mean head below which nothing is known of how a head lies."""
_STEPS_MM = (8.0, 4.0)
"""Voxels of the registration, first and last."""
_MEAN_STEP_MM = 4.0
_ARM_MM = 50.0
"""A turn by one radian counts like a shift by this much: about the radius of a head."""
# Of the mean head, whose white matter is near 1; and voxels of it below which nothing is said.
_IN_BRAIN, _FEWEST = 0.3, 500
_FILE = ("weights", "mean-head", WEIGHTS)


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """How a head lies in its box.

    `turn` (3, 3) takes directions of the mean head to those of this one, LPS; `degrees` is its
    angle; `alike` the correlation of both, 1 being the same; `within` that of what both have inside
    the brain as they lie: below 0 white matter is the darker one.
    """

    turn: NDArray[np.float64]
    degrees: float
    alike: float
    within: float = 1.0

    @property
    def known(self) -> bool:
        """Whether it is a head of which something can be said."""
        return self.alike >= LEAST_ALIKE

    @property
    def is_inverted(self) -> bool:
        """Whether white matter is darker than grey matter, so that nothing is known of the turn."""
        return self.within < INVERTED

    @property
    def is_turned(self) -> bool:
        """Whether it lies too far off to be shown as it is."""
        return self.known and self.degrees > MOST_DEG

    @property
    def pitch_roll_yaw(self) -> tuple[float, float, float]:
        """Degrees about the axes to left, to posterior and to head, in this order of turning."""
        m = self.turn
        roll = np.arcsin(np.clip(-m[2, 0], -1, 1))
        found = (np.arctan2(m[2, 1], m[2, 2]), roll, np.arctan2(m[1, 0], m[0, 0]))
        pitch, across, yaw = (float(np.degrees(angle)) for angle in found)
        return pitch, across, yaw


def pose_of(shown: Picture, step_mm: float, mean: Picture | None = None) -> Pose:
    """Register the mean head to a head in its box: rigid, by correlation, coarse to fine.

    Parameters
    ----------
    shown : Picture
        (k, j, i) growing to head, posterior and left; what the network would be given.
    step_mm : float
        Its voxels.
    mean : Picture | None
        Another mean head than the shipped one, at 4 mm.

    Raises
    ------
    WeightsError
        If the mean head is missing or damaged.
    """
    fixed = _image(mean_head() if mean is None else mean, _MEAN_STEP_MM)
    moving = _image(shown, step_mm)
    found = SimpleITK.Euler3DTransform()
    alike = 0.0
    for step in _STEPS_MM:
        try:
            alike = -_register(_coarser(fixed, step), _coarser(moving, step), found)
        except RuntimeError:  # nothing of both heads lies on each other, or there is no contrast
            return Pose(np.eye(3), 0.0, 0.0)
    turn = np.array(found.GetMatrix(), dtype=np.float64).reshape(3, 3)
    angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    return Pose(turn, float(angle), float(alike) if np.isfinite(alike) else 0.0)


def alike_within(shown: Picture, outside_mm: Picture, step_mm: float) -> float:
    """Correlation of a head with the mean head in its place, inside the brain of both.

    Parameters
    ----------
    shown, outside_mm : Picture
        The head in its box, and how far each voxel lies outside its brain (0 within).
    step_mm : float
        Its voxels.
    """
    mean, brain = mean_head(), (outside_mm <= 0).astype(np.float32)
    head, inside = (
        SimpleITK.GetArrayFromImage(_coarser(_image(one, step_mm), _MEAN_STEP_MM))
        for one in (shown, brain)
    )
    both = (inside > 0.9) & (mean > _IN_BRAIN)
    if both.sum() < _FEWEST or not head[both].std():
        return 1.0
    return float(np.corrcoef(head[both], mean[both])[0, 1])


@lru_cache(maxsize=1)
def mean_head() -> Picture:
    """The mean head at 4 mm, (40, 52, 40), white matter near 1."""
    try:
        stored = load_file(resource(*_FILE))["head"]
    except (OSError, SafetensorError, KeyError) as error:
        raise WeightsError(
            "the mean head is missing or damaged",
            file="mean-head/weights.safetensors",
            do="Install the program again.",
            code="MV-WGT-008",
        ) from error
    return np.asarray(stored / np.float32(255) * np.float32(1.5), dtype=np.float32)


def mean_of(heads: Sequence[Picture], step_mm: float, rounds: int = 3) -> Picture:
    """The mean of heads and their mirror images, each turned as the mean of the last round."""
    pictures = [_image(head, step_mm) for head in heads]
    coarse = [_coarser(one, _MEAN_STEP_MM) for one in pictures]
    mean = _even(np.mean([SimpleITK.GetArrayFromImage(one) for one in coarse], axis=0))
    for _ in range(rounds):
        fixed, turned = _image(mean, _MEAN_STEP_MM), []
        for one in coarse:
            found = SimpleITK.Euler3DTransform()
            for step in _STEPS_MM:
                _register(_coarser(fixed, step), _coarser(one, step), found)
            again = SimpleITK.Resample(one, fixed, found, SimpleITK.sitkLinear, 0.0)
            turned.append(SimpleITK.GetArrayFromImage(again))
        mean = _even(np.mean(turned, axis=0))
    return mean


def _even(head: NDArray[np.floating]) -> Picture:
    """The mean of both sides."""
    return np.asarray((head + head[:, :, ::-1]) / 2, dtype=np.float32)


def _image(array: Picture, step_mm: float) -> SimpleITK.Image:
    """An image whose middle is the origin; x to left, y to posterior, z to head."""
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(array, dtype=np.float32))
    image.SetSpacing((step_mm,) * 3)
    image.SetOrigin([-(size - 1) / 2 * step_mm for size in image.GetSize()])
    return image


def _coarser(image: SimpleITK.Image, step_mm: float) -> SimpleITK.Image:
    """The same in larger voxels, each the mean of those within it."""
    times = round(step_mm / image.GetSpacing()[0])
    return SimpleITK.BinShrink(image, (times,) * 3) if times > 1 else image


def _register(
    fixed: SimpleITK.Image, moving: SimpleITK.Image, found: SimpleITK.Euler3DTransform
) -> float:
    """Improve a transform from points of `fixed` to points of `moving`; -1 is the best answer.

    On one thread, so that sums are added in one order and the answer is always the same.
    """
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetNumberOfThreads(1)
    method.SetOptimizerAsRegularStepGradientDescent(
        4.0, 0.05, 100, relaxationFactor=0.5, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScales([_ARM_MM**2] * 3 + [1.0] * 3)
    method.SetInitialTransform(found, inPlace=True)
    method.Execute(fixed, moving)
    return float(method.GetMetricValue())
