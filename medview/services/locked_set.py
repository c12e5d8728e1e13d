"""The set that a version is also compared on and that is never trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medview.domain.errors import MedviewError
from medview.services.tasks import Answers, Errand, Tasks
from medview.services.tuned import TuningState

LOOK = "medview.learning.finetune:look_at_locked"


class LockedSet:
    """Counts the locked set; nobody of it may be among the cases."""

    def __init__(self, tasks: Tasks, state: TuningState) -> None:
        self._tasks, self._state = tasks, state

    def choose(self, reference: Path | None) -> None:
        """Compare also on this set; None: on none."""
        self._state.set(reference=reference, locked={}, not_locked="")
        self.look()

    def look(self) -> None:
        """Count it beside the cases there are now."""
        now = self._state.now
        if now.reference is None or now.data is None:
            return
        self._state.set(locked={}, not_locked="")
        errand = Errand(
            "Looking at the locked set",
            "compute",
            LOOK,
            (now.model, (str(now.data),), (str(now.reference),)),
            about=now.reference.name,
            key="locked set",
        )
        self._tasks.run(errand, Answers(self._counted, self._refused))

    def _counted(self, found: Mapping[str, Any]) -> None:
        words = found["what"]
        why = f"{words[:1].upper()}{words[1:]}." if words else ""
        self._state.set(locked=found, not_locked=why)

    def _refused(self, error: MedviewError) -> None:
        self._state.set(not_locked=f"{error.what}. {error.do}".strip())
