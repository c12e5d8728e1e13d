"""Reports in the child that lays out pages: shown as pictures, and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from medview.domain.errors import MedviewError
from medview.domain.prediction import Prediction
from medview.domain.volume import Volume
from medview.services.jobs import Job, Jobs
from medview.services.report_material import Material
from medview.services.report_order import Copied, Heavy, Order, Preview, Written
from medview.services.session import Session
from medview.services.tasks import Answers, Errand, Tasks

HOLD = "medview.services.report_work:hold"
DRAW = "medview.services.report_work:preview"
WRITE = "medview.services.report_work:build_and_write"
WORDS = "medview.services.report_work:words"
REPORT_TITLE = "Report"


class _Wish(NamedTuple):
    """A preview that is wanted, and whom to tell."""

    material: Material
    order: Order
    width: int
    done: Callable[[Preview], object]
    failed: Callable[[MedviewError], object]


class Printing:
    """Sends what a report is made of: pixels and maps once, words every time.

    Of previews that are asked for while one is drawn only the newest is drawn afterwards; none is
    ever stopped, because a child that is stopped takes seconds to be ready again.
    """

    def __init__(self, jobs: Jobs, session: Session) -> None:
        self._jobs = jobs
        self._tasks = Tasks(jobs, session)
        self._number = 0
        self._sent: tuple[Volume | None, tuple[Prediction, ...]] | None = None
        self._drawing = False
        self._next: _Wish | None = None

    def write(
        self, material: Material, order: Order, path: Path, done: Callable[[Written], object]
    ) -> Job:
        """Write a report; errors become messages."""
        number = self._hold(material)
        args = (number, _light(material), order, path)
        errand = Errand(REPORT_TITLE, "pages", WRITE, args, about=path.name)
        return self._tasks.run(errand, Answers(done, self._lost))

    def words(
        self,
        material: Material,
        order: Order,
        done: Callable[[Copied], object],
        failed: Callable[[MedviewError], object],
    ) -> None:
        """Give the words of a report."""
        number = self._hold(material)
        self._jobs.run("pages", WORDS, number, _light(material), order, done=done, failed=failed)

    def sheets(
        self,
        material: Material,
        order: Order,
        width: int,
        done: Callable[[Preview], object],
        failed: Callable[[MedviewError], object],
    ) -> None:
        """Draw the pages for a printer, whatever previews are drawn meanwhile."""
        number = self._hold(material)
        args = (number, _light(material), order, width)
        self._jobs.run("pages", DRAW, *args, done=done, failed=failed)

    def draw(
        self,
        material: Material,
        order: Order,
        width: int,
        done: Callable[[Preview], object],
        failed: Callable[[MedviewError], object],
    ) -> None:
        """Draw the pages `width` pixels wide, after the preview that is drawn now."""
        self._next = _Wish(material, order, width, done, failed)
        self._draw_next()

    def _draw_next(self) -> None:
        wish = self._next
        if self._drawing or wish is None:
            return
        self._next, self._drawing = None, True
        number = self._hold(wish.material)
        self._jobs.run(
            "pages", DRAW, number, _light(wish.material), wish.order, wish.width,
            done=lambda made: self._drawn(wish, made),
            failed=lambda error: self._not_drawn(wish, error),
        )  # fmt: skip

    def _drawn(self, wish: _Wish, made: Preview) -> None:
        self._drawing = False
        wish.done(made)
        self._draw_next()

    def _not_drawn(self, wish: _Wish, error: MedviewError) -> None:
        self._drawing = False
        self._lost(error)
        wish.failed(error)
        self._draw_next()

    def _hold(self, material: Material) -> int:
        """Have the child hold what is heavy; the number that it is held under."""
        predictions = tuple(each.prediction for each in material.outcomes)
        if self._sent is None or not _are_same(self._sent, (material.volume, predictions)):
            self._number += 1
            self._sent = (material.volume, predictions)
            heavy = Heavy(material.volume, predictions)
            self._jobs.run("pages", HOLD, self._number, heavy, failed=self._lost)
        return self._number

    def _lost(self, _: MedviewError) -> None:
        """The child may be another one now, that holds nothing."""
        self._sent = None


def _are_same(
    one: tuple[Volume | None, tuple[Prediction, ...]],
    other: tuple[Volume | None, tuple[Prediction, ...]],
) -> bool:
    same = one[0] is other[0] and len(one[1]) == len(other[1])
    return same and all(a is b for a, b in zip(one[1], other[1], strict=True))


def _light(material: Material) -> Material:
    """The material without pixels and maps."""
    outcomes = tuple(
        replace(each, prediction=replace(each.prediction, maps=())) for each in material.outcomes
    )
    marked = tuple(replace(each, volume=None) for each in material.marked)
    return replace(material, volume=None, outcomes=outcomes, marked=marked)
