"""Studies come back as they were left: kept while one works, restored when one opens them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from psygnal import Signal

from medview.domain.errors import MedviewError
from medview.domain.study import Series
from medview.imaging.view import View
from medview.services.layouts import LAYOUTS, MAIN_PANE, MPR, owner_of
from medview.services.library import Library
from medview.services.measuring import Measuring, with_kept
from medview.services.session import Session
from medview.services.session_values import Message, Shown
from medview.services.steps import Edited
from medview.services.viewing import Viewing
from medview.services.workspace import (
    Workspace,
    hashed,
    marks_of,
    with_marks,
    workspace_of,
)
from medview.services.workspace_files import Draft
from medview.services.workspace_store import WorkspaceStore
from medview.services.writing import AtOnce, Writer

#: Fields of the session that belong to a workspace, or to what would be lost with it.
KEPT = (
    "layout", "active_pane", "maximised", "linked", "alone", "shown", "views", "overlay_on",
    "map_name", "styles", "drawings", "key_images", "crops", "running",
)  # fmt: skip


class Workspaces:
    """Keeps how the study on screen is left; `root` None keeps nothing beyond the session.

    What is kept while one works is a draft; it becomes the workspace when another study is
    opened, when the reader says so, and when the program ends as it should. ``fresh`` tells of a
    study on screen of which nothing is kept.
    """

    fresh = Signal(Series)

    def __init__(
        self,
        session: Session,
        library: Library,
        viewing: Viewing,
        measuring: Measuring,
        root: Path | None = None,
        writer: Writer | None = None,
    ) -> None:
        self._session, self._library = session, library
        self._viewing, self._measuring = viewing, measuring
        self._store: WorkspaceStore | None = None
        if root is not None:
            self._store = WorkspaceStore(root, writer or AtOnce(), self._on_refused)
        self._study: tuple[Series, ...] = ()
        self._looked_for: _Look | None = None
        self._saved: Workspace | None = None
        self._ran: tuple[str, ...] = ()
        self._wanted: Workspace | None = None
        self._met: set[str] = set()
        self._forgotten = ""
        self._is_open = True
        self._is_chosen = False
        library.leaving.connect(self.save)
        session.events.series.connect(self._on_series)
        session.events.shown.connect(self._on_shown)
        session.events.catalogue.connect(self._on_catalogue)

    # -- keeping ---------------------------------------------------------------------------

    def keep_draft(self) -> None:
        """Keep what has changed since the last time, so that nothing is lost in a crash."""
        if not self._session.tasks:
            # What could not be read any more is not waited for.
            self._wanted = None
        now, running = self._now(), self._running()
        if now is None or self._store is None or not self._is_open:
            return
        if (now, running) == (self._saved, self._ran):
            return
        self._saved, self._ran = now, running
        at = datetime.now(UTC).isoformat(timespec="seconds")
        private = self._session.private
        paths = () if private else tuple(str(path) for path in self._library.paths)
        self._store.keep_draft(Draft(self._name, at, now, paths, running))

    def _running(self) -> tuple[str, ...]:
        """The models whose results are still to come, as a reader knows them."""
        titles = self._session.titles
        keys = sorted({key for _, key in self._session.running})
        parts = [(key, *key.partition("@")[::2]) for key in keys]
        return tuple(
            f"{titles.get(key) or titles.get(model) or model} {version}"
            for key, model, version in parts
        )

    def save(self, *, asked: bool = False, done: Callable[[], object] = lambda: None) -> bool:
        """Make what is on screen the workspace of its study; False when nothing is kept.

        What was forgotten is kept again once it is `asked` for, or the study is opened anew.
        `done` is called once the disk has it. While the study is still coming back only what was
        drawn meanwhile is new.
        """
        if asked:
            self._forgotten = ""
        store, now = self._store, self._on_screen()
        if now is None or store is None or not self._is_open:
            return False
        look, wanted = self._looked_for, self._wanted
        if look is not None:
            marked = frozenset(map(hashed, _changed(look.before, self._marks())))
            if marked:
                store.keep_behind(self._name, partial(_joined, now=now, marked=marked), done)
            return bool(marked)
        now = now if wanted is None else with_marks(wanted, marks_of(now))
        self._saved, self._ran = now, ()
        store.keep(self._name, now, done)
        return True

    def forget(self) -> None:
        """Delete what is kept of the study on screen; what is drawn on it stays on screen."""
        if self._store is not None and self._study and self._is_open:
            self._forgotten = self._name
            self._store.forget(self._name)

    def close(self) -> None:
        """Save once more; from then on nothing is written."""
        self.save()
        self._is_open = False

    def _on_refused(self, error: MedviewError) -> None:
        self._session.message = Message.of(error)

    def _now(self) -> Workspace | None:
        """None without a study, and while what was kept of it is still coming back."""
        is_coming = self._wanted is not None or self._looked_for is not None
        return None if is_coming else self._on_screen()

    def _on_screen(self) -> Workspace | None:
        """None without a study, and where it is to be forgotten."""
        if not self._study or self._session.volume is None or self._forgotten == self._name:
            return None
        return workspace_of(self._session, self._study, self._library.seen.views)

    @property
    def _name(self) -> str:
        return hashed(self._study[0].study_key)

    # -- coming back -----------------------------------------------------------------------

    def lost(self, found: Callable[[Draft], object]) -> None:
        """Call `found` with the newest that a program which was killed had not saved, if any."""
        if self._store is not None:
            self._store.lost(lambda drafts: found(drafts[0]) if drafts else None)

    def recover(self, done: Callable[[tuple[Path, ...]], object]) -> None:
        """Take all that was lost for saved; `done` is given the folders of the newest."""

        def recovered(drafts: list[Draft]) -> None:
            done(tuple(Path(path) for path in drafts[0].paths) if drafts else ())

        if self._store is not None:
            self._store.recover(recovered)

    def skip(self) -> None:
        """Leave what was lost away, for good."""
        if self._store is not None:
            self._store.skip()

    def _on_catalogue(self) -> None:
        """Folders were opened: what is in them comes as it was left, also for the second time."""
        self._study, self._wanted, self._forgotten = (), None, ""
        self._looked_for, self._is_chosen = None, False
        self._met.clear()

    def _on_series(self, series: Series | None) -> None:
        """Another study on screen has its own workspace, unless it stands beside the former."""
        if series is None:
            return
        own = {each.study_key for each in self._study}
        beside = {each.series.study_key for each in self._session.shown.values()}
        if series.study_key in own or (own & beside and series.study_key in beside):
            self._on_shown()
            return
        self._saved, self._study, self._forgotten = None, self._series_of(series), ""
        self._look_for(series)
        # The first series of folders comes by itself; whatever follows, the reader has chosen.
        self._is_chosen = True

    def _look_for(self, series: Series) -> None:
        """Have what is kept of the study read; nothing of it is kept anew before that."""
        if self._store is None:
            self.fresh.emit(series)
            return
        was_chosen, catalogue = self._is_chosen, self._session.catalogue
        look = self._looked_for = _Look(self._marks())

        def found(kept: Workspace | None) -> None:
            marked = _changed(look.before, self._marks())
            if self._looked_for is not look:  # another study was opened meanwhile
                if kept is not None and self._session.catalogue is catalogue:
                    self._take_marks(kept, self._by_hash(), marked)
                return
            self._looked_for = None
            if kept is None:
                self.fresh.emit(series)
            else:
                self._restore(kept, marked, was_chosen=was_chosen)

        self._store.read(self._name, found, lambda: self._damaged(found))

    def _damaged(self, found: Callable[[Workspace | None], object]) -> None:
        text = "What was kept of this study (layout, drawings) is damaged and was left out."
        self._session.message = Message(text, "warning")
        found(None)

    def _marks(self) -> Edited:
        return Edited(dict(self._session.drawings), dict(self._session.key_images))

    def _by_hash(self) -> dict[str, Series]:
        return {hashed(each.key): each for each in self._session.catalogue.all_series()}

    def _series_of(self, series: Series) -> tuple[Series, ...]:
        found = self._session.catalogue.owner(series)
        return found[1].series if found is not None else (series,)

    def _restore(self, kept: Workspace, marked: frozenset[str], *, was_chosen: bool) -> None:
        """Bring the study back as it was left; series in `marked` were drawn on meanwhile.

        `was_chosen` says that the reader asked for the very series that is on screen.
        """
        known = self._by_hash()
        self._take_marks(kept, known, marked)
        for hash_, series in known.items():
            views = {each.pane: each.view for each in kept.views if each.series == hash_}
            if views:
                self._library.seen.recall(series, views)
        self._take_display(kept)
        # Kept boxes cut nothing until the reader switches the box on.
        boxes = {known[each.series].key: each.box for each in kept.crops if each.series in known}
        self._session.crops = boxes | self._session.crops
        here = hashed(self._session.series.key) if self._session.series is not None else ""
        # Whoever chooses a series sees that one, not the one that lay there before.
        if not was_chosen or any(each.series == here for each in kept.panes):
            self._take_panes(kept, known)

    def _take_marks(
        self, kept: Workspace, known: dict[str, Series], both: frozenset[str] = frozenset()
    ) -> None:
        marks = marks_of(kept)
        self._measuring.adopt(
            {known[hash_].key: own for hash_, own in marks.drawings.items() if hash_ in known},
            {known[hash_].key: own for hash_, own in marks.key_images.items() if hash_ in known},
            both,
        )

    def _take_display(self, kept: Workspace) -> None:
        session = self._session
        with session.together():
            session.styles = session.styles | {each.map: each.style for each in kept.styles}
            session.overlay_on, session.map_name = kept.overlay_on, kept.map_name
            session.linked, session.alone = kept.linked, frozenset(kept.alone)

    def _take_panes(self, kept: Workspace, known: dict[str, Series]) -> None:
        """Put every series where it was; what is chosen comes once it is read."""
        session = self._session
        own_study = {hashed(each.key) for each in self._study}
        held = [each for each in kept.panes if each.series in known]
        ours = [each for each in held if each.series in own_study]
        # Panes with other studies alone say nothing of this one, and would open those instead.
        if not ours or session.series is None or session.volume is None:
            return
        own = Shown(session.series, session.volume, session.time, session.volume_id)
        is_grid = kept.layout in LAYOUTS and not LAYOUTS[kept.layout].is_mpr
        there = [e for e in ours if known[e.series] is own.series and e.time == own.time]
        # What is on screen goes where it was: another study in its pane would be opened instead.
        place = (there or ours)[0].pane if is_grid else MAIN_PANE
        self._wanted = kept
        with session.together():
            session.layout = kept.layout if is_grid else MPR
            session.shown = {place: own} if is_grid else {}
            views: dict[str, View] = self._library.seen.of(own)
            session.views = {place: views[MAIN_PANE]} if is_grid else views
            session.active_pane = place
        # A second reading would stop the one that goes on, which is for the main pane.
        is_coming = own.id is not None or place == MAIN_PANE
        for each in held if is_grid else ours[:1]:
            if not (is_coming and each.pane == place and each in there):
                self._library.show(known[each.series], each.time, each.pane)
        self._on_shown()

    def _on_shown(self) -> None:
        """All series are where they were: now which pane was chosen, and which was large."""
        kept, session = self._wanted, self._session
        self._meet_others()
        if kept is None:
            return
        here = {pane: hashed(each.series.key) for pane, each in session.shown.items()}
        if not here and session.series is not None:
            here = {MAIN_PANE: hashed(session.series.key)}
        if any(here.get(each.pane) != each.series for each in kept.panes):
            return
        self._wanted = None
        wanted = {each.pane for each in kept.panes}
        if session.shown and set(session.shown) - wanted:
            session.shown = {pane: each for pane, each in session.shown.items() if pane in wanted}
        own = {each.pane: each.view for each in kept.panes if each.view is not None}
        if own:
            session.views = session.views | own
        self._viewing.activate(kept.active_pane)
        if kept.maximised in session.views:
            session.maximised = kept.maximised

    def _meet_others(self) -> None:
        """Drawings of an earlier study come with it when it is set beside this one."""
        if self._store is None:
            return
        own = {each.study_key for each in self._study}
        for each in self._session.shown.values():
            study, owner = each.series.study_key, owner_of(self._session, each)
            if study in own | self._met or owner is None:
                continue
            self._met.add(study)
            self._store.read(hashed(study), partial(self._met_one, owner[1].series))

    def _met_one(self, theirs: tuple[Series, ...], kept: Workspace | None) -> None:
        if kept is not None:
            self._take_marks(kept, {hashed(series.key): series for series in theirs})


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What is kept of a study is asked for; `before` is what was drawn until then."""

    before: Edited


def _joined(kept: Workspace | None, now: Workspace, marked: frozenset[str]) -> Workspace:
    """How a study was left, with what was drawn on series (hashes) before that was known."""
    if kept is None:
        return now
    return with_marks(kept, with_kept(marks_of(kept), marks_of(now), marked))


def _changed(
    before: tuple[Mapping[str, object], ...], now: tuple[Mapping[str, object], ...]
) -> frozenset[str]:
    """Keys of which one of the dictionaries says something else than before."""
    pairs = zip(before, now, strict=True)
    return frozenset(key for old, new in pairs for key in new if new[key] != old.get(key, ()))
