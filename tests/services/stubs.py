"""Stand-ins for what services need, so that a test decides what comes back and when."""

from __future__ import annotations

import os
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from phantoms import geometry_of, phantom, phantom_on

from medview.domain.card import InputSpec, ModelCard, OutputSpec
from medview.domain.errors import Cancelled
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Finding, InputRef, Prediction
from medview.domain.study import Catalogue, Patient, Series, Study
from medview.services.session_values import VolumeId
from medview.services.writing import AtOnce

_numbers = count(1)

# What a survey of three cases says.
FOUND = {"cases": 3, "patients": 3, "sites": 0, "parts": {"": 3}, "labels": {}, "skipped": []}


def seconds(limit: float) -> float:
    """A time limit, ten times as long, and longer where others keep the machine busy right now.

    What must not happen takes longer still. ``MEDVIEW_PATIENCE=1`` holds an idle machine to the
    limit itself.
    """
    wall, own = time.perf_counter(), time.thread_time()
    while time.thread_time() - own < 0.02:
        pass
    busy = max(1.0, (time.perf_counter() - wall) / 0.02)
    return limit * busy * float(os.environ.get("MEDVIEW_PATIENCE", "10"))


class StubJob:
    """One job that was asked for; the test answers it."""

    def __init__(self, lane, work, args, calls):
        self.lane, self.work, self.args = lane, work, args
        self._calls = calls
        self.number = next(_numbers)
        self.is_over = False
        self.seconds_left = None
        self.pid = self.hint = None

    def send(self, part):
        self._tell("partial", part)

    def report(self, done, total, text="", seconds_left=None):
        self.seconds_left = seconds_left
        self._tell("progress", done, total, text)

    def finish(self, answer):
        self._end("done", answer)

    def fail(self, error):
        self._end("failed", error)

    def cancel(self):
        self._end("failed", Cancelled("stopped by the user"))

    def supersede(self):
        self._calls = {}
        self.is_over = True

    def _end(self, kind, value):
        if not self.is_over:
            self._tell(kind, value)
            self.is_over = True

    def _tell(self, kind, *values):
        call = self._calls.get(kind)
        if call is not None and not self.is_over:
            call(*values)


class StubJobs:
    """Keeps what was asked for, the newest last, with the keys of the real one."""

    def __init__(self):
        self.asked = []
        self._newest = {}

    def run(self, lane, work, *args, key=None, **calls):
        job = StubJob(lane, work, args, calls)
        if key in self._newest:
            self._newest[key].supersede()
        if key is not None:
            self._newest[key] = job
        self.asked.append(job)
        return job

    def warm(self, lane, *modules):
        return self.run(lane, "warm", *modules)

    @property
    def last(self):
        return self.asked[-1]

    def running(self, work):
        return [job for job in self.asked if job.work.endswith(work) and not job.is_over]

    def read(self):
        """Read every series that is asked for, as the child for files would; also what follows."""
        while waiting := self.running("load_and_identify"):
            job, asked = waiting[0], waiting[0].args[0]
            fields = {"modality": asked.modality, "quantity": asked.quantity}
            job.send(phantom_on(asked.geometry, **fields))
            job.finish(f"sha{asked.uid}")


class LaterWriter(AtOnce):
    """A writer that does what it was given when the test says so."""

    def __init__(self):
        self.waiting = []

    def _take(self, piece):
        self.waiting.append(piece)

    def go_on(self):
        super()._take(self.waiting.pop(0))


def series_of(uid, **fields):
    """A series as a scan finds it, on the grid of the phantom."""
    known = {"modality": "MR", "description": f"T1 {uid}", "geometry": geometry_of()}
    return Series(uid, study_uid="1.2", size=(24, 20, 16), **(known | fields))


def catalogue_of(*series, skipped=()):
    study = Study("1.2", date="2026-11-21", series=tuple(series))
    patient = Patient("9f2c41aa", "P1", "A^B", sex="F", birth_date="1950-11-21", studies=(study,))
    return Catalogue((patient,), tuple(skipped), files=len(series) + len(skipped))


CARD = ModelCard(
    id="anomaly",
    version="1.0",
    title="Anomaly",
    summary="Finds what is unusual.",
    inputs=(InputSpec("t1", "a T1 volume or slice"), InputSpec("t1ce", "a T1 volume or slice")),
    outputs=(OutputSpec("score", "map"), OutputSpec("epistemic", "map", "1")),
    preparation=(),
    intended_use="research",
    limits=("few",),
    licence="Apache-2.0",
    source="here",
    settings={"threshold": 6.0, "top": 18.0},
)


def result_about(about: VolumeId, volume=None, *, model="anomaly", names=("score",), findings=()):
    """A result with a map for each name, on the grid of the volume."""
    volume = volume or phantom()
    uid, _, stack = about.series.partition("#")
    return Prediction(
        model=model,
        version="1.0",
        weights_sha256="",
        code="",
        device="cpu",
        dtype="float32",
        mode="batched",
        seed=0,
        parameters={"threshold": 6.0, "residual_threshold": 0.02},
        seconds=1.0,
        peak_memory_mb=1.0,
        inputs=(InputRef("t1", "1.2", uid, int(stack or 0), about.sha256, (24, 20, 16)),),
        scores=(),
        maps=tuple(scalar_map(name, volume) for name in names),
        findings=tuple(findings),
    )


def scalar_map(name, volume, **fields):
    kind = "uncertainty" if name in ("epistemic", "aleatoric", "total") else "anomaly"
    array = np.zeros(volume.geometry.shape, dtype=np.float32)
    return ScalarMap(name, array, volume.geometry, kind, **({"range": (0.0, 18.0)} | fields))


def finding_at(number, point_lps, slice_):
    return Finding(number, "score", point_lps, slice_, volume_ml=1.0, peak=9.0)


def on_screen(session, uid="1.1", volume=None, sha256="abc"):
    """Put a volume into a session as the library does; return what was put there."""
    from medview.services.first_views import first_views
    from medview.services.layouts import MAIN_PANE

    volume = volume or phantom()
    session.series = series_of(uid)
    session.volume = volume
    session.volume_id = VolumeId(session.series.key, sha256)
    session.views = first_views(volume)
    session.active_pane = MAIN_PANE
    return SimpleNamespace(volume=volume, id=session.volume_id, series=session.series)


def version_of(tuning, model):
    """The name of a version that can be trained further."""
    return next(each.name for each in tuning.choices() if each.card.id == model)


def surveyed(tuning, jobs, found=FOUND):
    """Have cases counted; the job that then reads each once."""
    tuning.look(Path("/cases/cases.csv"))
    jobs.running("finetune:survey")[0].finish(found)
    return jobs.running("case_check:check")[0]
