"""The training under way in its process: begun, followed, stopped, gone on with, and over.

Its curve is read from history.csv, so what is drawn is what is on the disk. A training that is
stopped leaves its checkpoint and goes on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from medview.domain.errors import Cancelled, DataError, MedviewError
from medview.domain.training import FinetuneRequest, Place, Rounds
from medview.services.earlier_trainings import EarlierTrainings
from medview.services.histories import Curves
from medview.services.jobs import Job
from medview.services.recipes import epochs_of, halved
from medview.services.session import Session
from medview.services.session_values import Message, Way
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.training_folder import Left, TrainingFolder
from medview.services.training_notes import advised
from medview.services.training_pace import Pace
from medview.services.training_request import as_begun, as_wish, errand_of
from medview.services.tuned import TuningState

# Hints that ``medview.learning.finetune`` understands.
PAUSE, GO_ON = "pause", "go on"
_OTHERS = "Other cases were chosen, or something runs on them. Start the training in its panel."
_TOLD = ("best_epoch", "health", "calibrated")
"""Of an outcome, what the panel tells beside the figures of old and new."""
AT_ONCE = 1e-4
"""Minutes: a training that goes on ends after its first epoch."""


class TrainingRun:
    """One training at a time.

    `chosen` gives the training that was chosen, None where none may start. `begun` is what the
    last one was begun with, as it is noted for the next start.
    """

    def __init__(
        self,
        tasks: Tasks,
        session: Session,
        state: TuningState,
        folder: TrainingFolder,
        earlier: EarlierTrainings,
        chosen: Callable[..., FinetuneRequest | None],
    ) -> None:
        self._tasks = tasks
        self._session = session
        self._state = state
        self._folder = folder
        self._earlier = earlier
        self._chosen = chosen
        self.begun: Mapping[str, Any] = {}
        self._asked: FinetuneRequest | None = None
        self._job: Job | None = None
        self._errand: Errand | None = None
        self._title = ""
        self._pace = Pace()
        self._finish_after_stop = False
        self._is_ending = False
        self._is_reading = False

    @property
    def title(self) -> str:
        """What the training under way is called in the list of jobs; empty without one."""
        return self._title if self._state.now.phase == "running" else ""

    @property
    def job(self) -> Job | None:
        """What trains, from when the folder is ready."""
        return self._job

    def start(self, *, resume: bool = False, max_minutes: float | None = None) -> bool:
        """Train, and say whether that begins; with `resume` go on from a checkpoint.

        It ends after `max_minutes`, with the best weights until then. What goes on is what was
        begun, with its cases and its method, whatever was chosen since.
        """
        if resume:
            self._state.set(**as_begun(self.begun))
        request = self._chosen(resume=resume, max_minutes=max_minutes)
        if request is None:
            return False
        self._asked, self.begun, self._is_ending = request, as_wish(self._state.now), False
        self._pace = Pace()
        self._state.set(
            phase="running",
            refused="",
            epochs=epochs_of(request.train.recipe),
            outcome={},
            kept="",
            lines=(),
            is_paused=False,
            is_finishing=max_minutes is not None,
            seconds_left=None,
            place=None,
            base=Path(request.train.init or ""),
            preview=self._state.now.preview if resume else None,
        )
        errand = self._errand = errand_of(self._state.now, request)
        self._title, self._job = errand.title, None
        self._begin(errand, resume=resume)
        return True

    def _begin(self, errand: Errand, *, resume: bool) -> None:
        """Delete what an earlier training left, or find what this one did; then begin."""

        def ready(left: Left | None) -> None:
            if self._errand is errand:
                answers = Answers(self._done, self._stopped, self._told, self._ways)
                self._job = self._tasks.run(errand, answers)
                self._state.set(preview=left.preview if left is not None else None)

        # In private mode nobody remembers names of folders: it goes on as the window does.
        begun = None if self._session.private else self.begun
        self._folder.make_room(begun, ready, resume=resume)

    def _told(self, part: object) -> None:
        if isinstance(part, Place):
            self._state.set(place=part)
        if isinstance(part, Rounds):
            self._state.set(epochs=part.epochs)

    def _ways(self, error: MedviewError) -> tuple[Way, ...]:
        """With half as many cases in a step a training may do where memory ran out."""
        asked, times = self._asked, self._state.now.wish.halved + 1
        if asked is None or not halved(asked.train.recipe):
            return advised(error, None)

        def again() -> None:
            request = self._chosen()
            if request is not None and request.train.data == asked.train.data:
                self._state.set(wish=replace(self._state.now.wish, halved=times))
                self.start()
            else:
                self._session.message = Message(_OTHERS)

        return advised(error, again)

    def stop(self) -> None:
        """Stop the training; its checkpoint stays."""
        self._end(finish=False)

    def finish_now(self) -> None:
        """Stop after the last whole epoch, and go on with the best weights until then."""
        if not self._state.now.is_finishing:  # what finishes already would only be begun once more
            self._end(finish=True)

    def _end(self, *, finish: bool) -> None:
        if self._state.now.phase != "running":
            return
        self._finish_after_stop, self._errand = finish, None
        self._state.set(is_finishing=finish)
        if self._is_ending:  # the last wish counts, once the disk has answered
            return
        self._is_ending = True
        if self._job is not None:
            self._job.cancel()
        else:  # the disk has not even let it begin
            self._stopped(Cancelled("stopped by the user"))

    def pause(self, *, on: bool) -> None:
        """Let the training wait after the present epoch, or go on."""
        if self._job is not None and self._state.now.phase == "running":
            self._job.hint = PAUSE if on else GO_ON
            self._state.set(is_paused=on)

    def refresh(self) -> None:
        """Have the curve read again, while a training runs; one reading at a time."""
        if self._state.now.phase != "running" or self._is_reading:
            return
        self._is_reading = True
        job = self._job

        def seen(left: Left | None) -> None:
            self._is_reading = False
            if left is not None and self._state.now.phase == "running" and self._job is job:
                self._show(left.curves, left.preview)

        self._folder.look(seen)

    def _show(self, curves: Curves, preview: Path | None) -> None:
        if (curves, preview) != (self._state.now.curves, self._state.now.preview):
            pid = self._job.pid if self._job is not None else None
            told = self._pace.told(curves, self._state.now.epochs, pid)
            self._state.set(curves=curves, preview=preview, **told)

    def _stopped(self, error: MedviewError) -> None:
        def seen(left: Left | None) -> None:
            left = left or Left()
            phase = "stopped" if left.has_checkpoint else "ready"
            if left.is_lost:  # the reader knows: it is not told once more at the next start
                self._folder.forget()
            # What is wrong with the cases stays beside them until others are looked at.
            refused = str(error) if isinstance(error, DataError) else ""
            self._is_ending = False
            self._state.set(
                phase=phase, curves=left.curves, is_paused=False, is_finishing=False,
                refused=refused,
            )  # fmt: skip
            if left.has_checkpoint and self._finish_after_stop:
                self._finish_after_stop = False
                self.start(resume=True, max_minutes=AT_ONCE)

        self._folder.look(seen)

    def _done(self, outcome: Mapping[str, Any]) -> None:
        def seen(left: Left | None) -> None:
            left = left or Left()
            self._state.set(
                lines=left.lines,
                is_paused=False,
                is_finishing=False,
                phase="done",
                outcome=outcome,
                curves=left.curves,
                preview=self._folder.weights,
            )

        self._folder.look(seen, self._state.now.found.get("files", {}))
        self._earlier.keep(self._folder.path, self._asked, outcome, self._pace.seconds)
        if not self._session.private:
            told = {name: outcome[name] for name in _TOLD if name in outcome}
            self._folder.note({**self.begun, "outcome": told})
