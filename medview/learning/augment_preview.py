"""What a recipe does to a case before the network sees it, as pictures for the reader.

The functions are those of the training itself. To preview another model: write a function and a
line in ``DRAWN``; where nothing can be drawn, one in ``TABLES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medview.domain.errors import DataError
from medview.domain.progress import Progress
from medview.domain.varied import Variant, Varied
from medview.learning.augment import NONE, Augmentation, cut, is_mirrored
from medview.learning.cases import ARMED, find_subsets
from medview.learning.film import prepare_film
from medview.learning.film_set import ELASTIC, SHIFT, TURN, ZOOM, augmented
from medview.learning.images import read_image
from medview.learning.subset import TrainCase

VARIANTS = 6
MIDDLE = 0.5
"""Relative height of the slice that is shown."""
Recipe = Mapping[str, Any]


def preview(
    job: Progress, model: str, data: tuple[str, ...], recipe: Recipe, number: int, seed: int
) -> Varied:
    """Show what the recipe makes of a case of the data, the `number`-th that has an image.

    Raises
    ------
    DataError
        If none has one.
    ReadError, ModelInputError
        If the case cannot be read or does not fit the model.
    """
    base = model.removesuffix(ARMED)
    draw = DRAWN.get(base)
    if draw is None:
        return Varied("", words_for_table(base, recipe))
    job.report(0, 1, "reading the case")
    cases = [case for subset in find_subsets(data, model) for case in subset.cases]
    there = [case for case in cases if case.role in case.images]
    if not there:
        raise DataError("no case has an image to show", do="Choose cases with images.")
    return draw(job, there[number % len(there)], recipe, seed)


def words_for_table(base: str, recipe: Recipe) -> str:
    """What a recipe that learns from tables does to their rows, with its figures."""
    flat = {**recipe, **recipe.get("train", {})}
    told = [
        f"{text} {flat[key]:g}" for key, text in TABLES.get(base, ()) if flat.get(key) is not None
    ]
    start = "This model learns from tables, so there is no picture to change"
    return f"{start}; its recipe changes rows: {', '.join(told)}." if told else f"{start}."


def _brain(job: Progress, case: TrainCase, recipe: Recipe, seed: int) -> Varied:
    from medview.learning.normal_cases import load_normal

    brain = load_normal(case).brains[0]
    how = Augmentation(**recipe.get("augment", {}))
    plain, _ = cut(brain, MIDDLE, NONE, np.random.default_rng(seed))
    variants = []
    for n in range(VARIANTS):
        job.check()
        values, _ = cut(brain, MIDDLE, how, np.random.default_rng((seed, n)))
        # The mirror is the first draw of a cut, so the same seed tells it again.
        turned = how != NONE and is_mirrored(np.random.default_rng((seed, n)))
        variants.append(_variant(values.numpy()[0], mirrored=turned))
    words = (
        "Each slice is tilted, turned, scaled, bent and mirrored a little, and its brightness "
        "changes."
        if how != NONE
        else "This recipe changes nothing: every strength is 0."
    )
    return Varied(case.case, words, _variant(plain.numpy()[0]), tuple(variants))


def _film(job: Progress, case: TrainCase, recipe: Recipe, seed: int) -> Varied:
    film = prepare_film(read_image(case.image))
    size = int(recipe.get("size", 224))
    square, zones = film.crop(size), film.zones(size)
    copies = int(recipe.get("copies", 1))
    if copies < 2:
        words = "This recipe changes nothing: it trains on one copy of each film."
        return Varied(case.case, words, _variant(square))
    variants = []
    for n in range(VARIANTS):
        job.check()
        values, _, turned = augmented(square, zones, np.random.default_rng((seed, n)))
        variants.append(_variant(values, mirrored=turned))
    words = (
        f"Each film has {copies - 1} such copies: moved and zoomed by up to {SHIFT:.0%} and "
        f"{ZOOM:.0%}, turned by up to {TURN:g}°, bent by up to {ELASTIC[1]:g}, mirrored; each with "
        "a chance of one half."
    )
    return Varied(case.case, words, _variant(square), tuple(variants))


def _variant(values: NDArray[np.float32], *, mirrored: bool = False) -> Variant:
    grey = np.round(255 * np.clip(np.nan_to_num(values), 0, 1)).astype(np.uint8)
    return Variant(grey, "L", "R") if mirrored else Variant(grey)


DRAWN: dict[str, Callable[[Progress, TrainCase, Recipe, int], Varied]] = {
    "anomaly": _brain,
    "cxr": _film,
}
TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "brain-age": (
        ("noise", "noise of standard deviation"),
        ("mix", "share mixed with another row"),
        ("drop_modality", "share shown without one modality"),
        ("input_dropout", "share of measures hidden"),
    ),
    "icu": (
        ("column_dropout", "share of columns blanked"),
        ("film_dropout", "share of stays without their film"),
        ("series_hidden", "share of stays without their series"),
    ),
}
"""Settings of recipes that change rows, and what they are."""
