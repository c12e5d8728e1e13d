"""The crop box of the 3-D view: on or off, its faces moved, put back; a box for every series."""

from __future__ import annotations

from collections.abc import Callable

from medview.domain.crop import CropBox
from medview.services.session import Session
from medview.services.steps import Recropped


class Cropping:
    """The wishes of a reader about the box, carried out on the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        #: Told of every change that the reader makes to a box.
        self.recropped: Callable[[Recropped], object] = lambda step: None

    @property
    def whole(self) -> CropBox | None:
        """The box around all of the volume on screen; None without one."""
        volume = self._session.volume
        return None if volume is None else CropBox.around(volume.geometry)

    @property
    def box(self) -> CropBox | None:
        """The box about the series on screen, the whole at first; None while it is off."""
        series = self._session.series
        if not self._session.crop_on or series is None:
            return None
        return self._session.crops.get(series.key) or self.whole

    @property
    def is_changed(self) -> bool:
        """Whether anything of the volume on screen lies outside its box."""
        return self.box is not None and self.box != self.whole

    def toggle(self) -> None:
        """Show the box and cut by it, or no more; its faces stay where they are."""
        self._session.crop_on = not self._session.crop_on

    def move(self, face: int, mm: float, gesture: object = None) -> None:
        """Move a face along its axis of the patient; moves of one `gesture` are one step back."""
        box, whole = self.box, self.whole
        if box is not None and whole is not None:
            self._put(box.moved(face, mm, whole), gesture)

    def reset(self) -> None:
        """Put all faces back to the edges of the volume."""
        if self.is_changed:
            self._put(None)

    def _put(self, box: CropBox | None, gesture: object = None) -> None:
        session = self._session
        if session.series is None:
            return
        step = Recropped(session.series.key, session.crops.get(session.series.key), box, gesture)
        if step.before != step.after:
            self.recropped(step)
            session.crops = step.redone(session.crops)
