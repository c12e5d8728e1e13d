"""What one run of a model says, taken in: slices as they come, then the result, or nothing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medview.domain.card import ModelCard
from medview.domain.errors import MedviewError
from medview.domain.geometry import Geometry
from medview.domain.overlay import UNCERTAINTIES, LayerStyle, ScalarMap
from medview.domain.prediction import MapSlices, Prediction
from medview.services.layering import first_style
from medview.services.session import Session
from medview.services.session_values import Unfinished, VolumeId

# Slices that arrive are put on screen this often: more would only keep the window busy.
SHOW_EVERY_S = 0.1
# Of slices that had to wait for their map, so many are put there with each that comes.
_SLICES_AT_ONCE = 8
# A blank map of so many voxels is made at once.
_SMALL_VOXELS = 1 << 22


class Filling:
    """Takes in what one run says: slices as they come, then the result, or nothing."""

    def __init__(
        self, session: Session, card: ModelCard, about: VolumeId, geometry: Geometry | None
    ) -> None:
        self.done: Callable[[Prediction], object] = lambda made: None
        self.asked: tuple[str, ...] = ()
        self._session = session
        self._card = card
        self._about = about
        self._geometry = geometry
        self._arrays: dict[str, NDArray[np.float32]] = {}
        fills = geometry is not None and fills_a_map(card)
        self._blank = Blank(geometry.shape) if geometry is not None and fills else None
        self._early: list[MapSlices] = []
        self._highest: dict[str, float] = {}
        self._shown_at = -math.inf

    @property
    def key(self) -> tuple[VolumeId, str]:
        """Pixels and version, as in ``session.running``."""
        return self._about, f"{self._card.id}@{self._card.version}"

    def clear(self) -> None:
        """Take away slices of a run of this model on these pixels."""
        unfinished = self._session.unfinished
        if unfinished is None or unfinished.model != self._card.id:
            return
        if unfinished.about == self._about:
            self._session.unfinished = None

    def fill(self, part: object) -> None:
        """Put slices into their map; shown a few times a second."""
        if not isinstance(part, MapSlices) or self._geometry is None:
            return
        self._early.append(part)
        for each in self._early[:_SLICES_AT_ONCE]:
            if not self._put(each):
                return
            self._early.pop(0)
        if time.monotonic() - self._shown_at >= SHOW_EVERY_S:
            self._shown_at = time.monotonic()
            self._session.unfinished = Unfinished(
                self._about,
                self._card.id,
                tuple(self._map(name, self._geometry) for name in self._arrays),
                self._card.settings,
            )

    def _put(self, part: MapSlices) -> bool:
        """Put slices into their map; False while there is none yet."""
        assert self._geometry is not None
        if part.name not in self._arrays:
            self._blank = self._blank or Blank(self._geometry.shape)
            if not self._blank.is_ready:
                return False
            self._arrays[part.name], self._blank = self._blank.array(), None
        slices = np.moveaxis(self._arrays[part.name], part.axis, 0)
        slices[part.first : part.first + len(part.array)] = part.array
        self._highest[part.name] = max(highest(part.array), self._highest.get(part.name, 0.0))
        return True

    def finish(self, prediction: Prediction) -> None:
        """File a result under its own pixels, in place of an older one of its version."""
        session, about = self._session, self._about
        older = session.predictions.get(about, ())
        kept = tuple(result for result in older if result.key != prediction.key)
        with session.together():
            self.clear()
            session.predictions = {**session.predictions, about: (*kept, prediction)}
            session.styles = _with_ranges_of(prediction, session.styles)
            session.finding = None
            session.running = session.running - {self.key}
            if session.volume_id == about:
                self._show(prediction)
        self.done(prediction)

    def _show(self, prediction: Prediction) -> None:
        """Show a map that somebody asked for and waited for; else the one that was chosen."""
        session = self._session
        there = [name for name in self.asked if prediction.map(name) is not None]
        if there:
            session.map_name, session.overlay_on = there[0], True
        elif session.map(session.map_name) is None:
            session.map_name = "score"

    def fail(self, error: MedviewError) -> None:
        """Leave nothing of a run that did not end well."""
        self._session.running = self._session.running - {self.key}
        self.clear()

    def _map(self, name: str, geometry: Geometry) -> ScalarMap:
        output = next((o for o in self._card.outputs if o.name == name), None)
        top = self._card.settings.get("top") if name == "score" else None
        high = float(top) if isinstance(top, int | float) else self._highest[name]
        return ScalarMap(
            name,
            self._arrays[name].view(),
            geometry,
            "uncertainty" if name in UNCERTAINTIES else "anomaly",
            unit=output.unit if output is not None else "1",
            range=(0.0, high or 1.0),
        )


def highest(values: NDArray[np.float32]) -> float:
    """The highest value that is a number and not infinite; 0 where there is none."""
    found = float(np.fmax.reduce(values, axis=None, initial=-np.inf))
    if not math.isfinite(found):
        found = float(np.max(values, where=np.isfinite(values), initial=-np.inf))
    return found if math.isfinite(found) else 0.0


class Blank:
    """An array of NaN that is filled on a thread of its own: a large one takes half a second."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._made: NDArray[np.float32] | None = None
        self._thread = threading.Thread(target=self._fill, name="medview-blank", daemon=True)
        self._thread.start()
        if math.prod(shape) < _SMALL_VOXELS:
            self._thread.join()

    @property
    def is_ready(self) -> bool:
        """Whether nobody would have to wait for it."""
        return not self._thread.is_alive()

    def _fill(self) -> None:
        self._made = np.full(self._shape, np.nan, dtype=np.float32)

    def array(self) -> NDArray[np.float32]:
        """The array; waits for it, should it not be there yet."""
        self._thread.join()
        if self._made is None:
            raise MemoryError("no room for a map")
        return self._made


def fills_a_map(card: ModelCard) -> bool:
    """Whether the model's answer is a map, and not a score with a map behind it."""
    return any(each.name == "score" and each.kind == "map" for each in card.outputs)


def _with_ranges_of(prediction: Prediction, styles: dict[str, LayerStyle]) -> dict[str, LayerStyle]:
    """Styles with range and threshold of new maps: those of an older run may not suit them."""
    fresh = {found.name: first_style(found, prediction.parameters) for found in prediction.maps}
    return {
        name: replace(style, range=fresh[name].range, threshold=fresh[name].threshold)
        if name in fresh
        else style
        for name, style in styles.items()
    }
