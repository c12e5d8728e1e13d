"""The open slice through two versions of a model: the one trained from and the one in training.

After each validation the training leaves its weights; both versions are then run on the slice
that is on screen, one after the other in the compute child, and stand beside each other under a
divider. A model without maps gives its main score for the whole case instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from pathlib import Path

from medview.domain.errors import Cancelled, MedviewError
from medview.domain.geometry import Plane
from medview.domain.prediction import Prediction, RunRequest
from medview.domain.swipe import Side, Swipe
from medview.imaging.oblique import STRAIGHT
from medview.imaging.reslice import cut_of
from medview.services.analysis import PREDICT, Analysis
from medview.services.jobs import Jobs
from medview.services.session import Session
from medview.services.session_values import VolumeId
from medview.services.telling import main_score
from medview.services.tuned import Tuned
from medview.services.tuning import Tuning

# Models that are run slice by slice; others are run on all there is.
_BY_SLICE = ("anomaly",)
# Models that learn from tables: of an image on screen both versions would say the same.
_BY_TABLE = ("brain-age", "brain-age-armed")
# Maps that are kept of each version; all of them would take a gigabyte.
_SHOWN = ("score", "total", "evidence")


@dataclass(frozen=True, slots=True)
class _Place:
    """What both versions are tried on: pixels, and the slice along an array axis of them."""

    about: VolumeId
    axis: int
    slice: int


class Trying:
    """Keeps ``session.swipe`` at the newest weights and the slice on screen.

    One run at a time: what has changed meanwhile is looked at when it is done, so that scrolling
    piles nothing up.
    """

    def __init__(self, jobs: Jobs, session: Session, analysis: Analysis, tuning: Tuning) -> None:
        self._jobs, self._session = jobs, session
        self._analysis, self._tuning = analysis, tuning
        self._olds: dict[tuple[_Place, str], Side] = {}
        self._done: tuple[_Place, Path] | None = None
        self._is_busy = False
        self.why_not = ""
        tuning.changed.connect(self._on_tuned)
        session.events.views.connect(self._on_moved)
        session.events.volume_id.connect(self._on_moved)

    def _on_tuned(self, now: Tuned) -> None:
        if now.preview is None:
            self._done, self._olds, self.why_not = None, {}, ""
            if self._session.swipe is not None:
                self._session.swipe = None
            return
        self._try()

    def _on_moved(self) -> None:
        if self._tuning.now.preview is not None:
            self._try()

    def _try(self) -> None:
        """Run what is not known yet: first the old version, then the new one."""
        now, place = self._tuning.now, self._place()
        if self._is_busy or place is None or now.preview is None or now.base is None:
            return
        if self._done == (place, now.preview):
            return
        old = self._olds.get((place, str(now.base)))
        weights = now.preview if old is not None else now.base
        request = self._request(place, weights)
        if request is None:
            return
        self._is_busy = True
        self._jobs.run(
            "compute",
            PREDICT,
            request,
            done=partial(self._said, place, weights),
            failed=partial(self._failed, place, now.preview),
        )

    def _request(self, place: _Place, weights: Path) -> RunRequest | None:
        model = self._tuning.now.wish.version.partition("@")[0]
        if model in _BY_TABLE:
            return None
        request = self._analysis.request(model, weights)
        if request is None or model not in _BY_SLICE:
            return request
        return replace(request, slice=place.slice)

    def _said(self, place: _Place, weights: Path, made: Prediction) -> None:
        self._is_busy, self.why_not = False, ""
        now = self._tuning.now
        if weights == now.base:
            # Maps are as large as the volume: only those of the place on screen are kept.
            self._olds = {}
            self._olds[place, str(weights)] = _side(made, now.wish.version.partition("@")[2], place)
        elif now.preview is not None and now.base is not None:
            self._done = (place, weights)
            old = self._olds[place, str(now.base)]
            new = _side(made, _name(made.version), place)
            before = self._session.swipe
            kept = before[1] if before is not None and before[0] == place.about else None
            swipe = Swipe(old, new, place.slice, place.axis)
            if kept is not None:
                swipe = replace(swipe, share=kept.share, shown=kept.shown)
            self._session.swipe = (place.about, swipe)
        self._try()

    def _failed(self, place: _Place, preview: Path, error: MedviewError) -> None:
        """Nothing to compare here: a slice without brain, or weights gone meanwhile."""
        self._is_busy = False
        self._done = (place, preview)
        self.why_not = "" if isinstance(error, Cancelled) else error.what
        if self._session.swipe is not None:
            self._session.swipe = None
        self._try()

    def _place(self) -> _Place | None:
        """The slice through the crosshair along the axis that models go through a head."""
        session = self._session
        volume, about = session.volume, session.volume_id
        view = session.views.get(session.active_pane)
        if volume is None or about is None or view is None:
            return None
        if volume.is_film:
            return _Place(about, 0, 0)
        axis = volume.geometry.axis_of[2]
        cut = cut_of(volume.geometry, replace(view, plane=Plane.AXIAL, slab_mm=0.0, tilt=STRAIGHT))
        if cut.grid is volume.geometry and cut.layout.cut == axis:
            return _Place(about, axis, cut.index)
        index = round(float(volume.geometry.to_index(view.point_lps)[axis]))
        return _Place(about, axis, min(max(index, 0), volume.geometry.shape[axis] - 1))


def _name(version: str) -> str:
    """The epoch of a version such as "1.0 epoch 3"; "new" for finished weights."""
    _, word, number = version.rpartition(" epoch ")
    return f"epoch {number}" if word else "new"


def _side(made: Prediction, name: str, place: _Place) -> Side:
    """One version's part: the figure of the slice where there is one, else of the case."""
    row = next((each for each in made.slices if each.slice == place.slice), None)
    score = main_score(made)
    figure = row.score if row is not None else score.value if score is not None else None
    if figure is not None and isnan(figure):  # a slice that the model does not recognise
        figure = None
    maps = tuple(each for each in made.maps if each.name in _SHOWN)
    return Side(name, made.weights_sha256, maps, figure, made.parameters)
