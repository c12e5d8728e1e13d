"""How a study was left, as one frozen record: layout, panes, views, drawings, key images."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from medview.domain.crop import CropBox
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.overlay import LayerStyle
from medview.domain.study import Series
from medview.imaging.view import View
from medview.services.layouts import MAIN_PANE, MPR
from medview.services.session import Session
from medview.services.steps import Edited


@dataclass(frozen=True, slots=True)
class Held:
    """Which series, at which time point, a pane held.

    `view` is how it was looked at there, where several panes held the series; else None.
    """

    pane: str
    series: str
    time: int = 0
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """How a series was looked at in a pane."""

    series: str
    pane: str
    view: View


@dataclass(frozen=True, slots=True)
class Styled:
    """How a map was drawn."""

    map: str
    style: LayerStyle


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing on a series."""

    series: str
    drawing: Measurement


@dataclass(frozen=True, slots=True)
class Marked:
    """A key image of a series."""

    series: str
    image: KeyImage


@dataclass(frozen=True, slots=True)
class Cropped:
    """The crop box of a series in the 3-D view."""

    series: str
    box: CropBox


@dataclass(frozen=True, slots=True)
class Workspace:
    """A study as it was left. Series go by a hash: the file says nothing of who it is."""

    layout: str = MPR
    active_pane: str = MAIN_PANE
    maximised: str | None = None
    linked: bool = True
    alone: tuple[str, ...] = ()
    panes: tuple[Held, ...] = ()
    views: tuple[Looked, ...] = ()
    overlay_on: bool = False
    map_name: str = "score"
    styles: tuple[Styled, ...] = ()
    drawings: tuple[Drawn, ...] = ()
    key_images: tuple[Marked, ...] = ()
    crops: tuple[Cropped, ...] = ()


def hashed(key: str) -> str:
    """What stands for the key of a study or series on the disk."""
    return hashlib.sha256(f"medview workspace {key}".encode()).hexdigest()[:32]


def workspace_of(
    session: Session, series: Iterable[Series], kept: Mapping[str, Mapping[str, View]]
) -> Workspace:
    """What is to be kept of the study that these series are of.

    `kept` holds the views of series that are not on screen, by their keys. Panes may hold
    series of an earlier study, too.
    """
    own = {each.key for each in series}
    now = _views_now(session)
    before = {(key, pane): view for key, views in kept.items() for pane, view in views.items()}
    mine = own | {key for key, _ in now}
    return Workspace(
        layout=session.layout,
        active_pane=session.active_pane or MAIN_PANE,
        maximised=session.maximised,
        linked=session.linked,
        alone=tuple(sorted(session.alone)),
        panes=_held(session, {hashed(key) for key in own}),
        views=tuple(
            Looked(hashed(key), pane, view)
            for (key, pane), view in (before | now).items()
            if key in mine
        ),
        overlay_on=session.overlay_on,
        map_name=session.map_name,
        styles=tuple(
            Styled(name, replace(style, visible=False)) for name, style in session.styles.items()
        ),
        drawings=tuple(
            Drawn(hashed(key), each)
            for key, drawings in session.drawings.items()
            for each in drawings
            if key in own
        ),
        key_images=tuple(
            Marked(hashed(key), each)
            for key, images in session.key_images.items()
            for each in images
            if key in own
        ),
        crops=tuple(Cropped(hashed(key), box) for key, box in session.crops.items() if key in own),
    )


def _held(session: Session, own: Collection[str]) -> tuple[Held, ...]:
    """What the panes hold; nothing where no series of the study, by the hashes `own`, is there.

    Where only another study is on screen, nothing is said of how this one lies.
    """
    shown = {pane: session.content(pane) for pane in session.views}
    held = tuple(
        Held(pane, hashed(each.series.key), each.time, _own_view(session, pane, each.series.key))
        for pane, each in shown.items()
        if each is not None and (session.shown or pane == MAIN_PANE)
    )
    return held if any(each.series in own for each in held) else ()


def _views_now(session: Session) -> dict[tuple[str, str], View]:
    """How each series on screen is seen, by its key and the pane."""
    shown = {pane: session.content(pane) for pane in session.views}
    return {
        (each.series.key, pane if not session.shown else MAIN_PANE): session.views[pane]
        for pane, each in shown.items()
        if each is not None
    }


def with_marks(kept: Workspace, marks: Edited) -> Workspace:
    """How a study was left, with other drawings and key images; `marks` go by hashes of series."""
    return replace(
        kept,
        drawings=tuple(Drawn(key, one) for key, all_ in marks.drawings.items() for one in all_),
        key_images=tuple(
            Marked(key, one) for key, all_ in marks.key_images.items() for one in all_
        ),
    )


def marks_of(kept: Workspace) -> Edited:
    """Drawings and key images by the hashes of their series."""
    marks = Edited({}, {})
    for drawn in kept.drawings:
        there = marks.drawings.get(drawn.series, ())
        marks.drawings[drawn.series] = (*there, drawn.drawing)
    for marked in kept.key_images:
        before = marks.key_images.get(marked.series, ())
        marks.key_images[marked.series] = (*before, marked.image)
    return marks


def _own_view(session: Session, pane: str, series: str) -> View | None:
    """The view of a pane that shares its series with another pane of a grid."""
    is_shared = bool(session.shown) and len(session.panes_of(series)) > 1
    return session.views[pane] if is_shared else None
