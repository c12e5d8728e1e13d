"""What comes of a fine-tuning: the reader makes a version of it, or throws it away."""

from __future__ import annotations

from medview.domain.errors import MedviewError
from medview.services.audit import note
from medview.services.model_library import ModelLibrary
from medview.services.session import Session
from medview.services.session_values import Message
from medview.services.settings import Preferences
from medview.services.training_folder import TrainingFolder
from medview.services.tuned import TuningState
from medview.services.versions import Version, register


class TuningOutcome:
    """Keeps or rejects the outcome that the state tells of; one version is made at a time."""

    def __init__(
        self,
        state: TuningState,
        folder: TrainingFolder,
        session: Session,
        preferences: Preferences,
        models: ModelLibrary,
    ) -> None:
        self._state = state
        self._folder = folder
        self._session = session
        self._preferences = preferences
        self._models = models
        self._is_keeping = False

    def keep(self, name: str, *, accept_worse: bool = False) -> None:
        """Make a version of the outcome; a message says why where that cannot be.

        One that is worse on the locked set is kept only with `accept_worse`.
        """
        now, weights = self._state.now, self._folder.weights
        if now.worse_on_locked and not accept_worse:
            worse = ", ".join(now.worse_on_locked)
            text = f"The new version is worse on the locked set ({worse}). It was not kept."
            self._session.message = Message(text, "warning")
        elif not self._is_keeping:
            self._is_keeping = True

            def work() -> Version:
                made = register(weights, name)
                note("accepted", {"version": made.name, "worse": list(now.worse)})
                return made

            self._preferences.writer.fetch(work, self._kept, self._not_kept)

    def _kept(self, version: Version) -> None:
        self._is_keeping = False
        self._folder.forget()
        self._models.look()
        if self._state.now.phase == "done":  # else other cases were looked at meanwhile
            self._state.set(phase="kept", kept=version.name, preview=None)

    def _not_kept(self, error: MedviewError) -> None:
        self._is_keeping = False
        self._session.message = Message.of(error)

    def reject(self) -> None:
        """Throw the outcome away; everything is as it was before."""
        self._folder.clear()
        self._state.set(phase="ready", outcome={}, curves={}, preview=None, lines=())
