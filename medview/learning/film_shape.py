"""What is odd about a film: too few pixels, or lungs inverted in grey, upside down or cut."""

from __future__ import annotations

import numpy as np

from medview.learning.film import Film

NOT_TOLD_APART = "the two lungs were not told apart; the middle was taken"
FIRST_SHARE = (0.36, 0.68)
"""Share of the area that the lung on the left of the picture has; two lungs are about alike."""
TOP_TO_BASE = (0.9, 5.1)
"""Area in the upper third of their height by that in the lowest, which the diaphragm takes."""
FEWEST_PIXELS = 150
"""Of the short side of a film; among 612 films here the smallest has 156."""
BRIGHTEST = 0.02
"""How much brighter than the rest of their box they may be; air is dark.

Limits of real films: of 151 frontal ones 1 lies outside. Of films with their grey inverted
and of left halves about nine of ten are told or refused, of those upside down seven, but of those
of one hospital four.
"""


def oddities(film: Film) -> tuple[str, ...]:
    """In words what sets a film apart from those that were learnt from; none where nothing does."""
    found = (too_small(film), "" if film.found else NOT_TOLD_APART, unlike_lungs(film))
    return tuple(words for words in found if words)


def too_small(film: Film) -> str:
    """In words that a film has fewer pixels than any that was learnt from; "" where it has not."""
    rows, columns = film.grey.shape
    if min(rows, columns) >= FEWEST_PIXELS:
        return ""
    return (
        f"the film has only {columns} x {rows} pixels, fewer than any that was learnt from: "
        "what is small in the lungs is not to be seen in it"
    )


def unlike_lungs(film: Film) -> str:
    """In words what is odd about the lungs of a film; "" where nothing is.

    A film without two lungs says so itself (`film.found`).
    """
    lungs = film.lungs > 0
    if not lungs.any():
        return ""
    rows = np.flatnonzero(lungs.any(axis=1))
    third = max(1, len(rows) // 3)
    top = int(lungs[rows[0] : rows[0] + third].sum())
    base = int(lungs[rows[-1] + 1 - third : rows[-1] + 1].sum())
    first = (film.lungs[lungs] <= 3).mean()
    if not FIRST_SHARE[0] <= first <= FIRST_SHARE[1]:
        return "one of the two lungs found is far larger than the other: is the film cut or turned?"
    if not TOP_TO_BASE[0] <= top / max(base, 1) <= TOP_TO_BASE[1]:
        return "the lungs found have no shape of lungs: is the film upside down or cut?"
    if _brighter(film, lungs) > BRIGHTEST:
        return "the lungs found are brighter than what is around them: is the film inverted?"
    return ""


def _brighter(film: Film, lungs: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """Mean grey of the lungs less that of the rest of their square."""
    first = [max(0, int(edge)) for edge in film.box[:2]]
    last = [int(edge + film.box[2]) for edge in film.box[:2]]
    here = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    grey, inside = film.grey[here], lungs[here]
    rest = grey[~inside]
    return float(grey[inside].mean() - rest.mean()) if rest.size else 0.0
