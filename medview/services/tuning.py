"""Fine-tuning from the window: cases looked at, a training followed, the outcome kept or not.

The training is another process; its curve is read from history.csv, so what is drawn is what is
on the disk. A training that is stopped leaves its checkpoint and goes on from it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from psygnal import Signal

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.training import FinetuneRequest, TrainRequest
from medview.services.audit import note
from medview.services.case_table import case_lines
from medview.services.checking import Checking
from medview.services.gathering import Gathering
from medview.services.histories import Curves, read_curves
from medview.services.jobs import Job, Jobs
from medview.services.recipes import epochs_of, rate_setting, read_recipe
from medview.services.runs import RUNS, keep_run, write_run
from medview.services.session import Message, Session
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.training import FINDERS, TRAINERS, trainer_of
from medview.services.training_notes import (
    Expected,
    expected,
    note_time,
    read_wish,
    write_wish,
)
from medview.services.tuned import Phase, Tuned, Wish
from medview.services.varying import Varying
from medview.services.versions import WEIGHTS, Version, register, versions

SURVEY = "medview.learning.finetune:survey"
LOCKED = "medview.learning.finetune:look_at_locked"
FINETUNE = "medview.learning.finetune:finetune"
LEAVE_SITES = "medview.learning.left_sites:finetune_and_leave_sites"
FIND_RATE = "medview.learning.rate_finder:find_rate"
CALIBRATE = "medview.learning.recalibrate:recalibrate"
CALIBRATE_SITES = "medview.learning.left_sites:calibrate_and_leave_sites"
HISTORY = "history.csv"
# Hints that ``medview.learning.finetune`` understands.
PAUSE, GO_ON = "pause", "go on"
AT_ONCE = 1e-4
"""Minutes: a training that goes on ends after its first epoch."""


class Tuning:
    """Runs one fine-tuning at a time; ``changed`` tells of each new snapshot."""

    changed = Signal(Tuned)

    def __init__(self, jobs: Jobs, session: Session, preferences: Preferences) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self.library = Gathering(jobs, session, preferences, self.look)
        self.varying = Varying(jobs, session)
        self._checking = Checking(self._tasks, self._checked, self._not_checked)
        self._job: Job | None = None
        self._finish_after_stop = False
        self._began = 0.0
        self._title = ""
        self._epoch_at = (0, 0.0)
        self._asked: FinetuneRequest | None = None
        self._finding: Job | None = None
        self._begun: dict[str, Any] = {}
        self.now = Tuned()

    @property
    def title(self) -> str:
        """What the training under way is called in the list of jobs; empty without one."""
        return self._title if self.now.phase == "running" else ""

    @property
    def folder(self) -> Path:
        """Where the training under way writes."""
        return self._preferences.folder / "training"

    @property
    def runs(self) -> Path:
        """Where curves and settings of earlier trainings are kept."""
        return self._preferences.folder / RUNS

    def choices(self) -> tuple[Version, ...]:
        """Versions that can be trained further."""
        return tuple(version for version in versions() if version.card.id in TRAINERS)

    def wish(self, **new: Any) -> None:
        """Choose a version, a method or a number of epochs; other cases may fit then."""
        wish = replace(self.now.wish, **new)
        if wish.version.partition("@")[0] != self.model and "rate" not in new:
            wish = replace(wish, rate=0.0)  # rates of other models say nothing of this one
        again = wish.version != self.now.wish.version and self.now.data is not None
        model = self.model
        of_other = (wish.version, wish.method) != (self.now.wish.version, self.now.wish.method)
        self._set(wish=wish, rates={} if of_other else self.now.rates)
        if self.model != model:
            self.library.forget()
        if again and self.now.data is not None:
            self.look(self.now.data)

    def lock(self, reference: Path | None) -> None:
        """Compare also on a set that is never trained on; None: on none."""
        self._set(reference=reference, locked={}, not_locked="")
        self._look_at_locked()

    def _look_at_locked(self) -> None:
        """Count the locked set; nobody of it may be among the cases."""
        now = self.now
        if now.reference is None or now.data is None:
            return
        self._set(locked={}, not_locked="")
        errand = Errand(
            "Looking at the locked set",
            "compute",
            LOCKED,
            (self.model, (str(now.data),), (str(now.reference),)),
            about=now.reference.name,
            key="locked set",
        )
        self._tasks.run(errand, Answers(self._locked, self._not_locked))

    def _locked(self, found: Mapping[str, Any]) -> None:
        words = found["what"]
        self._set(locked=found, not_locked=f"{words[:1].upper()}{words[1:]}." if words else "")

    def _not_locked(self, error: MedviewError) -> None:
        self._set(not_locked=f"{error.what}. {error.do}".strip())

    def expected(self) -> Expected | None:
        """Time and memory that Start would take; None where nothing is known of it."""
        now = self.now
        if not now.found.get("cases"):
            return None
        epochs = self._epochs()
        return expected(
            self._preferences.folder, self._kind, epochs=epochs, cases=now.found["cases"]
        )

    def _epochs(self) -> int:
        if self.now.wish.method == "calibrate":
            return 1
        return self.now.wish.epochs or epochs_of(read_recipe(self.model))

    @property
    def can_leave_sites(self) -> bool:
        """Whether the cases are of several sites; a training needs a case list that says so."""
        now = self.now
        listed = now.data is not None and now.data.suffix.lower() == ".csv"
        return now.found.get("sites", 0) > 1 and (listed or now.wish.method == "calibrate")

    @property
    def trainings(self) -> int:
        """How many trainings Start would make, all told."""
        wish = self.now.wish
        if wish.method == "calibrate":
            return 1
        sites = self.now.found.get("sites", 0) if wish.sites and self.can_leave_sites else 0
        return int(1 + wish.folds + sites)

    @property
    def _kind(self) -> str:
        return f"{self.model} {self.now.wish.method}"

    def look(self, data: Path) -> Job:
        """Count the cases of a folder or case list, for the chosen version; then read each once."""
        self._checking.give_up()
        self.varying.forget()
        self._set(
            phase="looking",
            data=data,
            found={},
            refused="",
            is_checked=False,
            outcome={},
            kept="",
            curves={},
            preview=None,
        )
        errand = Errand(
            "Looking at cases",
            "compute",
            SURVEY,
            (self.model, (str(data),)),
            about=data.name,
            key="survey",
        )
        return self._tasks.run(errand, Answers(self._found, self._unusable))

    def start(self, *, resume: bool = False, max_minutes: float | None = None) -> Job | None:
        """Train; with `resume` go on from the checkpoint of a training that was stopped.

        It ends after `max_minutes`, with the best weights until then. What goes on is what was
        begun, with its cases and its method, whatever was chosen since.
        """
        if resume:
            self._set(**_as_begun(self._begun or read_wish(self.folder)))
        data, wish = self.now.data, self.now.wish
        version = next((v for v in self.choices() if v.name == wish.version), None)
        if data is None or version is None or not self.now.may_start:
            return None
        if not resume:
            shutil.rmtree(self.folder, ignore_errors=True)
        request = self._request(version, data, resume=resume, max_minutes=max_minutes)
        self._asked, self._begun = request, self._as_wish(data)
        if not self._session.private:
            # Names of folders are remembered by nobody then; it goes on as long as the window does.
            write_wish(self.folder, self._begun)
        self._began, self._epoch_at = time.monotonic(), (0, time.monotonic())
        self._set(
            phase="running",
            epochs=epochs_of(request.train.recipe),
            outcome={},
            kept="",
            lines=(),
            is_paused=False,
            seconds_left=None,
            base=version.weights,
            preview=newest_preview(self.folder) if resume else None,
        )
        is_fit = wish.method == "calibrate"
        self._title = title = f"Calibrate {wish.version}" if is_fit else f"Fine-tune {wish.version}"
        # "Stop, keep best" is about the version that is kept: no site is gone through for it.
        leaves_sites = wish.sites and self.can_leave_sites and max_minutes is None
        work = (
            (CALIBRATE_SITES if leaves_sites else CALIBRATE)
            if is_fit
            else (LEAVE_SITES if leaves_sites else FINETUNE)
        )
        given = (request,) if is_fit else (request, trainer_of(version.card.id))
        errand = Errand(title, "train", work, given, about=data.name, key="finetune")
        self._job = self._tasks.run(errand, Answers(self._done, self._stopped))
        return self._job

    def _request(
        self, version: Version, data: Path, *, resume: bool, max_minutes: float | None
    ) -> FinetuneRequest:
        """What is asked of the training by what the reader chose and the settings say."""
        wish, settings = self.now.wish, self._preferences.settings
        own = [f"epochs={wish.epochs}"] if wish.epochs else []
        own += [f"folds={wish.folds}"] if wish.folds else []
        own += [f"{rate_setting(version.card.id, {})[0]}={wish.rate!r}"] if wish.rate else []
        is_fit = wish.method == "calibrate"
        train = TrainRequest(
            data=(str(data),),
            out=str(self.folder),
            recipe={} if is_fit else read_recipe(version.card.id, None, own),
            seed=wish.seed,
            threads=settings.threads or None,
            device=settings.device,
            init=str(version.weights),
            resume=resume,
            private=settings.private,
            method=wish.method,
            preview=True,
            max_minutes=max_minutes,
        )
        locked = (str(self.now.reference),) if self.now.reference is not None else ()
        return FinetuneRequest(version.card.id, train, locked)

    @property
    def can_find(self) -> bool:
        """Whether a learning rate can be searched for what was chosen."""
        now = self.now
        return (
            now.may_start
            and not now.is_finding
            and self.model in FINDERS
            and now.wish.method != "calibrate"
        )

    def find_rate(self) -> Job | None:
        """Try rising rates for some steps; nothing is kept of the training."""
        data = self.now.data
        version = next((v for v in self.choices() if v.name == self.now.wish.version), None)
        if data is None or version is None or not self.can_find:
            return None
        request = self._request(version, data, resume=False, max_minutes=None)
        self._set(is_finding=True, rates={})
        errand = Errand(
            "Searching a learning rate", "train", FIND_RATE, (request,), about=data.name,
            key="rates",
        )  # fmt: skip
        self._finding = self._tasks.run(errand, Answers(self._found_rate, self._no_rate))
        return self._finding

    def stop_finding(self) -> None:
        """Give the search for a rate up."""
        if self._finding is not None and self.now.is_finding:
            self._finding.cancel()

    def _found_rate(self, found: Mapping[str, Any]) -> None:
        self._set(rates=found, is_finding=False)

    def _no_rate(self, error: MedviewError) -> None:
        why = "" if isinstance(error, Cancelled) else f"{error.what}. {error.do}".strip()
        self._set(rates={"why": why} if why else {}, is_finding=False)

    def stop(self) -> None:
        """Stop the training; its checkpoint stays."""
        if self._job is not None and self.now.phase == "running":
            self._finish_after_stop = False
            self._job.cancel()

    def finish_now(self) -> None:
        """Stop after the last whole epoch, and go on with the best weights until then."""
        if self._job is not None and self.now.phase == "running":
            self._finish_after_stop = True
            self._job.cancel()

    def pause(self, *, on: bool) -> None:
        """Let the training wait after the present epoch, or go on."""
        if self._job is not None and self.now.phase == "running":
            self._job.hint = PAUSE if on else GO_ON
            self._set(is_paused=on)

    def reopen(self) -> bool:
        """Offer to go on with a training that was interrupted; False where there is none."""
        kept = read_wish(self.folder)
        left = (self.folder / "checkpoint").is_dir() and not (self.folder / WEIGHTS).is_file()
        if not left or not kept.get("data") or self.now.phase not in ("empty", "ready"):
            return False
        begun = _as_begun(kept)
        if not any(version.name == begun["wish"].version for version in self.choices()):
            return False
        curves = read_curves(self.folder / HISTORY)
        self._set(phase="stopped", curves=curves, **begun)
        return True

    def _as_wish(self, data: Path) -> dict[str, Any]:
        now = self.now
        locked = str(now.reference) if now.reference is not None else None
        return {
            **{name: getattr(now.wish, name) for name in Wish.__slots__},
            "data": str(data),
            "reference": locked,
            "found": dict(now.found),
        }

    def refresh(self) -> None:
        """Read the curve again, while a training runs."""
        if self.now.phase == "running":
            curves, preview = read_curves(self.folder / HISTORY), newest_preview(self.folder)
            if (curves, preview) != (self.now.curves, self.now.preview):
                self._set(curves=curves, preview=preview, **self._pace(curves))

    def _pace(self, curves: Curves) -> dict[str, Any]:
        """Seconds left by the last epochs, and the memory of the child that trains."""
        epoch = max((points[-1][0] for points in curves.values() if points), default=0)
        done, since = self._epoch_at
        clock = time.monotonic()
        if not done and epoch:
            self._epoch_at = (epoch, clock)
        left = None
        if done and epoch > done:
            left = (clock - since) / (epoch - done) * max(self.now.epochs - epoch, 0)
        pid = self._job.pid if self._job is not None else None
        return {"seconds_left": left, "memory_mb": memory_of(pid)}

    def keep(self, name: str, *, accept_worse: bool = False) -> bool:
        """Make a version of the outcome; False and a message where that cannot be.

        One that is worse on the locked set is kept only with `accept_worse`.
        """
        if self.now.worse_on_locked and not accept_worse:
            worse = ", ".join(self.now.worse_on_locked)
            text = f"The new version is worse on the locked set ({worse}). It was not kept."
            self._session.message = Message(text, "warning")
            return False
        try:
            version = register(self.folder / WEIGHTS, name)
        except MedviewError as error:
            self._session.message = Message.of(error)
            return False
        before = self.now.outcome.get("before_after", {})
        note("accepted", {"version": version.name, "worse": list(before.get("worse", ()))})
        self._set(phase="kept", kept=version.name, preview=None)
        return True

    def reject(self) -> None:
        """Throw the outcome away; everything is as it was before."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._set(phase="ready", outcome={}, curves={}, preview=None, lines=())

    @property
    def model(self) -> str:
        """Which model the chosen version is of."""
        return self.now.wish.version.partition("@")[0]

    def _found(self, found: Mapping[str, Any]) -> None:
        if not found["cases"] or self.now.data is None:
            self._set(phase="empty", found=found)
            return
        self._set(phase="checking", found=found)
        self._look_at_locked()
        self._checking.run(self.model, self.now.data)

    def _checked(self, found: Mapping[str, Any]) -> None:
        left = (self.folder / "checkpoint").is_dir() and not (self.folder / WEIGHTS).is_file()
        phase: Phase = "stopped" if left else "ready"
        self._set(phase=phase if found["cases"] else "empty", found=found, is_checked=True)

    def _not_checked(self, error: MedviewError) -> None:
        """The reader did not wait: what cannot be read is then left out by the training."""
        if isinstance(error, Cancelled):
            self._checked(self.now.found)
            self._set(is_checked=False)
        else:
            self._unusable(error)

    def _unusable(self, error: MedviewError) -> None:
        self._set(phase="empty", refused=f"{error.what}. {error.do}".strip())

    def _done(self, outcome: Mapping[str, Any]) -> None:
        if self._asked is not None:
            write_run(self.folder, self._asked.model, self._asked.train, outcome)
            keep_run(self._preferences.folder, self.folder)
        note_time(
            self._preferences.folder,
            self._kind,
            seconds=time.monotonic() - self._began,
            epochs=int(outcome.get("epochs") or 1),
            cases=int(self.now.found.get("cases", 0)),
            memory_mb=self.now.memory_mb or 0.0,
        )
        self._set(
            lines=case_lines(self.folder, self.now.found.get("files", {})),
            is_paused=False,
            phase="done",
            outcome=outcome,
            curves=read_curves(self.folder / HISTORY),
            preview=self.folder / WEIGHTS,
        )

    def _stopped(self, error: MedviewError) -> None:
        left = (self.folder / "checkpoint").is_dir()
        self._set(
            phase="stopped" if left else "ready",
            curves=read_curves(self.folder / HISTORY),
            is_paused=False,
        )
        if left and self._finish_after_stop:
            self._finish_after_stop = False
            self.start(resume=True, max_minutes=AT_ONCE)

    def _set(self, **new: Any) -> None:
        self.now = replace(self.now, **new)
        self.changed.emit(self.now)


def _as_begun(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a training was begun with; nothing where that is not known."""
    if not kept.get("data"):
        return {}
    return {
        "data": Path(kept["data"]),
        "reference": Path(kept["reference"]) if kept.get("reference") else None,
        "found": kept.get("found", {}),
        "wish": Wish(**{name: kept[name] for name in Wish.__slots__ if name in kept}),
    }


def memory_of(pid: int | None) -> float | None:
    """What a process has in memory now, MB; None where it is gone."""
    try:
        return None if pid is None else psutil.Process(pid).memory_info().rss / 1e6
    except psutil.Error:
        return None


def newest_preview(folder: Path) -> Path | None:
    """The weights that a training left after its last validation."""
    left = sorted((folder / "preview").glob(f"[0-9]*/{WEIGHTS}"))
    return left[-1] if left else None
