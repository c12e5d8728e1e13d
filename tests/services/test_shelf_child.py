"""The shelf with its real child process: what crosses the boundary comes back whole."""

import queue
import time

import numpy as np
from running import PATIENCE_S
from services.stubs import catalogue_of, on_screen, result_about

from medview.domain.prediction import Score
from medview.services.jobs import Jobs
from medview.services.session import Session
from medview.services.shelf import Shelf


class Start:
    """A start of the program: a session, its child for files, and the shelf."""

    def __init__(self, folder):
        self.calls = queue.SimpleQueue()
        self.jobs = Jobs(self.calls.put)
        self.session = Session()
        self.shelf = Shelf(self.jobs, self.session, folder / "results")
        self.shown = None

    def show(self):
        self.shown = on_screen(self.session)
        self.session.catalogue = catalogue_of(self.shown.series)

    def until(self, there):
        """Do what is posted until something is there."""
        end = time.monotonic() + PATIENCE_S
        while not there() and time.monotonic() < end:
            try:
                self.calls.get(timeout=0.05)()
            except queue.Empty:
                continue
        assert there(), self.session.message


def test_a_result_with_its_answers_outlives_the_processes(tmp_path):
    first = Start(tmp_path)
    with first.jobs:
        first.show()
        about = first.shown.id
        made = result_about(about, first.shown.volume, names=("score", "total"))
        made = type(made)(
            **{name: getattr(made, name) for name in made.__slots__}
            | {"scores": (Score("anomaly", 1.25, 1.0, 1.5),)}
        )
        first.session.predictions = {about: (made,)}
        first.shelf.keep(about, made, first.shown.series)
        size = first.shown.volume.array.size
        first.until(lambda: first.shelf.estimate("anomaly", size) is not None)
        first.shelf.answer("anomaly@1.0", "score anomaly", "unsure", "A reader")
        first.until(lambda: not first.session.tasks)

    second = Start(tmp_path)
    with second.jobs:
        second.show()
        second.until(lambda: bool(second.session.results))
        (back,) = second.session.results
        assert back.scores == made.scores
        assert np.array_equal(back.map("total").array, made.map("total").array)
        assert second.session.opinion("anomaly@1.0", "score anomaly").by == "A reader"
        assert second.session.message is None
        second.shelf.forget()
        second.until(lambda: second.session.message is not None)
        assert "1 stored result" in second.session.message.text
    assert list((tmp_path / "results" / "data").iterdir()) == []
