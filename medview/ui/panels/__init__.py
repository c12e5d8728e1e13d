"""The panels beside the images. A new one is a class that takes the App, and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from PySide6.QtWidgets import QWidget

from medview.ui.app import App


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """A tab on the right: its key, the word on it, its tip, and what makes it ("module:class")."""

    key: str
    title: str
    tip: str
    kind: str

    def make(self, app: App) -> QWidget:
        """The panel. Its module is read now: a window starts without those nobody looks at."""
        module, _, name = self.kind.partition(":")
        return cast(QWidget, getattr(import_module(f"{__name__}.{module}"), name)(app))


PANELS: tuple[PanelEntry, ...] = (
    PanelEntry("layers", "Layers", "Image and maps: what is drawn and how", "layers:LayersPanel"),
    PanelEntry("results", "Results", "Run models and read what they say", "results:ResultsPanel"),
    PanelEntry(
        *("training", "Training", "Train a model further on your own cases"),
        "training:TrainingPanel",
    ),
    PanelEntry("report", "Report", "Write findings and export a PDF", "report:ReportPanel"),
    PanelEntry(
        *("models", "Models", "What each model is for, and how well it does"),
        "models:ModelsPanel",
    ),
    PanelEntry(
        *("details", "Details", "The series, and every value at the crosshair"),
        "details:DetailsPanel",
    ),
)
