"""From a chest film to the square picture of its lungs: refusals, lung box, zones, way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import ModelInputError
from medview.domain.study import FILM_MODALITIES
from medview.domain.volume import Volume
from medview.domain.wording import modality_words
from medview.learning.film_frame import MOST, Inside, inside_of
from medview.learning.film_lie import Lie, lie_of
from medview.learning.film_squares import Picture, cut_square, middle_box, paste_square, pick_square
from medview.learning.lungs import FEWEST_LUNG, Mask, label_zones, lung_box, lung_mask

NARROWEST, WIDEST = 0.55, 1.8
"""Width by height of a chest film; among 561 films here 0.67 to 1.61, one collage of 2.2."""
FEWEST_PIXELS = 64
_FILMS = ("", *FILM_MODALITIES, "OT")
_LATERAL_VIEWS = ("LL", "RL", "L", "LATERAL", "LLD", "RLD")


@dataclass(frozen=True, slots=True, eq=False)
class WholeFilm:
    """A whole film upright and without its frame, as networks are given it, with the way back.

    `grey` is (rows, columns) 0..1, air dark; `lies` and `inside` are as those of `Film`.
    """

    grey: Picture
    lies: Lie
    inside: Inside | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """What was done to have it so, in words; none for most films."""
        return _told(self.lies, self.inside)

    def turned(self, values: Picture) -> Picture:
        """A map of `grey` in the order of the film's own rows and columns, 0 in its frame."""
        values = self.lies.back(values)
        return values if self.inside is None else self.inside.back(values)


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
    lies : Lie
        How the film lies by its header: `grey`, `lungs` and `box` are of the film put upright, the
        right lung on the left; ``on_film`` turns back.
    found : bool
        False when both lungs were not found: `box` is the middle of the film, `lungs` is empty.
    steps : tuple[str, ...]
        What was done, in words.
    inside : Inside | None
        Where the film lies in its picture, which has a frame that was left out; None without.
    """

    grey: Picture
    lungs: NDArray[np.int8]
    box: tuple[float, float, float]
    lies: Lie
    found: bool
    steps: tuple[str, ...]
    inside: Inside | None = None

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
        """A map in the order of the film's own rows and columns, 0 in its frame."""
        return WholeFilm(self.grey, self.lies, self.inside).turned(values)


def whole_film(volume: Volume) -> WholeFilm:
    """A film as `prepare_film` has it, without a look at whether there are lungs in it.

    Raises
    ------
    ModelInputError
        As `refuse_unfit`, or no contrast.
    """
    refuse_unfit(volume)
    lies = lie_of(volume.geometry)
    grey, _, inside = _with_lungs(_air_dark(volume), lies)
    return WholeFilm(grey, lies, inside)


def prepare_film(volume: Volume) -> Film:
    """Turn a film into what the model sees.

    Raises
    ------
    ModelInputError
        Not a frontal chest film: another modality, several slices, colour, a lateral view, a
        shape that no chest film has, no contrast, or no lungs in it.
    """
    refuse_unfit(volume)
    lies = lie_of(volume.geometry)
    grey, mask, inside = _with_lungs(_air_dark(volume), lies)
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
    frame, lying = _told(None, inside), _told(lies, None)
    return Film(grey, lungs, box, lies, found, (*frame, *steps, *lying), inside)


def _told(lies: Lie | None, inside: Inside | None) -> tuple[str, ...]:
    words = () if inside is None else (inside.words,)
    if lies is None or not lies.words:
        return words
    return (*words, f"the film lies {lies.words} by its header; turned for the model")


def _with_lungs(picture: Picture, lies: Lie) -> tuple[Picture, Mask, Inside | None]:
    """The film upright, scaled, with the mask of its lungs; and where it lies in a frame, if so.

    A narrow frame counts only where no lungs are found: the films that the weights learnt from
    stay as they were.
    """
    inside = inside_of(picture)
    if inside is not None and not _is_shaped(inside.size):
        inside = None
    if inside is None or inside.share <= MOST:
        grey = lies.upright(_scaled(picture))
        mask = lung_mask(grey)
        if inside is None or mask.mean() >= FEWEST_LUNG:
            return grey, mask, None
    grey = lies.upright(_scaled(inside.cut(picture)))
    return grey, lung_mask(grey), inside


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
            "this is a lateral film by its header, the model needs a frontal one",
            do="Choose the PA or AP film.",
            code="MV-MOD-021",
        )
    rows, columns = volume.geometry.shape[1:]
    if NARROWEST <= columns / rows <= WIDEST and min(rows, columns) < FEWEST_PIXELS:
        raise ModelInputError(
            f"{columns} x {rows} pixels are too few for a chest film: no side may have fewer than "
            f"{FEWEST_PIXELS}",
            do="Choose the film itself, not a small picture of it.",
            code="MV-MOD-022",
        )
    if not _is_shaped((rows, columns)):
        raise ModelInputError(
            f"{columns} x {rows} pixels is not the shape of a chest film",
            do="Choose a whole frontal chest film without anything beside it.",
            code="MV-MOD-022",
        )


def _is_shaped(size: tuple[int, ...]) -> bool:
    rows, columns = size
    return NARROWEST <= columns / rows <= WIDEST and min(rows, columns) >= FEWEST_PIXELS


def _kind_of(volume: Volume) -> str:
    if volume.modality not in _FILMS:
        return modality_words(volume.modality)
    if volume.quantity == "HU":
        return "CT (its values are Hounsfield units)"
    return "" if volume.is_film else f"a stack of {volume.geometry.shape[0]} slices"


def _is_lateral(volume: Volume) -> bool:
    """By the view in the header or its directions: rows that run from front to back."""
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
    return _scaled(_air_dark(volume))


def _air_dark(volume: Volume) -> Picture:
    picture = np.asarray(volume.array[0], dtype=np.float32)
    return -picture if volume.inverted else picture


def _scaled(picture: Picture) -> Picture:
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
