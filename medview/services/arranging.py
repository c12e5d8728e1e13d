"""Which pane holds what: layouts, a series put into a pane, and the study before this one."""

from __future__ import annotations

from collections.abc import Mapping

from medview.domain.study import Catalogue, Series, Study
from medview.services.layouts import (
    LAYOUTS,
    MAIN_PANE,
    MPR,
    PANES,
    layout_of,
    mpr_refusal,
)
from medview.services.library import Library, same_owner
from medview.services.session import Session
from medview.services.session_values import Message, Shown

COMPARE = "1x2"
# Panes are filled by themselves up to so many MB of pixels.
_FILL_MB = 1024
_BYTES = 2


class Arranging:
    """Changes ``session.layout`` and what panes hold; reading is the library's."""

    def __init__(self, session: Session, library: Library) -> None:
        self._session = session
        self._library = library
        self._is_to_fill = False
        # Found in this catalogue: every rule of hanging asks for the prior of the same series.
        self._priors: tuple[Catalogue, dict[str, Series | None]] = (Catalogue(()), {})
        session.events.catalogue.connect(self._on_catalogue)
        session.events.volume_id.connect(self._on_volume)

    # -- layouts ---------------------------------------------------------------------------

    def use(self, key: str) -> bool:
        """Lay the panes out so; a grid is filled with the next series of the study.

        False, with a sentence, where three planes make no sense of the volume on screen.
        """
        if key == MPR and self.mpr_refusal:
            self._session.message = Message(self.mpr_refusal, "warning")
            return False
        if key == self._session.layout:
            return True
        if LAYOUTS[key].is_mpr:
            self._use_mpr(key)
        else:
            self._use_grid(key)
            self._fill()
        return True

    @property
    def mpr_refusal(self) -> str:
        """Why the volume on screen has no three planes; empty when it has, or nothing is open."""
        volume = self._session.volume
        return mpr_refusal(volume) if volume is not None else ""

    def hang(self, key: str, panes: Mapping[str, Series], opened: Series) -> None:
        """Lay the panes out and put a series into each; what is on screen is not read again.

        `opened` is the series on screen. Three planes show the first series, or that one;
        panes that nothing is said of stay empty.
        """
        session = self._session
        if session.volume is None:
            return
        self._is_to_fill = False
        self._library.seen.keep()
        own = Shown(opened, session.volume, session.time, session.volume_id)
        views = self._library.seen.of(own)
        is_mpr = LAYOUTS[key].is_mpr
        places = [pane for pane, series in panes.items() if series is opened] or [MAIN_PANE]
        with session.together():
            session.layout, session.maximised, session.alone = key, None, frozenset()
            session.linked = True
            session.shown = {} if is_mpr else dict.fromkeys(places, own)
            session.views = views if is_mpr else dict.fromkeys(places, views[MAIN_PANE])
            session.active_pane = MAIN_PANE if is_mpr else places[0]
        # What is read into the first pane in place of the series on screen stops the reading of
        # that one, which then begins again in its own pane.
        is_moved = own.id is None and MAIN_PANE not in places
        for pane, series in panes.items():
            if series is not opened or is_moved:
                self._library.show(series, pane=pane)

    def _use_mpr(self, key: str) -> None:
        session = self._session
        self._library.seen.keep()
        with session.together():
            session.layout, session.shown, session.maximised = key, {}, None
            session.alone = frozenset()
            if session.series is not None and session.volume is not None:
                held = Shown(session.series, session.volume, session.time, session.volume_id)
                session.views = self._library.seen.of(held)
                session.active_pane = MAIN_PANE

    def _use_grid(self, key: str) -> None:
        """Keep what the first panes hold; without a grid before, the series on screen."""
        session = self._session
        self._library.seen.keep()
        held = dict(session.shown)
        if not held and session.series is not None and session.volume is not None:
            own = Shown(session.series, session.volume, session.time, session.volume_id)
            held = {MAIN_PANE: own}
        # What was read in a pane that goes comes into the first one, not out of sight.
        if session.active_pane in held and session.active_pane not in LAYOUTS[key].panes:
            held[MAIN_PANE] = held.pop(session.active_pane)
            session.views = {**session.views, MAIN_PANE: session.views[session.active_pane]}
        left = {pane: each for pane, each in held.items() if pane in LAYOUTS[key].panes}
        with session.together():
            session.layout, session.shown, session.maximised = key, left, None
            session.alone = session.alone & set(LAYOUTS[key].panes)
            session.views = {pane: view for pane, view in session.views.items() if pane in left}
            if left and session.active_pane not in left:
                session.active_pane = next(iter(left))

    def _on_catalogue(self) -> None:
        """Other folders: nothing of the former stays in a pane beside what comes."""
        session, catalogue = self._session, self._session.catalogue
        self._is_to_fill = not layout_of(session).is_mpr
        left = {p: s for p, s in session.shown.items() if catalogue.find(s.series.key) is s.series}
        if len(left) == len(session.shown):
            return
        own = session.active_pane
        with session.together():
            # The pane that is read stays, as without a grid, until what comes is there.
            left |= {own: session.shown[own]} if own in session.shown else {}
            session.shown = left
            session.views = {pane: view for pane, view in session.views.items() if pane in left}

    def _on_volume(self) -> None:
        """The first series of other folders is whole: now those beside it."""
        if self._is_to_fill and self._session.volume_id is not None:
            self._is_to_fill = False
            self._fill()

    def _fill(self) -> None:
        """Put the series that follow in the study into the panes that are empty."""
        session = self._session
        if session.series is None:
            return
        panes = [pane for pane in layout_of(session).panes if pane not in session.shown]
        shown = {each.series.key for each in session.shown.values()}
        room = _FILL_MB << 20
        for series in self._following(session.series):
            size = series.size[0] * series.size[1] * series.size[2] * _BYTES
            if panes and series.key not in shown and size <= room:
                room -= size
                self._library.show(series, pane=panes.pop(0))

    def _following(self, series: Series) -> list[Series]:
        """Series of the same study that can be shown, the ones after this one first."""
        owner = self._session.catalogue.owner(series)
        every = [s for s in owner[1].series if s.geometry is not None] if owner else []
        keys = [each.key for each in every]
        place = keys.index(series.key) + 1 if series.key in keys else 0
        return every[place:] + every[:place]

    # -- a series into a pane --------------------------------------------------------------

    def put(self, key: str, pane: str) -> None:
        """Put a series (by its key) into a pane, unless it is another patient's beside this one."""
        session = self._session
        series = session.catalogue.find(key)
        if series is None or pane not in PANES:
            return
        others = [s for p, s in session.shown.items() if p != pane]
        if any(not same_owner(session.catalogue, each.series, series) for each in others):
            text = (
                "This series is of another patient, and panes never show two patients. "
                "Click it in the list to read that patient instead."
            )
            session.message = Message(text, "warning")
            return
        if self._library.show(series, pane=pane) is None and session.shown:
            session.active_pane = pane

    # -- the study before ------------------------------------------------------------------

    @property
    def prior_refusal(self) -> str:
        """Why there is nothing to compare with, as a sentence; empty when there is."""
        series = self._session.series
        if series is None:
            return "Open a study first."
        if not self._earlier(series):
            if self._has_later(series):
                return "This is the earliest study of the patient. Choose a later one first."
            return (
                "There is no earlier study of this patient in the list. Open a folder that holds "
                "both studies; studies of another patient are never set beside this one."
            )
        if self.prior_of(series) is None:
            return f"No earlier study of this patient has a {series.modality} series to compare."
        return ""

    def compare(self) -> bool:
        """Set the series on screen beside its like in the study before: current left, prior right.

        False, with a sentence, when there is none.
        """
        session, refusal = self._session, self.prior_refusal
        series = session.series
        if refusal or series is None:
            session.message = Message(refusal, "warning")
            return False
        prior = self.prior_of(series)
        assert prior is not None
        assert session.volume is not None
        own = Shown(series, session.volume, session.time, session.volume_id)
        self._library.seen.keep()
        with session.together():
            session.layout, session.maximised, session.alone = COMPARE, None, frozenset()
            session.linked = True
            session.shown = {MAIN_PANE: own}
            session.views = {MAIN_PANE: self._library.seen.of(own)[MAIN_PANE]}
            session.active_pane = MAIN_PANE
        self._library.show(prior, pane=PANES[1])
        return True

    def prior_of(self, series: Series) -> Series | None:
        """The series of an earlier study that is most like this one; None when none is alike."""
        catalogue = self._session.catalogue
        if self._priors[0] is not catalogue:
            self._priors = (catalogue, {})
        found = self._priors[1]
        if series.key not in found:
            found[series.key] = self._find_prior(series)
        return found[series.key]

    def _find_prior(self, series: Series) -> Series | None:
        for study in self._earlier(series):
            alike = [s for s in study.series if s.modality == series.modality and s.geometry]
            if alike:
                return max(alike, key=lambda each: _likeness(each, series))
        return None

    def _has_later(self, series: Series) -> bool:
        owner = self._session.catalogue.owner(series)
        return owner is not None and any(s.date > owner[1].date for s in owner[0].studies)

    def _earlier(self, series: Series) -> tuple[Study, ...]:
        """Studies of the same patient before this one, the newest first."""
        owner = self._session.catalogue.owner(series)
        return () if owner is None else owner[0].earlier(owner[1])


def _likeness(one: Series, other: Series) -> tuple[bool, int, bool, int]:
    """How well a series fits another: its plane, words they share, its kind, number of slices."""
    planes = [each.geometry.axis_of[2] if each.geometry else -1 for each in (one, other)]
    words = [set(each.description.lower().replace("_", " ").split()) for each in (one, other)]
    film = [each.size[2] > 1 for each in (one, other)]
    return (
        planes[0] == planes[1],
        len(words[0] & words[1]),
        film[0] == film[1],
        -abs(one.size[2] - other.size[2]),
    )
