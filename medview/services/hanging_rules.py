"""Rules how a study is hung: which layout, which series in which pane, which plane and window.

Rules are data, one ``[[rule]]`` of TOML each; ``resources/hanging.toml`` says what may stand in
one. A rule fits when all it asks of the study holds and every pane finds a series.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from medview.domain.geometry import Plane
from medview.domain.study import Series, Study

#: More series than this are "any number".
ANY_NUMBER = 9999


@dataclass(frozen=True, slots=True)
class PaneRule:
    """Which series a pane holds, and how it is looked at.

    `words`: one of these stands in the description (several words in one entry: all of them);
    `without`: none of these does. `slices` is how many it has at least, `side` the laterality,
    "L" or "R". `number` counts the series of the study from 1; 0 takes the first that fits.
    `again` takes what an earlier pane holds already. `source` "prior" looks in the earlier
    study, for the like of pane `like`. `window` is the key of a preset, or width and level in HU.
    """

    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    side: str = ""
    slices: int = 1
    number: int = 0
    again: bool = False
    source: Literal["study", "prior"] = "study"
    like: int = 1
    plane: Plane | None = None
    window: str | tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How a study is hung. Empty fields ask for nothing; `prior` None: with or without one.

    `series` are the fewest and the most that can be shown. `auto` False is used only when the
    reader goes through the rules.
    """

    name: str
    layout: str
    panes: tuple[PaneRule, ...] = ()
    modality: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    series: tuple[int, int] = (1, ANY_NUMBER)
    prior: bool | None = None
    auto: bool = True


@dataclass(frozen=True, slots=True)
class Subject:
    """A study that is to be hung: what is on screen, and how its like in an earlier one is found.

    `prior_of` gives the series of an earlier study that is most like one; None without any.
    """

    study: Study
    series: Series
    prior_of: Callable[[Series], Series | None]

    @property
    def shown(self) -> tuple[Series, ...]:
        """The series of the study that can be shown, in the order of the list."""
        return tuple(each for each in self.study.series if each.geometry is not None)


def placed(rule: Rule, subject: Subject) -> tuple[Series, ...] | None:
    """The series of each pane, in order; None when the rule does not fit."""
    if not _fits(rule, subject):
        return None
    own = [each for each in subject.shown if not rule.modality or each.modality in rule.modality]
    found: list[Series] = []
    for pane in rule.panes or (PaneRule(),):
        series = _series_for(pane, subject, own, found)
        if series is None:
            return None
        found.append(series)
    return tuple(found)


def _fits(rule: Rule, subject: Subject) -> bool:
    """Whether a rule is for this series of this study, whatever its panes ask for."""
    if rule.modality and subject.series.modality not in rule.modality:
        return False
    if rule.body and not _named(rule.body, _body_text(subject)):
        return False
    if not rule.series[0] <= len(subject.shown) <= rule.series[1]:
        return False
    has_prior = subject.prior_of(subject.series) is not None
    return rule.prior is None or rule.prior == has_prior


def _series_for(
    pane: PaneRule, subject: Subject, own: list[Series], before: list[Series]
) -> Series | None:
    if pane.source == "prior":
        return subject.prior_of(before[pane.like - 1]) if pane.like <= len(before) else None
    if pane.number:
        return own[pane.number - 1] if pane.number <= len(own) else None
    fitting = [each for each in own if _suits(pane, each)]
    if pane.again:
        return next((each for each in before if each in fitting), None)
    left = [each for each in fitting if each not in before]
    # Without a word about it the first pane holds what was opened.
    is_open = not (pane.words or before)
    if is_open and subject.series in left:
        return subject.series
    return left[0] if left else None


def _suits(pane: PaneRule, series: Series) -> bool:
    text = series.description
    if series.size[2] < pane.slices or (pane.side and pane.side != series.laterality):
        return False
    if pane.without and _named(pane.without, text):
        return False
    return not pane.words or _named(pane.words, text)


def _named(words: Iterable[str], text: str) -> bool:
    """Whether one of these stands in a text; of an entry of several words all must."""
    said = tokens(text)
    return any(tokens(entry) <= said for entry in words if tokens(entry))


def tokens(text: str) -> frozenset[str]:
    """The words of a text, small, without signs: "T2_FLAIR ax" has t2, flair, ax."""
    return frozenset(re.findall(r"[^\W_]+", text.lower()))


def _body_text(subject: Subject) -> str:
    parts = [each.body_part for each in subject.study.series]
    described = [subject.study.description, subject.series.description]
    return " ".join((*parts, *described))
