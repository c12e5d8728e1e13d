"""Panes that go along with the one in which the reader points or scrolls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.imaging.reslice import cut_of
from medview.services.layouts import share_space
from medview.services.session import Session

# Slices that lean less than this against each other scroll together: cos 25 degrees.
_ALONGSIDE = 0.9


def point_at(session: Session, point_lps: NDArray[np.float64], pane: str) -> None:
    """Put the crosshair of a pane on a point (LPS mm), and take along the panes that go with it.

    Those of the same space cut there, too; linked ones of other series go on by as many mm.
    """
    views = session.views
    moved = point_lps - np.array(views[pane].point_lps) if pane in views else np.zeros(3)
    points = {other: _follow(session, pane, other, point_lps, moved) for other in views}
    changed = {
        other: replace(views[other], point_lps=(float(at[0]), float(at[1]), float(at[2])))
        for other, at in points.items()
        if at is not None
    }
    session.views = views | changed


def together(session: Session, pane: str) -> tuple[str, ...]:
    """The panes that are enlarged and pushed with this one, itself among them.

    Linked ones of other series go along where both hold films, or slices that lie alike.
    """
    return tuple(
        other for other in session.views if other == pane or _lie_alike(session, pane, other)
    )


def _lie_alike(session: Session, pane: str, other: str) -> bool:
    own, held = session.content(pane), session.content(other)
    if own is None or held is None or not _are_linked(session, pane, other):
        return False
    if own.volume.is_film or held.volume.is_film:
        return own.volume.is_film and held.volume.is_film
    one = cut_of(own.volume.geometry, session.views[pane]).normal
    two = cut_of(held.volume.geometry, session.views[other]).normal
    return abs(float(one @ two)) >= _ALONGSIDE


def _are_linked(session: Session, pane: str, other: str) -> bool:
    return bool(session.shown) and session.linked and not session.alone & {pane, other}


def _follow(
    session: Session,
    pane: str,
    other: str,
    point_lps: NDArray[np.float64],
    moved: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Where the crosshair of another pane goes; None when it stays."""
    if other == pane or not session.shown:
        return point_lps
    own, held = session.content(pane), session.content(other)
    if own is None or held is None or not _are_linked(session, pane, other):
        return None
    if share_space(own, held):
        return point_lps
    if held.volume.is_film or own.volume.is_film:
        return None
    views = session.views
    one = cut_of(own.volume.geometry, views[pane]).normal
    two = cut_of(held.volume.geometry, views[other]).normal
    # Without a common reference as many mm along the slices, where these lie alike.
    if abs(float(one @ two)) < _ALONGSIDE:
        return None
    return np.array(views[other].point_lps) + float(moved @ two) * two
