"""Which maps lie over an image: their keys, their order, which are drawn, and how at first.

A map is called by its name. Where several results have one of the same name, that of the newest
keeps the name and the others are called "NAME|ID@VERSION", so that two versions of a model, or
two models, stand side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from medview.domain.overlay import LayerStyle, MapKind, ScalarMap
from medview.domain.prediction import Prediction
from medview.imaging.colour import DISTINCT
from medview.imaging.view import Layer


class First(NamedTuple):
    """How maps of a kind are drawn before the reader says otherwise.

    They are seen from a value on: `least` if there is one, else `part` of the way through their
    range. Maps are zero outside the brain; drawn from zero on they would colour the whole pane.
    """

    colours: str = "inferno"
    part: float = 0.05
    least: float | None = None
    opacity: float = LayerStyle().opacity


# From the bottom up: what covers everything first, what is looked for last.
KINDS: dict[MapKind, First] = {
    "image": First("gray", part=0.0),
    # A low one is to be seen, too: holes in it would look like places without an answer.
    "uncertainty": First("viridis", part=0.001),
    # Every label from the first on, so thin that the image is seen below all of them.
    "labels": First(DISTINCT, least=0.5, opacity=0.4),
    "mask": First(),
    "evidence": First(),
    "anomaly": First(),
}
# Which setting of a model is the threshold of which of its maps.
_THRESHOLDS = {"score": "threshold", "residual": "residual_threshold"}
_MARK = "|"
# Colour map and end of its range: the 1 of a mask is orange, green, violet, yellow, blue, pink.
_COLOURS = (
    *(("inferno", 1.35), ("viridis", 1.5), ("plasma", 3.3)),
    *(("viridis", 1.0), ("viridis", 3.6), ("plasma", 1.8)),
)


class Known(NamedTuple):
    """A map, the settings it was made with, and its result; None while a model still fills it."""

    map: ScalarMap
    settings: Mapping[str, object]
    owner: Prediction | None


class Renamed:
    """Maps under longer names; each is made once, because what is drawn is compared by identity."""

    def __init__(self, named: Callable[[Prediction], str]) -> None:
        self._named = named
        self._made: dict[tuple[int, str], tuple[ScalarMap, ScalarMap]] = {}

    def of(self, found: ScalarMap, owner: Prediction) -> ScalarMap:
        """The map under the key that names its result, with a title that does."""
        key = (id(found), owner.key)
        if key not in self._made:
            title = f"{found.title or found.name}, {self._named(owner)}"
            other = replace(found, name=f"{found.name}{_MARK}{owner.key}", title=title)
            self._made[key] = (found, other)
        return self._made[key][1]

    def keep(self, results: Iterable[Prediction]) -> None:
        """Let go of maps of other results."""
        there = {id(found) for each in results for found in each.maps}
        self._made = {key: each for key, each in self._made.items() if key[0] in there}


def known_maps(
    results: Sequence[Prediction],
    begun: tuple[tuple[ScalarMap, ...], Mapping[str, object]],
    renamed: Renamed,
) -> dict[str, Known]:
    """Maps of finished results by key; those of a running model (`begun`) go before them."""
    maps, settings = begun
    filling = {found.name for found in maps}
    newest = {found.name: each for each in results for found in each.maps}
    known: dict[str, Known] = {}
    for each in results:
        for found in each.maps:
            if newest[found.name] is each:
                known[found.name] = Known(found, each.parameters, each)
            elif found.name not in filling:
                other = renamed.of(found, each)
                known[other.name] = Known(other, each.parameters, each)
    return known | {found.name: Known(found, settings, None) for found in maps}


def bottom_up(known: Mapping[str, Known], order: Sequence[str]) -> list[str]:
    """Keys in the order they are drawn: as the reader has put them, others below by kind."""
    natural = list(known)[::-1]
    natural.sort(key=lambda key: list(KINDS).index(known[key].map.kind))
    placed = {key: place for place, key in enumerate(order)}
    return sorted(natural, key=lambda key: placed.get(key, -1))


def layers_of(
    known: Mapping[str, Known],
    styles: Mapping[str, LayerStyle],
    order: Sequence[str],
    drawn: Collection[str],
) -> tuple[Layer, ...]:
    """What ``compose_frame`` is given, from the bottom up; `drawn` are the keys that are seen."""
    made = []
    for key in bottom_up(known, order):
        found, settings, _ = known[key]
        style = styles.get(key) or first_style(found, settings)
        shown = replace(style, visible=key in drawn)
        made.append(Layer(found, shown, _fade(known, key, style.fade_by)))
    return tuple(made)


def _fade(known: Mapping[str, Known], key: str, by: str | None) -> ScalarMap | None:
    """The map that fades another one: of the same result where that has one."""
    if by is None:
        return None
    _, mark, owner = key.partition(_MARK)
    found = known.get(f"{by}{mark}{owner}") or known.get(by)
    return found.map if found is not None else None


def base_name(key: str) -> str:
    """The name of a map without its result: what "score|anomaly@1.0" is a map of."""
    return key.partition(_MARK)[0]


def short_name(key: str) -> str:
    """A key where room is scarce: "score", or "score (1.0)" of another version."""
    name, mark, owner = key.partition(_MARK)
    return f"{name} ({owner.partition('@')[2]})" if mark else name


def first_style(shown: ScalarMap, settings: Mapping[str, object]) -> LayerStyle:
    """How a map is drawn before the reader says otherwise: by its kind and its threshold."""
    first = KINDS[shown.kind]
    low, high = shown.range
    threshold = low + (high - low) * first.part if first.least is None else first.least
    wanted = settings.get(_THRESHOLDS.get(base_name(shown.name), ""))
    if isinstance(wanted, int | float):
        threshold = float(wanted)
    return LayerStyle(
        colour_map=first.colours, range=shown.range, threshold=threshold, opacity=first.opacity
    )


def laid_style(shown: ScalarMap, place: int) -> LayerStyle:
    """How a map of another program is drawn before the reader says otherwise.

    Masks so that the image is seen through, each in its colour by its place among the others.
    """
    style = first_style(shown, {})
    if shown.kind != "mask":
        return style
    colours, top = _COLOURS[place % len(_COLOURS)]
    return replace(style, colour_map=colours, range=(0.0, top), threshold=0.5, opacity=0.5)
