"""From a chest film to the square picture of its lungs: refusals, lung box, zones, way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from scipy import ndimage
from torch.nn import functional as F

from medview.domain.errors import ModelInputError, WeightsError
from medview.domain.resources import resource
from medview.domain.volume import Volume
from medview.models.lung_net import SIDE as LUNG_SIDE
from medview.models.lung_net import LungNet

Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]

BORDER = 0.05
"""Room left around the lungs, as a share of their box."""
SPECK = 0.02
"""Connected regions smaller than this share of the film are no lung."""
FEWEST_LUNG = 0.04
"""Below this share of the film no lungs were found, and the picture is refused."""
NARROWEST, WIDEST = 0.55, 1.8
"""Width by height of a chest film; among 561 films here 0.67 to 1.61, one collage of 2.2."""
FILMS = ("", "CR", "DX", "RG", "OT")
_LATERAL_VIEWS = ("LL", "RL", "L", "LATERAL", "LLD", "RLD")
_KINDS = {"CT": "CT", "MR": "MR", "MG": "a mammogram", "US": "ultrasound", "PT": "PET"}


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A film as the model sees it, with the way back to its own grid.

    Attributes
    ----------
    grey : Picture
        (rows, columns) 0..1 of the whole film, air dark.
    lungs : NDArray[np.int8]
        (rows, columns): 0 outside, 1 to 6 for the zones A to F of the lungs found in this film.
    box : tuple[float, float, float]
        Top row, left column and side of the square that the model sees, in pixels of the film.
    mirrored : bool
        True when the header says that columns run toward the patient's right: `grey`, `lungs` and
        `box` are turned so that the right lung is on the left; ``on_film`` turns back.
    found : bool
        False when both lungs were not found: `box` is the middle of the film, `lungs` is empty.
    steps : tuple[str, ...]
        What was done, in words.
    """

    grey: Picture
    lungs: NDArray[np.int8]
    box: tuple[float, float, float]
    mirrored: bool
    found: bool
    steps: tuple[str, ...]

    def crop(self, size: int) -> Picture:
        """The square as (size, size) 0..1; beyond the film's edge its last pixels go on."""
        return cut_square(self.grey, self.box, size)

    def zones(self, size: int) -> NDArray[np.int8]:
        """Numbers of the zones in the square, (size, size).

        Where no two lungs were found, the six fields of a fixed grid.
        """
        if self.found:
            return pick_square(self.lungs, self.box, size)
        rows = 3 * np.arange(size)[:, None] // size
        return np.asarray(1 + rows + 3 * (np.arange(size) >= size // 2), dtype=np.int8)

    def on_film(self, values: Picture) -> Picture:
        """A map (size, size) over the square, on the film's own grid; 0 outside the square."""
        return self.turned(paste_square(values, self.box, self.grey.shape))

    def turned(self, values: Picture) -> Picture:
        """A map in the order of the film's own columns."""
        return np.ascontiguousarray(values[:, ::-1]) if self.mirrored else values


def prepare_film(volume: Volume) -> Film:
    """Turn a film into what the model sees.

    Raises
    ------
    ModelInputError
        Not a frontal chest film: another modality, several slices, colour, a lateral view, a
        shape that no chest film has, no contrast, or no lungs in it.
    """
    refuse_unfit(volume)
    grey = as_grey(volume)
    mirrored = is_mirrored(volume)
    grey = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
    mask = lung_mask(grey)
    if mask.mean() < FEWEST_LUNG:
        raise ModelInputError(
            "no lungs were found in this picture: it is no frontal chest film",
            do="Choose a frontal chest film (PA or AP).",
            code="MV-MOD-024",
        )
    lungs = label_zones(mask)
    found = bool(lungs.any())
    box = lung_box(lungs > 0) if found else middle_box(grey.shape)
    words = (
        "lungs: built-in network, 64 x 64; square about both lungs"
        if found
        else "lungs: two lungs were not told apart; square in the middle of the film"
    )
    steps: tuple[str, ...] = (
        "grey: 2nd to 98th percentile of the film, clipped, scaled to 0-1, air dark",
        words,
    )
    if mirrored:
        steps = (*steps, "the film lies mirrored by its header; turned for the model")
    return Film(grey, lungs, box, mirrored, found, steps)


def is_mirrored(volume: Volume) -> bool:
    """True when the header says that columns run toward the patient's right."""
    geometry = volume.geometry
    return bool(geometry.orientation_known and geometry.affine[0, 2] < 0)


def refuse_unfit(volume: Volume) -> None:
    """Refuse what is certainly no frontal chest film, before anything is computed.

    Raises
    ------
    ModelInputError
        Saying what it is instead.
    """
    kind = _kind_of(volume)
    if kind:
        raise ModelInputError(
            f"this is {kind}, the model needs a chest film",
            do="Choose a frontal chest film (PA or AP).",
            code="MV-MOD-005",
        )
    if volume.is_colour:
        raise ModelInputError(
            "this is a colour picture", do="Choose a grey chest film.", code="MV-MOD-012"
        )
    if _is_lateral(volume):
        raise ModelInputError(
            "this is a lateral film, the model needs a frontal one",
            do="Choose the PA or AP film.",
            code="MV-MOD-021",
        )
    rows, columns = volume.geometry.shape[1:]
    if not NARROWEST <= columns / rows <= WIDEST or min(rows, columns) < 64:
        raise ModelInputError(
            f"{columns} x {rows} pixels is not the shape of a chest film",
            do="Choose a whole frontal chest film.",
            code="MV-MOD-022",
        )


def _kind_of(volume: Volume) -> str:
    if volume.modality not in FILMS:
        return _KINDS.get(volume.modality, volume.modality)
    if volume.quantity == "HU":
        return "CT (its values are Hounsfield units)"
    return "" if volume.is_film else f"a stack of {volume.geometry.shape[0]} slices"


def _is_lateral(volume: Volume) -> bool:
    """By the view in the header, or by its directions: rows that run from front to back."""
    if volume.view in _LATERAL_VIEWS:
        return True
    geometry = volume.geometry
    return bool(geometry.orientation_known and geometry.axis_of[0] == 0)


def as_grey(volume: Volume) -> Picture:
    """The film as (rows, columns) in 0..1, air dark, clipped at its 2nd and 98th percentile.

    Raises
    ------
    ModelInputError
        No finite values, or all the same.
    """
    picture = np.asarray(volume.array[0], dtype=np.float32)
    picture = -picture if volume.inverted else picture
    finite = np.isfinite(picture)
    known = picture[finite]
    low, high = np.percentile(known, (2, 98)) if known.size else (0.0, 0.0)
    if high <= low:
        raise ModelInputError(
            "the film has no contrast, there is no image in it",
            do="Choose another film.",
            code="MV-MOD-014",
        )
    scaled = (np.where(finite, picture, low) - low) / (high - low)
    return np.asarray(np.clip(scaled, 0, 1), dtype=np.float32)


@lru_cache(maxsize=1)
def lung_network() -> LungNet:
    """The built-in lung network, ready to use.

    Raises
    ------
    WeightsError
        If its weights are missing or damaged.
    """
    network = LungNet().eval()
    try:
        weights = load_file(resource("weights", "lung-net", "weights.safetensors"))
        network.load_state_dict({name: _whole(value) for name, value in weights.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            "the weights of the lung network are missing or damaged",
            file="lung-net/weights.safetensors",
            do="Install the program again.",
            code="MV-WGT-008",
        ) from error
    return network


def _whole(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def lung_mask(grey: Picture, network: LungNet | None = None) -> Mask:
    """Lungs on the film's own grid: regions of at least 2 % of the film, the two largest."""
    net = network or lung_network()
    with torch.inference_mode():
        logit = net(resized(grey, LUNG_SIDE)[None, None])
        wide = F.interpolate(logit, grey.shape, mode="bilinear", align_corners=False)
    return two_largest(wide[0, 0].numpy() > 0)


def resized(grey: Picture, side: int) -> torch.Tensor:
    """The picture squeezed to (side, side), averaged where it shrinks."""
    x = torch.from_numpy(np.ascontiguousarray(grey))[None, None]
    small = F.interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return small[0, 0]


def two_largest(mask: Mask) -> Mask:
    """The two largest regions of at least 2 % of the film, holes filled."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(labels.ravel())[1:]
    kept = [n + 1 for n in np.argsort(-sizes, kind="stable")[:2] if sizes[n] >= SPECK * mask.size]
    return np.asarray(ndimage.binary_fill_holes(np.isin(labels, kept)), dtype=np.bool_)


def label_zones(mask: Mask) -> NDArray[np.int8]:
    """Number the zones of two lungs: 1 to 3 down the left of the picture, 4 to 6 down the right.

    Each lung is cut into thirds of its own height (the published zones are cut at the aortic
    arch and the lower pulmonary vein, which thirds approach). All 0 when two lungs side by side
    cannot be told apart.
    """
    zones = np.zeros(mask.shape, np.int8)
    pair = _side_by_side(mask)
    if pair is None:
        return zones
    for first, lung in zip((1, 4), pair, strict=True):
        rows = np.flatnonzero(lung.any(axis=1))
        height = np.arange(mask.shape[0]) - rows[0]
        third = np.clip(3 * height // (rows[-1] - rows[0] + 1), 0, 2)
        zones[lung] = np.broadcast_to((first + third)[:, None], mask.shape)[lung]
    return zones


def _side_by_side(mask: Mask) -> tuple[Mask, Mask] | None:
    """The lung on the left of the picture and the one on the right, or None."""
    labels, count = ndimage.label(mask)
    if count == 1:  # grown together: parted where the fewest rows are lung
        columns = np.flatnonzero(mask.any(axis=0))
        width = columns[-1] - columns[0] + 1
        middle = slice(columns[0] + width * 3 // 10, columns[0] + width * 7 // 10 + 1)
        cut = middle.start + int(np.argmin(mask.sum(axis=0)[middle]))
        left = np.arange(mask.shape[1]) < cut
        pair = (mask & left, mask & ~left)
    elif count == 2:
        pair = (labels == 1, labels == 2)
        if _middle_column(pair[0]) > _middle_column(pair[1]):
            pair = pair[::-1]
    else:
        return None
    sizes = sorted(int(lung.sum()) for lung in pair)
    tops = [np.flatnonzero(lung.any(axis=1))[[0, -1]] for lung in pair if lung.any()]
    if len(tops) < 2 or sizes[0] < 0.2 * sizes[1]:
        return None
    overlap = min(t[1] for t in tops) - max(t[0] for t in tops)
    return pair if overlap > 0.4 * max(t[1] - t[0] for t in tops) else None


def _middle_column(mask: Mask) -> float:
    return float(np.nonzero(mask)[1].mean())


def lung_box(mask: Mask) -> tuple[float, float, float]:
    """Top, left and side of the square about a mask with its border, kept inside the film."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    side = float(max(height, width) * (1 + 2 * BORDER))
    corner = []
    for first, extent, whole in (
        (rows[0], height, mask.shape[0]),
        (columns[0], width, mask.shape[1]),
    ):
        start = first + extent / 2 - side / 2
        room = whole - side
        corner.append(float(np.clip(start, 0, room)) if room >= 0 else float(room / 2))
    return corner[0], corner[1], side


def middle_box(shape: tuple[int, ...]) -> tuple[float, float, float]:
    """The largest square in the middle of a film."""
    side = min(shape)
    return (shape[0] - side) / 2, (shape[1] - side) / 2, float(side)


def cut_square(picture: Picture, box: tuple[float, float, float], size: int) -> Picture:
    """A square of a picture as (size, size): each value the mean of what it covers."""
    top, left, side = box
    edges = np.arange(size + 1) * side / size
    return np.asarray(
        _sums(_sums(picture, top + edges, 0), left + edges, 1) * (size / side) ** 2,
        dtype=np.float32,
    )


def _sums(picture: NDArray[np.floating], edges: NDArray[np.float64], axis: int) -> Picture:
    """Integrals between edges along an axis, the last pixel going on beyond the end."""
    moved = np.moveaxis(picture, axis, 0).astype(np.float64)
    length = len(moved)
    total = np.concatenate([np.zeros((1, *moved.shape[1:])), np.cumsum(moved, axis=0)])
    inside = np.clip(edges, 0, length)
    low = np.minimum(np.floor(inside).astype(int), length - 1)
    share = (inside - low).reshape(-1, *(1,) * (moved.ndim - 1))
    running = total[low] + share * moved[low]
    beyond = (edges - inside).reshape(share.shape)
    running = running + np.where(beyond < 0, moved[:1], moved[-1:]) * beyond
    return np.moveaxis(np.diff(running, axis=0), 0, axis)


def pick_square(
    labels: NDArray[np.int8], box: tuple[float, float, float], size: int
) -> NDArray[np.int8]:
    """Labels in the middle of each pixel of a square, (size, size); 0 beyond the film."""
    steps = (np.arange(size) + 0.5) * box[2] / size
    rows, columns = (np.floor(first + steps).astype(int) for first in box[:2])
    inside = [
        (n >= 0) & (n < whole) for n, whole in zip((rows, columns), labels.shape, strict=True)
    ]
    found = labels[np.clip(rows, 0, labels.shape[0] - 1)][
        :, np.clip(columns, 0, labels.shape[1] - 1)
    ]
    return np.where(np.outer(*inside), found, 0).astype(np.int8)


def shares_of(zones: NDArray[np.int8], cells: int) -> Picture:
    """Share of the zones 1 to 6 in each of cells x cells parts of a square, (6, cells, cells)."""
    size = len(zones) // cells
    parts = zones[: size * cells, : size * cells].reshape(cells, size, cells, size)
    each = [(parts == zone).mean(axis=(1, 3)) for zone in range(1, 7)]
    return np.stack(each).astype(np.float32)


def paste_square(
    values: Picture, box: tuple[float, float, float], shape: tuple[int, ...]
) -> Picture:
    """A map (size, size) over a square, on the grid of the film; linear between, 0 outside."""
    top, left, side = box
    size = values.shape[0]
    rows, columns = ((np.arange(n) + 0.5 - first) * size / side - 0.5 for n, first in
                     ((shape[0], top), (shape[1], left)))  # fmt: skip
    grid = np.meshgrid(rows, columns, indexing="ij")
    found = ndimage.map_coordinates(values, grid, order=1, mode="nearest")
    inside = [np.abs(g - (size - 1) / 2) <= size / 2 for g in grid]
    return np.asarray(np.where(inside[0] & inside[1], found, 0), dtype=np.float32)
