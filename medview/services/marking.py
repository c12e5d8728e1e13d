"""What the reader marked and drew in the study on screen, gathered for its report."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.exam import Exam
from medview.domain.study import Series
from medview.services.report_marks import Marked
from medview.services.session import Session


def marked_of(session: Session) -> tuple[Marked, ...]:
    """Key images and drawings of every series of the study, those on screen first.

    Pixels of other series and times are not here; the report reads them once more.
    """
    first, number = session.series, 1
    if first is None:
        return ()
    study = first.study_key
    others = (
        each
        for each in session.catalogue.all_series()
        if each.study_key == study and each.key != first.key
    )
    gathered: list[Marked] = []
    for series in (first, *others):
        for time in _times(session, series):
            made = _marked(session, series, time)
            gathered.append(replace(made, number=number))
            number += len(made.images)
    return tuple(gathered)


def _times(session: Session, series: Series) -> list[int]:
    """Time points with something on them; the one on screen first."""
    times = {each.time for each in session.key_images.get(series.key, ())}
    times |= {each.time for each in session.drawings.get(series.key, ())}
    here = session.time if _is_shown(session, series) else -1
    return sorted(times, key=lambda time: (time != here, time))


def _marked(session: Session, series: Series, time: int) -> Marked:
    owner = session.catalogue.owner(series)
    shown = _is_shown(session, series) and time == session.time
    images = (each for each in session.key_images.get(series.key, ()) if each.time == time)
    views = tuple(session.views.values())
    return Marked(
        tuple(sorted(images, key=lambda each: (each.plane.value, each.slice))),
        tuple(each for each in session.drawings.get(series.key, ()) if each.time == time),
        Exam.of(*owner, series) if owner is not None else Exam(),
        series.uid,
        time,
        volume=session.volume if shown else None,
        window=views[0].window if shown and views else None,
        series=None if shown else series,
        files=series,
    )


def _is_shown(session: Session, series: Series) -> bool:
    return session.series is not None and session.series.key == series.key
