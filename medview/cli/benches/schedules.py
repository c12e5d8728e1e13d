"""``medview bench schedules``: a reader who never waits; no result may land on another study."""

from __future__ import annotations

import queue
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np

from medview.cli.benches.rows import Row
from medview.cli.benches.schedules_work import SHAPE
from medview.cli.contract import Context
from medview.domain.resources import resource
from medview.io.cards import read_card, write_card
from medview.services import analysis
from medview.services.analysis import Analysis
from medview.services.choices import Choices
from medview.services.demo import MODEL
from medview.services.jobs import Jobs
from medview.services.library import Library
from medview.services.model_library import ModelLibrary
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.shelf import Shelf

SCHEDULES, QUICK_SCHEDULES = 500, 20
STEPS = 30
MARKS = (7, 8, 9)
WORK = "medview.cli.benches.schedules_work:predict"
_GIVE_UP_S = 120.0
_WISHES = ("show", "show", "run", "run", "cancel", "close", "wait", "wait")


class Desk:
    """Services and children of a window, without the window: a queue stands for its loop."""

    def __init__(self, folder: Path) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self.jobs = Jobs(self._calls.put)
        self.session = Session()
        preferences = Preferences(folder / "settings.json")
        self.library = Library(self.jobs, self.session, preferences)
        shelf = Shelf(self.jobs, self.session, folder / "results")
        models = ModelLibrary(self.jobs, self.session, shipped=folder / "weights")
        self.analysis = Analysis(self.jobs, self.session, preferences, models=models, shelf=shelf)
        self.faults: list[str] = []
        self.seen = 0
        self.session.events.connect(lambda _: self._look())

    def turn(self, seconds: float) -> None:
        """Do what was posted within some time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                self._calls.get(timeout=left)()
            except queue.Empty:
                return

    def until(self, reached: Callable[[], bool]) -> None:
        """Go on until something is so."""
        end = time.monotonic() + _GIVE_UP_S
        while not reached():
            if time.monotonic() > end:
                self.faults.append("it never came to rest")
                return
            self.turn(0.01)

    def _look(self) -> None:
        """Every value of every map on screen is that of the volume on screen, or none yet."""
        session = self.session
        if session.volume is None:
            return
        mark = float(session.volume.array.flat[0])
        for found in session.maps:
            values = np.asarray(found.array)
            self.seen += 1
            if not np.isin(values[~np.isnan(values)], mark).all():
                self.faults.append(f"a map of {values.max():g} lies on the volume {mark:g}")


def measure(context: Context, quick: bool) -> list[Row]:
    """Load, run, switch, cancel and close in any order, with real children."""
    count = QUICK_SCHEDULES if quick else SCHEDULES
    work, analysis.PREDICT = analysis.PREDICT, WORK
    with tempfile.TemporaryDirectory(prefix="medview-bench-") as name:
        desk = _opened(Path(name))
        try:
            for n in range(count):
                context.report(n, count, f"schedule {n + 1} / {count}")
                _one(desk, random.Random(context.options.seed * SCHEDULES + n))
        finally:
            analysis.PREDICT = work
            desk.jobs.close()
    for fault in dict.fromkeys(desk.faults):
        context.say(fault)
    return [
        Row("random schedules", count, "schedules"),
        Row("looks at a map on screen", desk.seen, "looks"),
        Row("results on another study", len(desk.faults), "faults", aim=0.0),
    ]


def _opened(folder: Path) -> Desk:
    """A desk with three volumes, each of a value of its own."""
    card = replace(read_card(resource("weights", MODEL, "card.json")), settings={"threshold": 0.5})
    write_card(card, folder / "weights" / MODEL / "card.json")
    study = folder / "study"
    study.mkdir()
    for mark in MARKS:
        array = np.full(SHAPE[::-1], mark, dtype=np.int16)
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), study / f"t1_{mark}.nii.gz")
    desk = Desk(folder)
    desk.library.open([study])
    desk.until(lambda: desk.session.volume_id is not None)
    return desk


def _one(desk: Desk, dice: random.Random) -> None:
    """A schedule, then wait until nothing runs, and look at every series once more."""
    series = desk.session.catalogue.all_series()
    for _ in range(STEPS):
        wish = dice.choice(_WISHES)
        tasks = desk.session.tasks
        if wish == "show":
            desk.library.show(dice.choice(series))
        elif wish == "run":
            desk.analysis.run(MODEL, Choices(seed=dice.randrange(3)))
        elif wish == "cancel" and tasks:
            dice.choice(tasks).cancel()
        elif wish == "close":
            desk.session.predictions = {}
        else:
            desk.turn(dice.random() * 0.02)
    desk.until(lambda: not desk.session.tasks)
    for each in series:
        desk.library.show(each)
        desk.until(lambda: desk.session.volume_id is not None and not desk.session.tasks)
        uids = {given.series for result in desk.session.results for given in result.inputs}
        if not uids <= {each.uid}:
            desk.faults.append("a result of another series is listed")
