"""The panels beside the images. A new one is a class that takes the App, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from medview.ui.app import App
from medview.ui.panels.details import DetailsPanel
from medview.ui.panels.layers import LayersPanel
from medview.ui.panels.models import ModelsPanel
from medview.ui.panels.report import ReportPanel
from medview.ui.panels.results import ResultsPanel
from medview.ui.panels.training import TrainingPanel


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """A tab on the right: its key, the word on it, its tip, and what makes it."""

    key: str
    title: str
    tip: str
    make: Callable[[App], QWidget]


PANELS: tuple[PanelEntry, ...] = (
    PanelEntry("layers", "Layers", "Image and maps: what is drawn and how", LayersPanel),
    PanelEntry("results", "Results", "Run models and read what they say", ResultsPanel),
    PanelEntry("training", "Training", "Train a model further on your own cases", TrainingPanel),
    PanelEntry("report", "Report", "Write findings and export a PDF", ReportPanel),
    PanelEntry("models", "Models", "What each model is for, and how well it does", ModelsPanel),
    PanelEntry("details", "Details", "The series, and every value at the crosshair", DetailsPanel),
)
