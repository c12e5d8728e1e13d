"""Segmentations and parametric maps of other programs, laid over the image on screen."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count

from medview.domain.discretion import tells_who
from medview.domain.overlay import Laid, ScalarMap
from medview.domain.study import Series
from medview.services.jobs import Job, Jobs
from medview.services.layering import laid_style
from medview.services.session import Session
from medview.services.session_values import Message, VolumeId
from medview.services.tasks import Answers, Errand, Tasks

LAY = "medview.services.laying_work:lay"
_MOST_BYTES = 1 << 30


class Laying:
    """Lays objects over the volume on screen; they are listed and drawn like maps of a model."""

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._names: dict[tuple[VolumeId, str], str] = {}
        session.events.volume_id.connect(self._let_go)

    def can_lay(self, series: Series) -> bool:
        """Whether a series is an object that another image on screen can have over it."""
        shown = self._session.series
        return series.lies_over and shown is not None and shown.key != series.key

    def lay(self, series: Series) -> Job | None:
        """Lay an object over the volume on screen; None while there is none to lay it over."""
        session = self._session
        about, volume = session.volume_id, session.volume
        if about is None or volume is None or not self.can_lay(series):
            return None
        errand = Errand(
            "Laying an object over the image",
            "files",
            LAY,
            (series.files[0], volume.geometry),
            about=series.modality,
        )
        return self._tasks.run(errand, Answers(lambda laid: self._laid(about, series, laid)))

    def _laid(self, about: VolumeId, series: Series, laid: Laid) -> None:
        session = self._session
        owner = session.catalogue.owner(series)
        there = session.laid.get(about, ())
        maps: list[ScalarMap] = []
        for n, each in enumerate(laid.maps, 1):
            title = each.title
            if owner is not None and tells_who(title, owner[0]):
                title = f"{series.modality} {n}"
            maps.append(replace(each, title=title, name=self._name(about, each, title)))
        names = {each.name for each in maps}
        others = tuple(each for each in there if each.name not in names)
        # What the reader has set stays where the same object is laid again; the style of another
        # map of that name, with another range, would show false values.
        known = {each.name for each in there}
        styles = {
            each.name: laid_style(each, n)
            for n, each in enumerate(maps, len(others))
            if each.name not in known
        }
        with session.together():
            session.laid = {**session.laid, about: (*others, *maps)}
            session.styles = {**session.styles, **styles}
            session.kept_maps = session.kept_maps | names
            session.overlay_on = True
        words = ", ".join(each.title for each in maps)
        session.message = Message(f"{words}: laid over the image. {laid.words}".strip())

    def _let_go(self) -> None:
        """Once another folder is on screen, keep nothing that lay over images of the former.

        Of what is open the newest maps stay, up to so many bytes; the others are laid again by a
        click.
        """
        session, room = self._session, _MOST_BYTES
        kept = []
        for about, maps in reversed(session.laid.items()):
            room -= sum(each.array.nbytes for each in maps)
            if session.is_open(about) and (room >= 0 or about == session.volume_id):
                kept.append((about, maps))
        if len(kept) < len(session.laid):
            session.laid = dict(reversed(kept))
            here = session.laid.keys()
            self._names = {key: name for key, name in self._names.items() if key[0] in here}

    def _name(self, about: VolumeId, laid: ScalarMap, title: str) -> str:
        """What a map is called under the mouse: its title, with a number where that is taken.

        It begins with a capital letter, as no map of a model does: of one that is run later on
        this image a map called "brain" must not be this one.
        """
        key, title = (about, laid.name), title[:1].upper() + title[1:]
        if key not in self._names:
            taken = {name for (where, _), name in self._names.items() if where == about}
            taken |= {each.name for each in self._session.maps}
            numbers = (f"{title} {n}" for n in count(2))
            self._names[key] = next(name for name in chain((title,), numbers) if name not in taken)
        return self._names[key]
