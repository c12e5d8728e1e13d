"""What a fine-tuning from the window is at: a snapshot for panels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from medview.domain.training import Method, Place
from medview.services.case_table import CaseLine
from medview.services.histories import Curves

Phase = Literal["empty", "looking", "checking", "ready", "running", "stopped", "done", "kept"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader chose: version to start from ("ID@VERSION"), method, epochs, seed and more.

    A `rate` of 0 is that of the recipe; `halved` is how often the number of cases in a step is
    halved for want of memory. With `folds` the training is also cross-validated, for sets too
    small to hold many out; with `sites` it is also made once without each site, to measure on a
    site that it has not seen.
    """

    version: str = ""
    method: Method = "full"
    epochs: int = 0
    seed: int = 0
    folds: int = 0
    sites: bool = False
    rate: float = 0.0
    halved: int = 0


@dataclass(frozen=True, slots=True)
class Tuned:
    """A snapshot for the panel.

    `found` is what ``survey`` says of the cases; once all of them were read (`is_checked`, False
    where the reader did not wait for it), without those that cannot be. `curves` are points (epoch,
    value) by (part, name) of history.csv; `outcome` is the answer of the training with
    ``before_after``. `base` are the weights that were started from, `preview` the newest ones since
    (None before the first validation, and when they were kept or rejected). `reference` is the
    locked set, `locked` what was counted there, `not_locked` why it cannot be one; `lines` tell of
    each case that was held out. `rates` is what a search for a learning rate gave, or why it gave
    nothing; one is under way while `is_finding`. `place` is where a training runs, as it says
    itself. While `is_finishing` a training ends with the best weights until then.
    """

    phase: Phase = "empty"
    data: Path | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""
    is_checked: bool = False
    wish: Wish = Wish()
    epochs: int = 0
    curves: Curves = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)
    kept: str = ""
    base: Path | None = None
    preview: Path | None = None
    reference: Path | None = None
    locked: Mapping[str, Any] = field(default_factory=dict)
    not_locked: str = ""
    is_paused: bool = False
    is_finishing: bool = False
    seconds_left: float | None = None
    memory_mb: float | None = None
    place: Place | None = None
    lines: tuple[CaseLine, ...] = ()
    rates: Mapping[str, Any] = field(default_factory=dict)
    is_finding: bool = False

    @property
    def model(self) -> str:
        """Which model the chosen version is of."""
        return self.wish.version.partition("@")[0]

    @property
    def is_fit(self) -> bool:
        """Whether nothing learns: only a calibration is fitted."""
        return self.wish.method == "calibrate"

    @property
    def can_leave_sites(self) -> bool:
        """Whether the cases are of several sites; a training needs a case list that says so."""
        listed = self.data is not None and self.data.suffix.lower() == ".csv"
        return bool(self.found.get("sites", 0) > 1 and (listed or self.is_fit))

    @property
    def trainings(self) -> int:
        """How many trainings Start would make, all told."""
        if self.is_fit:
            return 1
        sites = self.found.get("sites", 0) if self.wish.sites and self.can_leave_sites else 0
        return int(1 + self.wish.folds + sites)

    @property
    def may_start(self) -> bool:
        """Whether there are cases, and a locked set that is one if there is any."""
        return self.phase in ("ready", "stopped", "done", "kept") and not self.not_locked

    @property
    def epoch(self) -> int:
        """The last epoch that is finished."""
        return max((points[-1][0] for points in self.curves.values() if points), default=0)

    @property
    def worse_on_locked(self) -> tuple[str, ...]:
        """Figures that are worse for sure on the locked set: keeping needs another word."""
        return tuple(name for name in self.worse if name.startswith("reference "))

    @property
    def worse(self) -> tuple[str, ...]:
        """Figures on which the new version is worse for sure."""
        return tuple(self.outcome.get("before_after", {}).get("worse", ()))


class TuningState:
    """The one snapshot that all parts of a fine-tuning share; ``changed`` tells of each new one."""

    changed = Signal(Tuned)

    def __init__(self, wish: Wish | None = None) -> None:
        self.now = Tuned(wish=wish or Wish())

    def set(self, **new: Any) -> None:
        """Change fields of the snapshot, by name."""
        self.now = replace(self.now, **new)
        self.changed.emit(self.now)
