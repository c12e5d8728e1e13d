"""The record that every command and panel is given: what the program can do, and its window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medview.services.analysis import Analysis
from medview.services.arranging import Arranging
from medview.services.hanging import Hanging
from medview.services.headers import Headers
from medview.services.library import Library
from medview.services.measuring import Measuring
from medview.services.model_library import ModelLibrary
from medview.services.outgoing import Outgoing
from medview.services.reading import Reading
from medview.services.records import Records
from medview.services.session import Session
from medview.services.settings import Preferences
from medview.services.shelf import Shelf
from medview.services.thumbnails import Thumbnails
from medview.services.trying import Trying
from medview.services.tuning import Tuning
from medview.services.viewing import Viewing
from medview.services.volume_view import VolumeView
from medview.services.voxel_curves import VoxelCurves
from medview.services.witness import Witness
from medview.services.workspaces import Workspaces

if TYPE_CHECKING:
    from medview.ui.window import MainWindow


@dataclass(slots=True, eq=False)
class App:
    """Services, and the window once it is built."""

    session: Session
    preferences: Preferences
    library: Library
    viewing: Viewing
    analysis: Analysis
    reading: Reading
    thumbnails: Thumbnails
    shelf: Shelf
    records: Records
    models: ModelLibrary
    tuning: Tuning
    trying: Trying
    measuring: Measuring
    arranging: Arranging
    hanging: Hanging
    curves: VoxelCurves
    workspaces: Workspaces
    volume_view: VolumeView
    headers: Headers
    outgoing: Outgoing
    witness: Witness
    _window: MainWindow | None = field(default=None)

    @property
    def window(self) -> MainWindow:
        """The window; asking before it is built is a mistake."""
        if self._window is None:
            raise RuntimeError("the window is not built yet")
        return self._window

    @window.setter
    def window(self, window: MainWindow) -> None:
        self._window = window
