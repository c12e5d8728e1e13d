"""Fine-tuning from the window: cases looked at, a training followed, the outcome kept or not.

The training is another process; its curve is read from history.csv, so what is drawn is what is
on the disk. A training that is stopped leaves its checkpoint and goes on from it.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from medview.domain.errors import MedviewError
from medview.domain.training import FinetuneRequest, Method, TrainRequest
from medview.services.audit import note
from medview.services.jobs import Job, Jobs
from medview.services.recipes import epochs_of, read_recipe
from medview.services.session import Message, Session
from medview.services.settings import Preferences
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.training import TRAINERS, trainer_of
from medview.services.versions import WEIGHTS, Version, register, versions

SURVEY = "medview.learning.finetune:survey"
FINETUNE = "medview.learning.finetune:finetune"
CALIBRATE = "medview.learning.recalibrate:recalibrate"
HISTORY = "history.csv"
Phase = Literal["empty", "looking", "ready", "running", "stopped", "done", "kept"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader chose: version to start from ("ID@VERSION"), method, epochs, seed."""

    version: str = ""
    method: Method = "full"
    epochs: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tuned:
    """A snapshot for the panel.

    `found` is what ``survey`` says of the cases; `curves` are points (epoch, value) by (part,
    name) of history.csv; `outcome` is the answer of the training with ``before_after``. `base` are
    the weights that were started from, `preview` the newest ones since (None before the first
    validation, and when they were kept or rejected).
    """

    phase: Phase = "empty"
    data: Path | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    wish: Wish = Wish()
    epochs: int = 0
    curves: Mapping[tuple[str, str], tuple[tuple[int, float], ...]] = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)
    kept: str = ""
    base: Path | None = None
    preview: Path | None = None

    @property
    def epoch(self) -> int:
        """The last epoch that is finished."""
        return max((points[-1][0] for points in self.curves.values() if points), default=0)

    @property
    def worse(self) -> tuple[str, ...]:
        """Figures on which the new version is worse for sure."""
        return tuple(self.outcome.get("before_after", {}).get("worse", ()))


class Tuning:
    """Runs one fine-tuning at a time; ``changed`` tells of each new snapshot."""

    changed = Signal(Tuned)

    def __init__(self, jobs: Jobs, session: Session, preferences: Preferences) -> None:
        self._tasks = Tasks(jobs, session)
        self._session = session
        self._preferences = preferences
        self._job: Job | None = None
        self.now = Tuned()

    @property
    def folder(self) -> Path:
        """Where the training under way writes."""
        return self._preferences.folder / "training"

    def choices(self) -> tuple[Version, ...]:
        """Versions that can be trained further."""
        return tuple(version for version in versions() if version.card.id in TRAINERS)

    def wish(self, **new: Any) -> None:
        """Choose a version, a method or a number of epochs; other cases may fit then."""
        wish = replace(self.now.wish, **new)
        again = wish.version != self.now.wish.version and self.now.data is not None
        self._set(wish=wish)
        if again and self.now.data is not None:
            self.look(self.now.data)

    def look(self, data: Path) -> Job:
        """Count the cases of a folder or case list, for the chosen version."""
        self._set(
            phase="looking",
            data=data,
            found={},
            refused="",
            outcome={},
            kept="",
            curves={},
            preview=None,
        )
        errand = Errand(
            "Looking at cases",
            "compute",
            SURVEY,
            (self._model, (str(data),)),
            about=data.name,
            key="survey",
        )
        return self._tasks.run(errand, Answers(self._found, self._unusable))

    def start(self, *, resume: bool = False) -> Job | None:
        """Train; with `resume` go on from the checkpoint of a training that was stopped."""
        data, wish = self.now.data, self.now.wish
        version = next((v for v in self.choices() if v.name == wish.version), None)
        if data is None or version is None or self.now.phase not in ("ready", "stopped", "done"):
            return None
        if not resume:
            shutil.rmtree(self.folder, ignore_errors=True)
        own = (f"epochs={wish.epochs}",) if wish.epochs else ()
        is_fit = wish.method == "calibrate"
        recipe = {} if is_fit else read_recipe(version.card.id, None, own)
        settings = self._preferences.settings
        train = TrainRequest(
            data=(str(data),),
            out=str(self.folder),
            recipe=recipe,
            seed=wish.seed,
            threads=settings.threads or None,
            device=settings.device,
            init=str(version.weights),
            resume=resume,
            private=settings.private,
            method=wish.method,
            preview=True,
        )
        request = FinetuneRequest(version.card.id, train)
        self._set(
            phase="running",
            epochs=epochs_of(recipe),
            outcome={},
            kept="",
            base=version.weights,
            preview=newest_preview(self.folder) if resume else None,
        )
        title = f"Calibrate {wish.version}" if is_fit else f"Fine-tune {wish.version}"
        work = CALIBRATE if is_fit else FINETUNE
        given = (request,) if is_fit else (request, trainer_of(version.card.id))
        errand = Errand(title, "train", work, given, about=data.name, key="finetune")
        self._job = self._tasks.run(errand, Answers(self._done, self._stopped))
        return self._job

    def stop(self) -> None:
        """Stop the training; its checkpoint stays."""
        if self._job is not None and self.now.phase == "running":
            self._job.cancel()

    def refresh(self) -> None:
        """Read the curve again, while a training runs."""
        if self.now.phase == "running":
            curves, preview = read_curves(self.folder / HISTORY), newest_preview(self.folder)
            if (curves, preview) != (self.now.curves, self.now.preview):
                self._set(curves=curves, preview=preview)

    def keep(self, name: str) -> bool:
        """Make a version of the outcome; False and a message where that cannot be."""
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
        self._set(phase="ready", outcome={}, curves={}, preview=None)

    @property
    def _model(self) -> str:
        return self.now.wish.version.partition("@")[0]

    def _found(self, found: Mapping[str, Any]) -> None:
        phase: Phase = "ready" if found["cases"] else "empty"
        left = (self.folder / "checkpoint").is_dir() and not (self.folder / WEIGHTS).is_file()
        self._set(phase="stopped" if left and found["cases"] else phase, found=found)

    def _unusable(self, error: MedviewError) -> None:
        self._set(phase="empty", refused=f"{error.what}. {error.do}".strip())

    def _done(self, outcome: Mapping[str, Any]) -> None:
        self._set(
            phase="done",
            outcome=outcome,
            curves=read_curves(self.folder / HISTORY),
            preview=self.folder / WEIGHTS,
        )

    def _stopped(self, error: MedviewError) -> None:
        left = (self.folder / "checkpoint").is_dir()
        self._set(phase="stopped" if left else "ready", curves=read_curves(self.folder / HISTORY))

    def _set(self, **new: Any) -> None:
        self.now = replace(self.now, **new)
        self.changed.emit(self.now)


def newest_preview(folder: Path) -> Path | None:
    """The weights that a training left after its last validation."""
    left = sorted((folder / "preview").glob(f"[0-9]*/{WEIGHTS}"))
    return left[-1] if left else None


def read_curves(path: Path) -> dict[tuple[str, str], tuple[tuple[int, float], ...]]:
    """history.csv as points (epoch, value) by (part, name); empty where it is not there yet."""
    curves: dict[tuple[str, str], list[tuple[int, float]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                points = curves.setdefault((row["part"], row["name"]), [])
                points.append((int(row["epoch"]), float(row["value"])))
    except (OSError, KeyError, TypeError, ValueError):
        return {}
    return {key: tuple(points) for key, points in curves.items()}
