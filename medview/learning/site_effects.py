"""Models with effects of sites: which site a case is of, and what a result says of that.

Where the weights know the site, the answer is what holds everywhere (the fixed effects) with the
effect of the site; elsewhere it is the fixed effects alone, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from medview.domain.training import Method
from medview.domain.volume import Note

EFFECTS = ("slopes.", "intercept.")
"""How the names of the parameters begin that are effects of sites (``models.armed.Armed``)."""
FIXED, NETWORK = "fixed", "network"
"""What is measured beside a model: its fixed effects alone, and its twin without effects."""
SEEN, UNSEEN = "sites seen", "sites unseen"
"""Groups of cases: of sites that the weights know, and of others or none."""
UNKNOWN_SITE = "UNKNOWN_SITE"
_NAMED = 12
"""Sites that are named one by one before the others are only counted."""
T = TypeVar("T")


def learns(*head: str) -> dict[Method, tuple[str, ...]]:
    """By method the beginnings of the names of what learns; `head` is what makes the answer."""
    return {"full": ("",), "head": (*head, *EFFECTS), "site-effects": EFFECTS}


def joined(known: Sequence[str], more: Iterable[str]) -> tuple[str, ...]:
    """The sites of weights to start from, in their places, then those that are new, by name."""
    return (*known, *sorted({name for name in more if name} - set(known)))


@dataclass(frozen=True, slots=True)
class GivenSite:
    """The site of a case, None or "" where it is not given, beside those that the weights know."""

    name: str | None
    known: tuple[str, ...]

    @property
    def number(self) -> int:
        """Its place among the known ones; -1 for an unknown one, which has no effect."""
        return self.known.index(self.name) if self.name in self.known else -1

    @property
    def is_known(self) -> bool:
        """Whether it has an effect."""
        return self.name in self.known

    @property
    def why_fixed(self) -> str:
        """Why it has no effect."""
        if not self.name:
            return "no site was given"
        return f"{self.name} is none of the sites it was trained on"

    @property
    def words(self) -> str:
        """What the answer is made of, for the meaning of a score."""
        if self.is_known:
            return f"with the effect of the site {self.name}"
        return f"fixed effects alone: {self.why_fixed}"

    def notes(self, what: str) -> tuple[Note, ...]:
        """The warning of a result for an unknown site, with the known ones; `what` is "the age"."""
        if self.is_known:
            return ()
        text = f"{self.why_fixed}; {what} comes from the fixed effects alone"
        return (Note(UNKNOWN_SITE, f"{text}. It knows: {listed(self.known)}"),)


@dataclass(frozen=True, slots=True)
class Both(Generic[T]):
    """An answer without the effect of a site, and with it; None where there is no such effect."""

    fixed: T
    mixed: T | None

    @property
    def best(self) -> T:
        """With the effect of the site, where there is one."""
        return self.fixed if self.mixed is None else self.mixed


def listed(sites: Sequence[str]) -> str:
    """The names of sites in a sentence."""
    more = len(sites) - _NAMED
    return ", ".join(sites[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def worth(low: float | None, high: float | None) -> str:
    """What effects do, by the ends of how far a model is ahead of its twin without them."""
    if low is not None and low > 0:
        return "gain"
    if high is not None and high < 0:
        return "make it worse"
    return "gain nothing that could be shown"


def by_site_known(cases: Sequence[T], known: Iterable[bool]) -> dict[str, list[T]]:
    """The cases in two groups, of sites seen and of others; nothing where all are of one kind."""
    groups: dict[str, list[T]] = {SEEN: [], UNSEEN: []}
    for case, here in zip(cases, known, strict=True):
        groups[SEEN if here else UNSEEN].append(case)
    return groups if all(groups.values()) else {}


def odd_sites_note(given: Iterable[GivenSite]) -> list[str]:
    """The note of a measurement that names the sites without an effect; nothing without such."""
    odd = sorted({one.name or "not given" for one in given if not one.is_known})
    return [f"sites that the weights do not know: {listed(odd)}"] if odd else []
