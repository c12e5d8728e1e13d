"""What a reader does with the maps on an image: show, style, order them, and keep them back.

What is done here leaves window, zoom and slice alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from medview.domain.overlay import LayerStyle
from medview.services.session import MAPS_IN_TURN, Session
from medview.services.settings import Preferences
from medview.services.steps import Restyled


class Overlaying:
    """The wishes of a reader about maps, carried out on the session."""

    def __init__(self, session: Session, preferences: Preferences | None = None) -> None:
        self._session = session
        self._preferences = preferences
        #: Told of every change that the reader makes to the style of a map.
        self.restyled: Callable[[Restyled], object] = lambda step: None

    def toggle_overlay(self) -> None:
        """Show or hide all maps; opacity, range and threshold stay as they are."""
        session = self._session
        with session.together():
            session.overlay_on = not session.overlay_on
            if session.overlay_on:
                self._choose_one()

    def _choose_one(self) -> None:
        """Where none of the maps is chosen, as of a model without a score: the topmost one."""
        session = self._session
        if session.layers and session.map(session.map_name) is None:
            session.map_name = session.layers[-1].map.name

    def set_first_reader(self, *, on: bool) -> None:
        """Keep what models say back until the reader's own reading is done, or no more."""
        self._session.first_reader = on
        if self._preferences is not None:
            self._preferences.change(first_reader=on)

    def finish_reading(self) -> None:
        """Show what models say of the pixels on screen: the reader has read them."""
        about = self._session.volume_id
        if about is not None:
            self._session.read = self._session.read | {about}

    def show_zones(self, *, on: bool) -> None:
        """Show or hide the boxes of a result, such as the zones of the lungs."""
        self._session.zones_on = on

    def change_opacity(self, steps: int) -> None:
        """Make the shown map more (or less) opaque by tenths."""
        style = self._session.style(self._session.map_name)
        tenths = min(max(round(style.opacity * 10) + steps, 0), 10)
        self.set_style(self._session.map_name, replace(style, opacity=tenths / 10))

    def set_style(self, name: str, style: LayerStyle, gesture: object = None) -> None:
        """Draw a map in this way from now on; changes with one `gesture` are one step back."""
        before = self._session.style(name)
        if self._session.map(name) is not None and style != before:
            self.restyled(Restyled(name, before, style, gesture))
            self._session.styles = {**self._session.styles, name: style}

    def show_map(self, name: str) -> None:
        """Choose this map: it is drawn in place of the chosen one, unless that is kept."""
        if self._session.map(name) is not None:
            self._session.map_name = name

    def keep_map(self, key: str, *, on: bool) -> None:
        """Draw a map beside the chosen one from now on, or no more.

        With the last one the overlay goes; where the chosen one goes, the topmost of those left
        is chosen.
        """
        session = self._session
        every = [layer.map.name for layer in session.layers]
        drawn = [name for name in every if name in session.maps_drawn and session.overlay_on]
        left = [name for name in every if name == key or name in drawn]
        left = left if on else [name for name in left if name != key]
        with session.together():
            session.overlay_on = bool(left)
            session.kept_maps = frozenset(left)
            if left and session.map_name not in left:
                session.map_name = left[-1]

    def move_map(self, key: str, steps: int) -> None:
        """Raise a map by so many places over the others (or lower it); the ends hold."""
        order = [layer.map.name for layer in self._session.layers]
        if key in order:
            place = min(max(order.index(key) + steps, 0), len(order) - 1)
            order.remove(key)
            order.insert(place, key)
            self._session.map_order = tuple(order)

    def cycle_map(self) -> None:
        """Show the next map: score, residual, epistemic, aleatoric, total, score.

        Of models that make none of these: their maps from the topmost on.
        """
        there = [name for name in MAPS_IN_TURN if self._session.map(name) is not None]
        there = there or [layer.map.name for layer in reversed(self._session.layers)]
        if there:
            here = self._session.map_name
            place = there.index(here) + 1 if here in there else 0
            self.show_map(there[place % len(there)])

    # -- two versions under a divider ------------------------------------------------------

    def move_divider(self, share: float) -> None:
        """Put the divider between old and new there, and show both."""
        self._change_swipe(share=min(max(share, 0.0), 1.0), shown="both")

    def blink_versions(self) -> None:
        """Show the new version alone, or the old one where the new is shown."""
        swipe = self._session.swiped
        if swipe is not None:
            self._change_swipe(shown="old" if swipe.shown == "new" else "new")

    def _change_swipe(self, **fields: Any) -> None:
        held, swipe = self._session.swipe, self._session.swiped
        if held is not None and swipe is not None:
            self._session.swipe = (held[0], replace(swipe, **fields))
