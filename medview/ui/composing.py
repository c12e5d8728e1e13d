"""From the session to what one pane draws: its frame, its corners, and whose image it is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from medview.domain.crop import CropBox
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.prediction import Prediction, SliceScore
from medview.domain.volume import Volume
from medview.imaging.body import body_box, body_corners
from medview.imaging.frame import compose_frame
from medview.imaging.measuring import shapes_on
from medview.imaging.oblique import STRAIGHT
from medview.imaging.outline import outline
from medview.imaging.part import Room, grown, needed
from medview.imaging.reference import reference_lines
from medview.imaging.reslice import cut_of
from medview.imaging.view import Corners, DrawnShape, Frame, Layer, Part, View
from medview.services.layering import base_name
from medview.services.layouts import is_prior, share_space
from medview.services.session import Session
from medview.services.session_values import Shown
from medview.services.telling import result_lines, result_marks, zones_line
from medview.ui.dress import Dress, Placing
from medview.ui.identity import corner_lines, time_words
from medview.ui.swiping import swipe_on, swiped_dress, swiped_frame
from medview.ui.words import tr

# None says that there is no body.
_UNKNOWN: NDArray[np.float64] = np.zeros(0)


class Composer:
    """Composes the panes of a session; a frame is kept until something of it changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._composed: dict[str, tuple[Hashable, Frame]] = {}
        self._bodies: list[tuple[Volume, NDArray[np.float64] | None]] = []
        self._figures: tuple[tuple[Prediction, str, int], tuple[float, ...]] | None = None

    def forget(self, kept: Iterable[str]) -> None:
        """Keep nothing of panes but these: a frame holds on to its volume."""
        kept = set(kept)
        self._composed = {pane: each for pane, each in self._composed.items() if pane in kept}
        held = [each for pane in kept if (each := self._session.content(pane)) is not None]
        volumes = [each.volume for each in held]
        self._bodies = [body for body in self._bodies if any(body[0] is each for each in volumes)]
        results = [one for each in held for one in self._session.results_about(each.id)]
        if self._figures is not None and self._figures[0][0] not in results:
            self._figures = None

    def compose(
        self, pane: str, held: Shown, others: tuple[str, ...], room: Room, *, is_large: bool
    ) -> tuple[Frame, Placing, Dress]:
        """All that a pane draws of what it holds; `others` are the panes seen beside it."""
        view, volume = self._session.views[pane], held.volume
        frame = self._frame(pane, held, view, others, room)
        shapes = self._shapes(held, view)
        if shapes or frame.shapes:
            frame = replace(frame, shapes=shapes)
        spacing = volume.geometry.spacing_kind
        dress = Dress(
            corners=self._corners(pane, held, frame, is_large=is_large),
            is_active=pane == self._session.active_pane,
            is_large=is_large,
            has_scale=spacing is not None and view.annotations != "none",
            scale_note=tr("at detector") if spacing == "detector" else "",
            tag=tr("PRIOR") if self._session.shown and is_prior(self._session, held) else "",
        )
        dress = swiped_dress(dress, swipe_on(self._session, volume, view))
        box = body_box(frame, self._body_of(volume))
        return frame, Placing(view.zoom, view.pan_mm, box), dress

    def _frame(
        self, pane: str, held: Shown, view: View, others: tuple[str, ...], room: Room
    ) -> Frame:
        """Compose, unless only the place on the screen has changed."""
        session, volume = self._session, held.volume
        swipe = swipe_on(session, volume, view)
        plain = replace(view, zoom=1.0, pan_mm=(0.0, 0.0))
        layers = session.layers_about(held.id)
        results = session.results_about(held.id)
        marks = result_marks(results) if session.zones_on else ()
        drawn = tuple((each.map, each.style, each.fade) for each in layers)
        cutting = self._cutting(held, view, others)
        cuts = tuple((each.plane, each.point_lps, each.slab_mm, each.tilt) for each in cutting)
        box = self._crop_box(held, view)
        asked = (volume, plain, drawn, results, session.zones_on, cuts, swipe, box)
        part = needed(volume, view, room, self._body_of(volume)) if swipe is None else None
        before = self._composed.get(pane)
        if before is not None and before[0] == asked and _holds(before[1], part):
            return before[1]
        if swipe is not None:
            frame = swiped_frame(session, volume, plain, swipe)
        else:
            if part is not None and _is_pushed(part, before):
                part = grown(part, cut_of(volume.geometry, view))
            said = result_lines(results, session.titles)
            said += zones_line(results, session.titles) if session.zones_on else ()
            frame = compose_frame(volume, layers, plain, marks=marks, said=said, part=part)
        # On a film there is no other plane that the crosshair could lead to.
        crosshair = frame.crosshair and not volume.is_film
        frame = replace(
            frame,
            strip=self._strip(held, view),
            crosshair=crosshair,
            reference=reference_lines(volume.geometry, view, cutting),
            crop=() if box is None else outline(cut_of(volume.geometry, view), box),
        )
        self._composed[pane] = (asked, frame)
        return frame

    def _cutting(self, held: Shown, view: View, others: tuple[str, ...]) -> tuple[View, ...]:
        """What other panes of the same space show, where this one is to say where that is."""
        session = self._session
        if not session.reference_on or view.annotations == "none" or held.volume.is_film:
            return ()
        found = ((pane, session.content(pane)) for pane in others if pane in session.views)
        return tuple(
            session.views[pane]
            for pane, each in found
            if each is not None and share_space(held, each)
        )

    def _crop_box(self, held: Shown, view: View) -> CropBox | None:
        """What the 3-D view cuts this series by, where a pane is to say where that is."""
        session = self._session
        if not session.crop_on or view.annotations == "none" or held.volume.is_film:
            return None
        return session.crops.get(held.series.key) or CropBox.around(held.volume.geometry)

    def _shapes(self, held: Shown, view: View) -> tuple[DrawnShape, ...]:
        """The reader's drawings on the slice of a pane, with the one under way."""
        session = self._session
        drawn = session.drawings.get(held.series.key, ())
        here = tuple(each for each in drawn if each.time == held.time)
        is_read = session.series is not None and session.series.key == held.series.key
        draft = (_to_the_mouse(session),) if session.draft is not None and is_read else ()
        if view.annotations == "none" or not (here or draft):
            return ()
        chosen = session.chosen_drawing if is_read else 0
        return shapes_on((*here, *draft), held.volume, view, chosen=chosen)

    def _strip(self, held: Shown, view: View) -> tuple[float, ...]:
        """A figure a slice where the pane steps through the slices a model scored."""
        result, geometry = self._result(held), held.volume.geometry
        if result is None or not result.slices or not self._session.overlay_on:
            return ()
        cut = cut_of(geometry, view)
        axis = geometry.axis_of[2]  # models go through the head from foot to head
        if cut.layout.cut != axis or cut.grid is not geometry:
            return ()
        asked = (result, self._session.map_name, geometry.shape[axis])
        if self._figures is None or self._figures[0] != asked:
            self._figures = (asked, _figures(*asked))
        return self._figures[1]

    def _result(self, held: Shown) -> Prediction | None:
        """The finished result that the chosen map belongs to."""
        return self._session.owner_about(held.id, self._session.map_name)

    # -- corners ---------------------------------------------------------------------------

    def _corners(self, pane: str, held: Shown, frame: Frame, *, is_large: bool) -> Corners:
        session, corners = self._session, frame.corners
        view = session.views[pane]
        who = corner_lines(session.catalogue, held.series, private=session.private)
        link = self._link_lines(pane, held, view, is_large=is_large)
        own = (*self._own_lines(held, frame, view), *link)
        if not is_large and not session.shown:
            leans = f"{frame.lean:.0f}°" if frame.lean else ""
            title = (tr(view.plane.value.capitalize()), frame.position.removesuffix(" mm"), leans)
            return Corners(top_left=(" · ".join(filter(None, title)),), top_right=(*who[:1], *own))
        if not is_large:
            return Corners(top_left=who, top_right=(*corners.top_right[:1], *own))
        corners = replace(corners, top_right=(*corners.top_right, *own))
        if view.annotations != "all":
            # Beside other studies a name alone would not say which one this is.
            return replace(corners, top_left=who[:2] if session.shown else who[:1])
        return replace(corners, top_left=who, bottom_right=self._overlay_lines(held, corners))

    def _own_lines(self, held: Shown, frame: Frame, view: View) -> tuple[str, ...]:
        """The time point, and that the reader has marked this image."""
        if view.annotations == "none":
            return ()
        here = KeyImage(
            view.plane, frame.slice, held.time, tilt=view.tilt if frame.lean else STRAIGHT
        )
        is_key = here in self._session.key_images.get(held.series.key, ())
        words = time_words(held.series, held.time)
        return tuple(filter(None, (words, tr("Key image") if is_key else "")))

    def _link_lines(self, pane: str, held: Shown, view: View, *, is_large: bool) -> tuple[str, ...]:
        """How this pane goes with the active one, where that is not plain to see."""
        session = self._session
        if not session.shown or len(session.views) < 2 or view.annotations == "none":
            return ()
        if not session.linked or pane in session.alone:
            return (tr("not linked"),)
        if session.active_pane in session.alone:
            return ()
        active = session.content(session.active_pane)
        if active is None or active.volume.is_film or share_space(held, active):
            return ()
        if held.volume.is_film:
            return ()
        return (tr("linked in mm, not registered") if is_large else tr("not registered"),)

    def _overlay_lines(self, held: Shown, corners: Corners) -> tuple[str, ...]:
        """The topmost map with the model that made it, then that it is for research."""
        layers = [each for each in self._session.layers_about(held.id) if each.style.visible]
        titles, last = corners.bottom_right[:-1], corners.bottom_right[-1:]
        if len(titles) != len(layers):
            return corners.bottom_right
        if not titles:
            return last
        top = self._made_by(held, titles[-1], layers[-1])
        others = len(titles) - 1
        # Below them is the strip; the others bear their names at their colour bars.
        return (top if not others else tr("{map}, {n} more", map=top, n=others), *last)

    def _made_by(self, held: Shown, title: str, layer: Layer) -> str:
        """A map's title with its model, unless the title says it already."""
        key = layer.map.name
        owner = self._session.owner_about(held.id, key)
        if owner is None or key != base_name(key):
            return title
        return f"{title} · {self._session.named(owner)}"

    def _body_of(self, volume: Volume) -> NDArray[np.float64] | None:
        """Where the body is; unknown as long as slices are still to come."""
        if volume.slices_to_come:
            return None
        known = next((corners for each, corners in self._bodies if each is volume), _UNKNOWN)
        if known is _UNKNOWN:
            known = body_corners(volume)
            self._bodies.append((volume, known))
        return known


def _to_the_mouse(session: Session) -> Measurement:
    """The drawing under way with its line to the mouse, where that is its next point."""
    draft, end = session.draft, session.draft_end
    assert draft is not None
    return draft if end is None else replace(draft, points=(*draft.points, end))


def _holds(frame: Frame, part: Part | None) -> bool:
    """Whether what a pane needs of a slice is in its frame."""
    if frame.part is None or part is None:
        return frame.part is part
    return frame.part.covers(part)


def _is_pushed(part: Part, before: tuple[Hashable, Frame] | None) -> bool:
    """Whether it pays to take more than is seen: not at another zoom, where it is of no use."""
    last = None if before is None else before[1].part
    return part.step == 1 or (last is not None and last.step == part.step)


def _figures(result: Prediction, map_name: str, slices: int) -> tuple[float, ...]:
    """What a result says of every slice about a map; empty where it says nothing."""
    figures = [nan] * slices
    for each in result.slices:
        if 0 <= each.slice < slices:
            figures[each.slice] = _figure(each, base_name(map_name))
    return tuple(figures) if any(isfinite(figure) for figure in figures) else ()


def _figure(each: SliceScore, map_name: str) -> float:
    if map_name == "total":
        return each.epistemic + each.aleatoric
    figures = {"residual": each.residual, "epistemic": each.epistemic, "aleatoric": each.aleatoric}
    return figures.get(map_name, each.score)
