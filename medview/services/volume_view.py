"""The volume on screen seen from outside: what is wished for, and one picture after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from medview.domain.errors import NOT_STAGED, Cancelled, MedviewError
from medview.domain.scene import Scene
from medview.domain.volume import Volume
from medview.imaging.presets_3d import Preset3D, presets_for, refusal_3d
from medview.services.jobs import Job, Jobs
from medview.services.session import Session
from medview.services.viewing import Viewing

STAGE = "medview.ui.scene_work:stage"
DRAW = "medview.ui.scene_work:draw"
# Black and white of a MIP of values without a unit, which span 0..1000.
_BRIGHT = (0.0, 1600.0)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Pixels (h, w, 3) RGB and the scene that they show."""

    pixels: NDArray[np.uint8]
    scene: Scene


class VolumeView:
    """Asks a child process for pictures, one at a time; the newest wish is drawn next.

    ``drawn`` brings a picture; ``refused`` a sentence where there is none; ``staged`` tells that
    another volume is to be seen. Nothing runs while it is closed.
    """

    drawn = Signal(Picture)
    refused = Signal(str)
    staged = Signal()

    def __init__(self, jobs: Jobs, session: Session, viewing: Viewing) -> None:
        self._jobs, self._session, self._viewing = jobs, session, viewing
        self._is_open = False
        self._volume: Volume | None = None
        self._about: object = None
        self._is_staged = False
        self._drawing: Job | None = None
        self._next: Scene | None = None
        self.scene = Scene("mip")
        for field in ("volume", "volume_id", "overlay_on", "map_name", "predictions", "styles"):
            getattr(session.events, field).connect(self._on_change)
        for field in ("crop_on", "crops"):
            getattr(session.events, field).connect(self._on_crop)

    @property
    def is_open(self) -> bool:
        """Whether pictures are wanted."""
        return self._is_open

    @property
    def volume(self) -> Volume | None:
        """What is seen; None while it is closed."""
        return self._volume

    @property
    def presets(self) -> tuple[Preset3D, ...]:
        """What the volume on screen can be seen with."""
        return presets_for(self._volume) if self._volume is not None else ()

    def open(self) -> None:
        """Begin to draw the volume on screen, and every other one that comes."""
        self._is_open = True
        self._about = None
        self._on_change()

    def close(self) -> None:
        """Draw no more, and let go of the volume."""
        self._is_open, self._volume, self._about = False, None, None
        self._is_staged = False
        if self._drawing is not None:
            self._drawing.supersede()
            self._drawing = None

    # -- wishes ----------------------------------------------------------------------------

    def turn(self, right: float, up: float) -> None:
        """Turn it by degrees."""
        self.want(self.scene.turned(right, up))

    def zoom(self, factor: float) -> None:
        """Draw it larger."""
        self.want(self.scene.zoomed(factor))

    def move(self, right: float, down: float) -> None:
        """Push it along by parts of the height of the picture."""
        self.want(self.scene.moved(right, down))

    def use(self, preset: str) -> None:
        """Show bone, soft tissue and so on."""
        self.want(replace(self.scene, preset=preset))

    def resize(self, width: int, height: int) -> None:
        """Draw in this size."""
        size = (max(16, width), max(16, height))
        if size != self.scene.size:
            self.want(replace(self.scene, size=size))

    def reset(self) -> None:
        """From the front, all of it."""
        known = self.scene
        self.want(Scene(known.preset, size=known.size, window=known.window))

    def want(self, scene: Scene) -> None:
        """Draw this next, coarsely."""
        self.scene = replace(scene, is_fine=False, crop=self._viewing.crop.box)
        self._ask(self.scene)

    def settle(self) -> None:
        """The reader holds still: draw what is seen finely."""
        if not self.scene.is_fine:
            self.scene = replace(self.scene, is_fine=True)
            self._ask(self.scene)

    def _on_crop(self) -> None:
        if self._is_open:
            self.want(self.scene)

    # -- one after the other ---------------------------------------------------------------

    def _ask(self, scene: Scene) -> None:
        if not self._is_open or not self._is_staged:
            return
        self._next = scene
        if self._drawing is None:
            self._go_on()

    def _go_on(self) -> None:
        scene, self._next = self._next, None
        if scene is None or not self._is_open:
            return
        self._drawing = self._jobs.run(
            "scene",
            DRAW,
            scene,
            done=lambda pixels: self._done(Picture(pixels, scene)),
            failed=self._failed,
        )

    def _done(self, picture: Picture) -> None:
        self._drawing = None
        if self._is_open:
            self.drawn.emit(picture)
        self._go_on()

    def _failed(self, error: MedviewError) -> None:
        self._drawing = None
        if isinstance(error, Cancelled):
            return
        if error.code == NOT_STAGED:
            # The process that drew has gone, and with it the volume.
            self._about = None
            self._on_change()
        else:
            self._refuse(str(error))

    def _refuse(self, text: str) -> None:
        self._is_staged, self._about = False, None
        self.refused.emit(text)

    def _on_change(self) -> None:
        """Stage what is on screen now, once it is whole."""
        if not self._is_open:
            return
        volume = self._session.volume
        if volume is None:
            self._refuse("Open a volume to see it in 3-D.")
            return
        if volume.slices_to_come:
            return
        refusal = refusal_3d(volume)
        if refusal:
            self._refuse(refusal)
            return
        layer = next((each for each in self._session.layers if each.style.visible), None)
        about = (id(volume), None if layer is None else (id(layer.map), layer.style))
        if about == self._about:
            return
        is_new = volume is not self._volume
        self._about, self._volume, self._is_staged = about, volume, False
        if is_new:
            first = self.presets[0].key
            self.scene = Scene(first, size=self.scene.size, window=self._window(volume))
        self._jobs.run(
            "scene",
            STAGE,
            volume,
            layer.map if layer is not None else None,
            layer.style if layer is not None else None,
            done=lambda _: self._on_staged(about),
            failed=self._failed,
            key="stage",
        )
        self.staged.emit()

    def _on_staged(self, about: object) -> None:
        if about == self._about:
            self._is_staged = True
            self.want(self.scene)

    def _window(self, volume: Volume) -> tuple[float, float]:
        """What is black and white in a MIP: the window of the planes for CT."""
        window = self._viewing.window(self._session.active_pane)
        if volume.quantity != "HU" or window is None:
            return _BRIGHT
        return window.level - window.width / 2, window.level + window.width / 2
