"""The reader's drawings and key images: made, taken away, undone; kept by volume and time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

import numpy as np

from medview.domain.key_image import KeyImage
from medview.domain.measurement import POINTS, Kind, Measured, Measurement, Point
from medview.imaging.measuring import described, lies_on, measured, own_view
from medview.imaging.oblique import STRAIGHT
from medview.imaging.reslice import Cut, cut_of
from medview.services import tilting
from medview.services.session import Session
from medview.services.steps import Edited, Recropped, Step, Steps
from medview.services.viewing import Viewing


class Measuring:
    """Edits ``session.drawings`` and ``session.key_images``; every edit can be undone.

    So can what the reader changes of the styles of maps and of the crop box of the 3-D view;
    steps are taken back in their order.
    A drawing under way is ``session.draft``; it becomes a drawing with its last point.
    """

    def __init__(self, session: Session, viewing: Viewing) -> None:
        self._session = session
        self._viewing = viewing
        self._steps = Steps()
        viewing.maps.restyled = self._steps.remember
        viewing.crop.recropped = self._steps.remember
        session.events.series.connect(self.give_up)

    @property
    def here(self) -> tuple[Measurement, ...]:
        """Drawings on the volume on screen, the oldest first."""
        found = self._session.drawings.get(self._key, ())
        return tuple(each for each in found if each.time == self._session.time)

    def begin(self, pane: str, kind: Kind, at: Point) -> None:
        """Put the first point of a drawing on the plane of a pane."""
        axes = self._axes(pane)
        if axes is not None:
            number = max((each.id for each in self._all), default=0) + 1
            time = self._session.time
            self._set_draft(Measurement(number, kind, (at,), *axes, time=time))

    def drag(self, at: Point) -> None:
        """Let the newest point of the draft follow the mouse; the first one stays."""
        draft = self._session.draft
        if draft is not None:
            kept = draft.points[:-1] if len(draft.points) > 1 else draft.points
            self._set_draft(replace(draft, points=(*kept, at)))

    def point_to(self, pane: str, kind: Kind, at: Point | None) -> None:
        """Let the line of a draft of this kind go on to the mouse until its next point is put.

        None, and a pane that shows another slice, take the line back.
        """
        draft = self._session.draft
        held, view = self._session.content(pane), self._session.views.get(pane)
        if draft is None or draft.kind != kind or held is None or view is None:
            at = None
        elif draft.kind == "cobb" and len(draft.points) == 2:
            at = None  # the second line has not begun
        elif not lies_on(draft, cut_of(held.volume.geometry, view)):
            at = None
        self._session.draft_end = at

    def add_point(self, at: Point) -> None:
        """Put another point."""
        draft = self._session.draft
        if draft is not None:
            self._set_draft(replace(draft, points=(*draft.points, at)))

    def drop_point(self) -> None:
        """Take the newest point of the draft back."""
        draft = self._session.draft
        if draft is not None:
            self._set_draft(replace(draft, points=draft.points[:-1]))

    def finish(self, text: str = "") -> bool:
        """Make a drawing of the draft when it has all its points and is no mere click."""
        draft = self._session.draft
        if draft is None or not draft.is_finished:
            return False
        self._set_draft(None)
        if POINTS[draft.kind] != 1 and _extent(draft) <= 0:
            return False
        self._change((*self._all, replace(draft, text=text or draft.text)))
        self._session.chosen_drawing = draft.id
        return True

    def give_up(self) -> bool:
        """Leave the draft; False when there was none."""
        was_there = self._session.draft is not None
        self._set_draft(None)
        return was_there

    def move_point(self, number: int, place: int, at: Point, *, begins: bool) -> None:
        """Put a point of a drawing elsewhere on its own plane, and choose the drawing.

        Moves that follow each other are one step to take back; the first of them `begins` it.
        """
        if begins:
            self._remember()
        moved = (_with_point(each, place, at) if each.id == number else each for each in self._all)
        self._session.drawings = {**self._session.drawings, self._key: tuple(moved)}
        self._session.chosen_drawing = number

    def remove(self, number: int | None = None) -> None:
        """Take a drawing away, or the chosen one."""
        wanted = self._session.chosen_drawing if number is None else number
        left = tuple(each for each in self._all if each.id != wanted)
        if left != self._all:
            self._change(left)
            self._session.chosen_drawing = 0

    def remove_all(self) -> None:
        """Take all drawings of this volume away, in one step."""
        if self._all:
            self._change(())
            self._session.chosen_drawing = 0

    def undo(self) -> None:
        """Take the last edit back."""
        self._steps.undo(self._swap)

    def redo(self) -> None:
        """Make it again."""
        self._steps.redo(self._swap)

    def adopt(
        self,
        drawings: dict[str, tuple[Measurement, ...]],
        key_images: dict[str, tuple[KeyImage, ...]],
        marked: Collection[str] = (),
    ) -> None:
        """Take in what was kept of series; no step back leads to before it was there.

        What is there already of a series is newer and stays; of the series in `marked` it comes
        after what was kept.
        """

        def both(edited: Edited) -> Edited:
            return with_kept(Edited(drawings, key_images), edited, marked)

        self._steps.amend(both)
        self._put(both(self._now))

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return self._steps.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is one to make again."""
        return self._steps.can_redo

    def jump(self, number: int) -> None:
        """Choose a drawing and go to its slice."""
        found = next((each for each in self.here if each.id == number), None)
        if found is not None:
            self._session.chosen_drawing = number
            middle = np.mean(np.array(found.points), axis=0)
            self._viewing.set_point(cast(Point, tuple(float(mm) for mm in middle)))

    def words(self, number: int) -> tuple[str, ...]:
        """What a drawing says, on the plane it was made on."""
        found = next((each for each in self.here if each.id == number), None)
        cut = self._own_cut(found) if found is not None else None
        volume = self._session.volume
        if found is None or cut is None or volume is None:
            return ()
        return described(found, volume, cut)

    @property
    def figures(self) -> tuple[Measured, ...]:
        """The drawings on the volume on screen with their numbers; those of no shown plane not."""
        volume = self._session.volume
        if volume is None:
            return ()
        cuts = ((each, self._own_cut(each)) for each in self.here)
        return tuple(measured(each, volume, cut) for each, cut in cuts if cut is not None)

    @property
    def key_slices(self) -> tuple[int, ...]:
        """Slices k of the volume on screen that are marked as stored, in their order."""
        session = self._session
        if session.volume is None:
            return ()
        grid = session.volume.geometry
        stacked = {view.plane for view in session.views.values() if cut_of(grid, view).is_stored}
        return tuple(
            each.slice
            for each in self.key_images
            if each.plane in stacked and not each.tilt and each.time == session.time
        )

    def _own_cut(self, drawing: Measurement) -> Cut | None:
        """The slice that a drawing lies on."""
        volume = self._session.volume
        if volume is None:
            return None
        return cut_of(volume.geometry, own_view(drawing, volume.geometry))

    @property
    def key_images(self) -> tuple[KeyImage, ...]:
        """Marked images of the series on screen, in their order."""
        found = self._session.key_images.get(self._key, ())
        return tuple(sorted(found, key=lambda each: (each.time, each.plane.value, each.slice)))

    def key_image(self, pane: str) -> KeyImage | None:
        """What a mark on the image of a pane would be; None without an image."""
        held, view = self._session.content(pane), self._session.views.get(pane)
        if held is None or view is None:
            return None
        cut = cut_of(held.volume.geometry, view)
        tilt = view.tilt if cut.is_oblique else STRAIGHT
        return KeyImage(view.plane, cut.index, held.time, view.point_lps, tilt)

    def is_key(self, pane: str) -> bool:
        """Whether the image of a pane is marked."""
        return self.key_image(pane) in self._session.key_images.get(self._key, ())

    def toggle_key(self, pane: str) -> None:
        """Mark the image of a pane, or take the mark away."""
        here = self.key_image(pane)
        if here is not None:
            self.set_key(here, on=not self.is_key(pane))

    def set_key(self, image: KeyImage, *, on: bool) -> None:
        """Mark an image of the series on screen, or take the mark away."""
        there = self._session.key_images.get(self._key, ())
        if on != (image in there):
            left = (*there, image) if on else tuple(each for each in there if each != image)
            self._remember()
            self._session.key_images = {**self._session.key_images, self._key: left}

    def jump_to_key(self, image: KeyImage) -> None:
        """Go to the place of a marked image, in a pane that cuts as it was cut."""
        session = self._session
        own = session.panes_of(self._key)
        panes = [pane for pane in own if session.views[pane].plane is image.plane]
        if not panes:
            panes = [session.active_pane]
            self._viewing.set_plane(panes[0], image.plane)
        if session.active_pane not in panes:
            self._viewing.activate(panes[0])
        if session.maximised is not None and session.maximised not in panes:
            self._viewing.maximise(panes[0])
        tilting.use(session, image.tilt, (*own, *panes))
        self._viewing.set_point(image.point_lps)

    def _set_draft(self, draft: Measurement | None) -> None:
        """Put another draft; its line to the mouse comes with the next move."""
        self._session.draft, self._session.draft_end = draft, None

    @property
    def _key(self) -> str:
        series = self._session.series
        return series.key if series is not None else ""

    @property
    def _all(self) -> tuple[Measurement, ...]:
        return self._session.drawings.get(self._key, ())

    @property
    def _now(self) -> Edited:
        return Edited(self._session.drawings, self._session.key_images)

    def _put(self, edited: Edited) -> None:
        with self._session.together():
            self._session.drawings, self._session.key_images = edited

    def _swap(self, step: Step) -> Step:
        """Put back what a step has kept; give the step that leads here again."""
        if isinstance(step, Edited):
            now = self._now
            self._put(step)
            return now
        session = self._session
        if isinstance(step, Recropped):
            back = step.turned()
            session.crops = back.redone(session.crops)
            return back
        style = step.undone(session.style(step.map))
        session.styles = {**session.styles, step.map: style}
        return step.turned()

    def _remember(self) -> None:
        """Keep what is there, before it is changed."""
        self._steps.remember(self._now)

    def _change(self, drawings: tuple[Measurement, ...]) -> None:
        self._remember()
        self._session.drawings = {**self._session.drawings, self._key: drawings}

    def _axes(self, pane: str) -> tuple[Point, Point] | None:
        """Unit vectors to the right and down the screen of a pane, LPS."""
        held, view = self._session.content(pane), self._session.views.get(pane)
        if held is None or view is None:
            return None
        matrix = cut_of(held.volume.geometry, view).pixel_to_lps
        axes = [matrix[:3, n] / np.linalg.norm(matrix[:3, n]) for n in (0, 1)]
        right, down = (cast(Point, tuple(float(v) for v in axis)) for axis in axes)
        return right, down


def with_kept(kept: Edited, now: Edited, marked: Collection[str]) -> Edited:
    """What is there now in place of what was kept; of the series in `marked` behind it."""
    drawn, marks = {**kept.drawings, **now.drawings}, {**kept.key_images, **now.key_images}
    for key in marked:
        drawn[key] = _after(kept.drawings.get(key, ()), now.drawings.get(key, ()))
        both = (*kept.key_images.get(key, ()), *now.key_images.get(key, ()))
        marks[key] = tuple(dict.fromkeys(both))
    return Edited(drawn, marks)


def _after(kept: tuple[Measurement, ...], new: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    """New drawings behind those that were kept, with numbers that none of these has."""
    most = max((each.id for each in kept), default=0)
    return (*kept, *(replace(each, id=each.id + most) for each in new if each not in kept))


def _with_point(drawing: Measurement, place: int, at: Point) -> Measurement:
    """A drawing with one point elsewhere; the slice it is seen on may lie beside its plane."""
    normal = np.cross(drawing.right, drawing.down)
    beside = (np.array(at) - np.array(drawing.points[0])) @ normal
    flat = np.array(at) - beside * normal
    points = list(drawing.points)
    points[place] = cast(Point, tuple(float(mm) for mm in flat))
    return replace(drawing, points=tuple(points))


def _extent(draft: Measurement) -> float:
    points = np.array(draft.points)
    return float(np.linalg.norm(points.max(0) - points.min(0)))
