"""What a reader does with an image: scroll, window, zoom, turn, point.

Nothing here changes how maps are drawn, and nothing in ``overlaying`` how the image is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from medview.domain.geometry import Plane
from medview.domain.prediction import Finding
from medview.domain.volume import ValueTable, Window
from medview.imaging.intensity import preset
from medview.imaging.looks import look_of, presented, voi_in_use
from medview.imaging.reslice import Cut, cut_of
from medview.imaging.view import Annotations, SlabMode, View
from medview.services import tilting
from medview.services.cropping import Cropping
from medview.services.first_views import stored_view
from medview.services.following import point_at, together
from medview.services.key_slices import peak_of
from medview.services.layouts import layout_of
from medview.services.overlaying import Overlaying
from medview.services.session import Session
from medview.services.settings import Preferences

# A slab is first so thick.
SLAB_MM = 10.0

# Dragging over so many pixels makes a window e times as wide, or moves it by its width.
_DRAG_PX = 300.0
_ZOOM_LIMITS = (0.1, 40.0)
_NARROWEST = 1e-6
_NEXT_ANNOTATIONS: dict[Annotations, Annotations] = {
    "all": "minimal",
    "minimal": "none",
    "none": "all",
}


class Viewing:
    """The wishes of a reader, carried out on the session. `pane` is always a pane's name."""

    def __init__(self, session: Session, preferences: Preferences | None = None) -> None:
        self._session = session
        self._preferences = preferences
        #: What is done with the maps on the image.
        self.maps = Overlaying(session, preferences)
        #: What the 3-D view cuts away.
        self.crop = Cropping(session)

    # -- where -----------------------------------------------------------------------------

    def scroll(self, pane: str, steps: int) -> None:
        """Go so many slices on (or back); the ends hold."""
        cut = self._cut(pane)
        if cut is not None:
            self.go_to(pane, cut.index + steps)

    def go_to(self, pane: str, index: int) -> None:
        """Go to a slice of the pane by its index (0-based); the ends hold.

        The crosshair moves along, straight through the slices, in every pane of the same
        space; panes of other series go on by as many millimetres where they are linked.
        """
        cut = self._cut(pane)
        if cut is None:
            return
        axis = cut.layout.cut
        place = cut.grid.to_index(self._session.views[pane].point_lps)
        wanted = min(max(index, 0), cut.grid.shape[axis] - 1)
        if wanted != cut.index:
            place[axis] = wanted
            point_at(self._session, cut.grid.to_mm(place), pane)

    def go_to_end(self, pane: str, *, last: bool) -> None:
        """Go to the first or the last slice."""
        cut = self._cut(pane)
        if cut is not None:
            self.go_to(pane, cut.grid.shape[cut.layout.cut] if last else 0)

    def set_point(self, point_lps: tuple[float, float, float], pane: str | None = None) -> None:
        """Put the crosshair on a point (LPS mm); every pane cuts there. Outside: the edge.

        `pane` is where the reader pointed, None for the active one.
        """
        pointed = self._session.active_pane if pane is None else pane
        held = self._session.content(pointed)
        if held is None:
            return
        grid = held.volume.geometry
        index = grid.to_index(point_lps)
        inside = np.clip(index, -0.5, np.array(grid.shape) - 0.5)
        outside = not np.array_equal(index, inside)
        point_at(self._session, grid.to_mm(inside) if outside else np.array(point_lps), pointed)

    def activate(self, pane: str) -> None:
        """Give a pane the keyboard; what it holds is what panels and keys are about."""
        session = self._session
        if pane == session.active_pane or pane not in self._panes:
            return
        held = session.shown.get(pane)
        with session.together():
            if held is not None:
                session.series, session.time, session.volume = held.series, held.time, held.volume
                session.volume_id = held.id
            session.active_pane = pane

    def next_pane(self, steps: int = 1) -> None:
        """Give the keyboard to the next pane (or the one before)."""
        panes = self._panes
        if panes:
            active = self._session.active_pane
            here = panes.index(active) if active in panes else 0
            self.activate(panes[(here + steps) % len(panes)])

    @property
    def _panes(self) -> list[str]:
        """The panes that can be active: of a grid the empty ones, too."""
        if self._session.shown:
            return list(layout_of(self._session).panes)
        return list(self._session.views)

    def toggle_link(self) -> None:
        """Let panes with series of their own scroll and zoom together, or each for itself."""
        self._session.linked = not self._session.linked

    def toggle_alone(self, pane: str) -> None:
        """Take a pane out of those that scroll together, or back in."""
        self._session.alone = self._session.alone ^ {pane}

    def maximise(self, pane: str) -> None:
        """Let a pane fill the window; again: show all."""
        if pane in self._session.views:
            self._session.maximised = None if self._session.maximised == pane else pane

    # -- grey ------------------------------------------------------------------------------

    def drag_window(self, pane: str, right_px: float, down_px: float) -> None:
        """Change the window by dragging: right is wider, up is a lower level (brighter).

        Both steps go with the width, so that narrow windows are set finely.
        """
        window = self.window(pane)
        if window is None:
            return
        reverse = self._preferences is not None and self._preferences.settings.reverse_level
        step = -down_px if reverse else down_px
        self.set_window(
            pane,
            Window(
                width=max(window.width * math.exp(right_px / _DRAG_PX), _NARROWEST),
                level=window.level + step / _DRAG_PX * window.width,
                function=window.function,
            ),
        )

    def window(self, pane: str) -> Window | None:
        """The window in use; what the table of a file spans, where it has one; None in colour."""
        held, view = self._session.content(pane), self._session.views.get(pane)
        if held is None or view is None or held.volume.is_colour:
            return None
        voi = voi_in_use(held.volume, view)
        if isinstance(voi, ValueTable):
            wide = len(voi.values) * voi.step
            return Window(wide, voi.first + wide / 2, "LINEAR_EXACT")
        return voi

    def set_window(self, pane: str, window: Window | None) -> None:
        """Set the window of the pane, and of the others where they are linked; None: the file's."""
        self._change(lambda view: replace(view, window=window), self._linked(pane))

    def use_preset(self, pane: str, key: str) -> bool:
        """Use the window of a key ("0" to "9"); say whether this volume has one there."""
        held = self._session.content(pane)
        window = preset(held.volume, key) if held is not None else None
        if window is not None:
            self.set_window(pane, window)
        return window is not None

    def use_file_window(self, pane: str) -> None:
        """Go back to what the file itself asks for."""
        self.set_window(pane, None)

    def invert(self, pane: str) -> None:
        """Turn grey round."""
        self._change(lambda view: replace(view, inverted=not view.inverted), self._linked(pane))

    # -- size and position on the screen ---------------------------------------------------

    def zoom(self, pane: str, factor: float, about_mm: tuple[float, float] = (0.0, 0.0)) -> None:
        """Zoom by a factor; the point `about_mm` stays where it is.

        That is its way from the middle of the pane, in mm to the right and down as they are
        drawn before the zoom. Linked panes go along.
        """

        def zoomed(view: View) -> View:
            zoom = min(max(view.zoom * factor, _ZOOM_LIMITS[0]), _ZOOM_LIMITS[1])
            part = 1 - view.zoom / zoom
            x, y = (pan - part * about for pan, about in zip(view.pan_mm, about_mm, strict=True))
            return replace(view, zoom=zoom, pan_mm=(x, y))

        self._change(zoomed, together(self._session, pane))

    def pan(self, pane: str, right_mm: float, down_mm: float) -> None:
        """Push the image and linked ones to the right and down, in mm as they are drawn."""

        def pushed(view: View) -> View:
            return replace(view, pan_mm=(view.pan_mm[0] + right_mm, view.pan_mm[1] + down_mm))

        self._change(pushed, together(self._session, pane))

    def fit(self, pane: str) -> None:
        """Show the whole image in the middle of the pane; linked panes do so, too."""
        panes = together(self._session, pane)
        self._change(lambda view: replace(view, zoom=1.0, pan_mm=(0.0, 0.0)), panes)

    def flip(self, pane: str, *, vertical: bool = False) -> None:
        """Mirror what is on the screen, left to right or top to bottom; the letters follow."""

        def flipped(view: View) -> View:
            x, y = view.pan_mm
            pan = (x, -y) if vertical else (-x, y)
            # A view is flipped before it is rotated: on its side, the other flip is meant.
            if vertical == (view.rotate % 180 == 0):
                return replace(view, flip_v=not view.flip_v, pan_mm=pan)
            return replace(view, flip_h=not view.flip_h, pan_mm=pan)

        self._change(flipped, (pane,))

    def rotate(self, pane: str, quarters: int = 1) -> None:
        """Turn the image clockwise by quarters about the middle of the pane; letters follow."""

        def turned(view: View) -> View:
            x, y = view.pan_mm
            for _ in range(quarters % 4):
                x, y = -y, x
            return replace(view, rotate=(view.rotate + 90 * quarters) % 360, pan_mm=(x, y))

        self._change(turned, (pane,))

    def set_slab(self, pane: str, thickness_mm: float, mode: SlabMode = "mip") -> None:
        """Show a slab of that thickness around the slice; 0 shows the slice."""
        thick = max(0.0, thickness_mm)
        self._change(lambda view: replace(view, slab_mm=thick, slab_mode=mode), (pane,))

    def change_slab(self, pane: str, steps: int) -> None:
        """Make the slab thicker by a slice on either side (or thinner), down to the one slice."""
        cut, view = self._cut(pane), self._session.views.get(pane)
        if cut is None or view is None:
            return
        count = cut.grid.shape[cut.layout.cut]
        wanted = round(view.slab_mm / (2 * cut.step_mm)) + steps
        sides = min(max(wanted, 0), count // 2)
        self.set_slab(pane, sides * 2 * cut.step_mm, view.slab_mode)

    def use_slab_mode(self, pane: str, mode: SlabMode) -> None:
        """Show a slab in this way; where there is none yet, one of `SLAB_MM` or three slices."""
        cut, view = self._cut(pane), self._session.views.get(pane)
        if cut is not None and view is not None and cut.grid.shape[cut.layout.cut] > 1:
            self.set_slab(pane, view.slab_mm or max(SLAB_MM, 2 * cut.step_mm), mode)

    def cycle_slab(self, pane: str) -> None:
        """The single slice, the maximum of a slab, its minimum, its mean, and the slice again."""
        view = self._session.views.get(pane)
        if view is None:
            return
        if not view.slab_mm:
            self.use_slab_mode(pane, "mip")
        elif view.slab_mode == "mean":
            self.set_slab(pane, 0.0)
        else:
            self.use_slab_mode(pane, "minip" if view.slab_mode == "mip" else "mean")

    def reset(self, pane: str) -> None:
        """Undo zoom, pan, turns, slab and window of a pane; crosshair and state stay.

        Turned planes are set straight in all panes: they turn as one.
        """
        held = self._session.content(pane)
        if held is None:
            return

        def plain(view: View) -> View:
            look = look_of(held.volume, view)
            plane = view.plane if look is None else stored_view(held.volume, pane).plane
            return presented(held.volume, View(plane, view.point_lps), look)

        self._change(plain, (pane,))
        tilting.straighten(self._session)

    def set_plane(self, pane: str, plane: Plane) -> None:
        """Cut the patient another way in this pane; its window stays."""
        self._change(
            lambda view: replace(view, plane=plane, flip_h=False, flip_v=False, rotate=0), (pane,)
        )

    def toggle_crosshair(self) -> None:
        """Show or hide the crosshair in every pane."""
        on = not any(view.crosshair for view in self._session.views.values())
        self._change(lambda view: replace(view, crosshair=on), tuple(self._session.views))

    def toggle_reference(self) -> None:
        """Show or hide where the slices of the other panes run."""
        self._session.reference_on = not self._session.reference_on

    def cycle_annotations(self) -> None:
        """All texts in the corners, few, none, and all again."""
        self._change(
            lambda view: replace(view, annotations=_NEXT_ANNOTATIONS[view.annotations]),
            tuple(self._session.views),
        )

    # -- findings --------------------------------------------------------------------------

    def next_finding(self, steps: int = 1) -> None:
        """Put the crosshair on the next finding (or the one before), round and round."""
        findings = self._session.findings
        if not findings:
            return
        if self._session.finding in findings:
            place = (findings.index(self._session.finding) + steps) % len(findings)
        else:
            place = 0 if steps > 0 else len(findings) - 1
        self.go_to_finding(findings[place])

    def go_to_finding(self, finding: Finding) -> None:
        """Put the crosshair on a finding in every pane: on its peak, as its middle may be outside.

        Where the map is not there, or shows no such peak, on its middle in the slice of the peak.
        """
        volume, result = self._session.volume, self._session.finder
        if volume is None:
            return
        self._session.finding = finding
        peak = peak_of(finding, result.map(finding.map) if result is not None else None)
        index = volume.geometry.to_index(peak)
        index[0] = finding.slice
        point_at(self._session, volume.geometry.to_mm(index), self._session.active_pane)

    # -- how it is done --------------------------------------------------------------------

    def _cut(self, pane: str) -> Cut | None:
        held, view = self._session.content(pane), self._session.views.get(pane)
        return None if held is None or view is None else cut_of(held.volume.geometry, view)

    def _linked(self, pane: str) -> tuple[str, ...]:
        """The panes that share their window with this one, itself among them.

        Of one series in two panes with windows of their own each goes on by itself.
        """
        session = self._session
        if pane not in session.views:
            return ()
        if self._preferences is not None and not self._preferences.settings.link_windows:
            return (pane,)
        held = session.content(pane)
        if not session.shown or held is None:
            return tuple(session.views)
        own = session.views[pane].window
        alike = session.panes_of(held.series.key)
        return tuple(each for each in alike if session.views[each].window == own)

    def _change(self, change: Callable[[View], View], panes: tuple[str, ...]) -> None:
        """Put changed views into the session, all at once."""
        views = self._session.views
        changed = {pane: change(views[pane]) for pane in panes if pane in views}
        if changed:
            self._session.views = views | changed
