"""What can be put into the reader's text: measurements, key images and what models say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from medview.domain.prediction import Prediction
from medview.domain.report import NOT_AVAILABLE
from medview.domain.wording import number, place_words
from medview.services.marking import marked_of
from medview.services.report_marks import KINDS, measured_words
from medview.services.report_result import where_words
from medview.services.session import Session
from medview.services.telling import interval_text, score_text

Kind = Literal["measurement", "key image", "result"]
NOT_ANSWERED = "not answered"


@dataclass(frozen=True, slots=True)
class Insertion:
    """Something to insert: how the menu calls it, and the words that are put in."""

    label: str
    text: str


def insertions(session: Session, kind: Kind) -> tuple[Insertion, ...]:
    """What there is of a kind in the study on screen."""
    made = {"measurement": _measurements, "key image": _key_images, "result": _results}
    return made[kind](session)


def _measurements(session: Session) -> tuple[Insertion, ...]:
    made = []
    for marked in marked_of(session):
        for each in marked.drawings:
            words = measured_words(each, marked.volume) if marked.volume is not None else ()
            value = ", ".join(words) or NOT_AVAILABLE
            text = f"{KINDS[each.kind].lower()} {value} ({place_words(each.points[0])})"
            made.append(Insertion(f"{KINDS[each.kind]} {value}", text))
    return tuple(made)


def _key_images(session: Session) -> tuple[Insertion, ...]:
    made = []
    for marked in marked_of(session):
        for place, image in enumerate(marked.images, marked.number):
            where = image.words
            series = marked.exam.series_description
            label = f"Key image {place}: {where}{f', {series}' if series else ''}"
            made.append(Insertion(label, f"(key image {place}, {where})"))
    return tuple(made)


def _results(session: Session) -> tuple[Insertion, ...]:
    """Findings and scores of every result on screen with the reader's answer to each."""
    made = []
    for result in session.results:
        for finding in result.findings:
            said = _answer(session, result, f"finding {finding.id}")
            what = (
                f"Finding {finding.id} of {session.named(result)}: "
                f"{where_words(finding, result)}, {number(finding.volume_ml, 2)} ml, "
                f"peak {number(finding.peak)}"
            )
            made.append(Insertion(f"{what} – {said}", f"{what}; reader: {said}."))
        for score in result.scores:
            if score.value is None:
                continue
            said = _answer(session, result, f"score {score.name}")
            bounds = interval_text(score)
            beside = f" ({score.level:.0%} interval {bounds})".replace("%", " %") if bounds else ""
            name = score.name.replace("_", " ")
            what = f"{name} {score_text(score)}{beside}, {session.named(result)}"
            made.append(Insertion(f"{what} – {said}", f"{what}; reader: {said}."))
    return tuple(made)


def _answer(session: Session, result: Prediction, about: str) -> str:
    opinion = session.opinion(result.key, about)
    return opinion.verdict if opinion is not None else NOT_ANSWERED
