"""What is to leave as DICOM objects; a value, so that no library is needed to hold it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.domain.card import ModelCard
from medview.domain.measurement import Measured
from medview.domain.prediction import Prediction
from medview.domain.study import Series


@dataclass(frozen=True, slots=True, eq=False)
class Handover:
    """A series with results and their cards, drawings with their numbers, and marked slices k.

    `time` is the time point that drawings and marks are of, `report` the PDF that was written of
    the study at `written_at` (ns). One that was written over since is not it any more.
    """

    series: Series
    results: tuple[tuple[Prediction, ModelCard], ...] = ()
    drawn: tuple[Measured, ...] = ()
    key_slices: tuple[int, ...] = ()
    time: int = 0
    report: Path | None = None
    written_at: int = 0

    @property
    def left_out(self) -> str:
        """What is not written though it was found, in a sentence; empty when all is."""
        grid = self.series.geometry
        placed = grid is not None and bool(grid.frame_of_reference)
        if placed or not any(made.maps for made, _ in self.results):
            return ""
        return "Maps are left out: the images name no frame of reference to place them in."

    @property
    def has_something(self) -> bool:
        """False where there is nothing to write."""
        return bool(self.results or self.key_slices or self.drawn)
