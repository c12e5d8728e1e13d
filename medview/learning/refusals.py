"""What a brain model is not given, and why: told before anything is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ModelInputError
from medview.domain.volume import Note, Volume
from medview.domain.wording import modality_words

FEWEST_SLICES = 5
"""Below this a stack shows a part of the brain at most; norms and brain mask are for volumes."""
# Air in Hounsfield units is -1000; MR images, also standardised ones, have nothing so low.
_AIR_HU = -900.0
# Heads have at most 0.02 there, CT less: how far up the median of the edges is in the range.
_AS_BRIGHT = 0.9
_EVERY = 13
_RIM, _RIM_SHARE = 3, 0.04


def refuse_unfit(volume: Volume) -> None:
    """Refuse what is no grey MR volume or axial slice.

    Raises
    ------
    ModelInputError
        Another modality, values that are Hounsfield units, dark and bright swapped, colour, a
        picture that says nothing of itself, or a few slices of another plane than axial.
    """
    kind = kind_of(volume)
    if kind:
        raise ModelInputError(
            f"this is {kind}, the model needs MR",
            do="Choose a T1-weighted MR series.",
            code="MV-MOD-005",
        )
    if volume.is_colour:
        raise ModelInputError(
            "this is a colour image", do="Choose a grey T1 volume.", code="MV-MOD-012"
        )
    if volume.is_mere_picture:
        raise ModelInputError(
            "this picture says neither that it is MR nor how large its pixels are",
            do="Choose a T1 series as DICOM or NIfTI.",
            code="MV-MOD-017",
        )
    shape, axial = volume.geometry.shape, volume.geometry.axis_of[2]
    within = min(size for axis, size in enumerate(shape) if axis != axial)
    if within < FEWEST_SLICES:
        slices = "a single slice" if within == 1 else f"only {within} slices"
        raise ModelInputError(
            f"this is {slices} of another plane than axial",
            do="Choose a T1 series of the whole brain, or an axial slice.",
            code="MV-MOD-006",
        )
    if is_inverted(volume):
        raise ModelInputError(
            f"dark and bright are swapped: {_sign_of_it(volume)}",
            do="Choose the images as they were acquired.",
            code="MV-MOD-018",
        )


def few_slices(volume: Volume) -> int:
    """How many axial slices a volume has, if they are too few to be a volume of the brain; else 0.

    The brain of such slices is outlined one by one, and nobody knows their height.
    """
    count = volume.geometry.shape[volume.geometry.axis_of[2]]
    return count if count < FEWEST_SLICES else 0


def kind_of(volume: Volume) -> str:
    """What the volume is, in words, if it is certainly no MR; empty when it is or may be."""
    if volume.modality not in ("", "MR"):
        return modality_words(volume.modality)
    if volume.modality == "" and (volume.quantity == "HU" or _has_air(volume)):
        return "CT (its values are Hounsfield units)"
    return ""


def is_inverted(volume: Volume) -> bool:
    """Whether the edges of the slices, where air is, are as bright as the brightest of the volume.

    Air is black in MR as in CT: somebody has turned the values round. So has somebody where they
    reach below air in CT and not above zero, whatever lies at the edges: tissue in CT does.
    """
    if volume.is_colour:
        return False
    axes = [axis for axis in range(3) if axis != volume.geometry.axis_of[2]]
    edges = [edge for axis in axes for edge in _edges(volume.array, axis)]
    found = (np.concatenate(edges), volume.array.ravel()[::_EVERY])
    edge, whole = (np.asarray(each[np.isfinite(each)], dtype=np.float64) for each in found)
    if not (edge.size and whole.size):
        return False
    low, high = np.percentile(whole, (1, 99))
    if low < _AIR_HU and whole.max() <= 0:
        return True
    return bool(high > low and np.median(edge) - low >= _AS_BRIGHT * (high - low))


def _sign_of_it(volume: Volume) -> str:
    """By what is seen that the values were turned round."""
    if not (np.asarray(volume.array) > 0).any():
        return "no value is above zero"
    return "the background is as bright as anything in it"


def notes_on(volume: Volume) -> list[Note]:
    """What makes the values of a volume doubtful."""
    if volume.array.dtype.kind != "f":
        return []
    lost = float(1 - np.isfinite(volume.array).mean())
    if not lost:
        return []
    share = f"{100 * lost:.1f} %" if lost >= 0.001 else "less than 0.1 %"
    return [Note("NOT_FINITE", f"{share} of the values are not numbers; taken as no brain")]


def _edges(array: NDArray[np.generic], axis: int) -> list[NDArray[np.generic]]:
    """Values at both ends of an axis, so deep that a frame drawn round a picture is the least."""
    deep = max(_RIM, round(_RIM_SHARE * array.shape[axis]))
    whole = np.moveaxis(array, axis, 0)
    return [whole[:deep:2].ravel(), whole[-1 : -deep - 1 : -2].ravel()]


def _has_air(volume: Volume) -> bool:
    """Whether a hundredth of the values or more are as low as only air in CT is.

    Those of an MR image with all signs turned are, too.
    """
    few = np.asarray(volume.array[..., ::4, ::4], dtype=np.float32)
    return bool((few < _AIR_HU).mean() >= 0.01) and not is_inverted(volume)
