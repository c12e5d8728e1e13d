"""What is open and how it is shown: the one observable state of the window.

Only services change it, and only on the thread that owns it; whoever draws listens to
``session.events``. Values in it are frozen: a change is a new value in a field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from psygnal import SignalGroupDescriptor

from medview.domain.errors import MedviewError
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.prediction import Finding, Prediction
from medview.domain.study import Catalogue, Series
from medview.domain.volume import Volume
from medview.imaging.view import Layer, View

# The maps that one key goes round, in this order; others ("seen") are chosen by name.
MAPS_IN_TURN = ("score", "residual", "epistemic", "aleatoric", "total")


@dataclass(frozen=True, slots=True)
class VolumeId:
    """Which pixels something is about: the key of a series and the hash over its volume."""

    series: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Task:
    """A running or waiting job as the status bar shows it. `total` 0: nothing known yet."""

    number: int
    title: str
    cancel: Callable[[], None]
    done: int = 0
    total: int = 0
    text: str = ""
    seconds_left: float | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for the reader; `error` has the fields where it is about one."""

    text: str
    kind: Literal["info", "warning", "error"] = "info"
    error: MedviewError | None = None

    @classmethod
    def of(cls, error: MedviewError) -> Message:
        """The sentence of an error."""
        return cls(str(error), "error", error)


@dataclass(frozen=True, slots=True, eq=False)
class Unfinished:
    """Maps that a running model is filling, and of which pixels."""

    about: VolumeId
    model: str
    maps: tuple[ScalarMap, ...] = ()


@dataclass(eq=False)
class Session:
    """The state. Listen with ``session.events.<field>.connect(callback)``.

    Parameters
    ----------
    catalogue : Catalogue
        What was found under the opened paths.
    series, volume : Series | None, Volume | None
        What is on screen; both None at first. `time` is the time point of the volume.
    volume_id : VolumeId | None
        Identity of the volume on screen; None while its hash is being counted.
    views : dict[str, View]
        One per pane, by the pane's name; the first is the main pane.
    active_pane, maximised : str, str | None
        Which pane has the keyboard, and which fills the window (None: all are seen).
    overlay_on : bool
        Whether any map is drawn at all (key O).
    map_name : str
        The map that is shown and that colour bar, opacity keys and findings are about.
    styles : dict[str, LayerStyle]
        How each map is drawn, by its name.
    predictions : dict[VolumeId, tuple[Prediction, ...]]
        Finished results, each under the pixels that it is about.
    unfinished : Unfinished | None
        What the running model has sent so far.
    finding : int | None
        Id of the finding that was jumped to.
    tasks : tuple[Task, ...]
        Jobs that go on or wait, in order.
    message : Message | None
        The newest one.
    private : bool
        True hides name, id and birth date, and keeps nothing in the list of recent folders.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    catalogue: Catalogue = field(default_factory=Catalogue)
    series: Series | None = None
    time: int = 0
    volume: Volume | None = None
    volume_id: VolumeId | None = None
    views: dict[str, View] = field(default_factory=dict)
    active_pane: str = ""
    maximised: str | None = None
    overlay_on: bool = False
    map_name: str = "score"
    styles: dict[str, LayerStyle] = field(default_factory=dict)
    predictions: dict[VolumeId, tuple[Prediction, ...]] = field(default_factory=dict)
    unfinished: Unfinished | None = None
    finding: int | None = None
    tasks: tuple[Task, ...] = ()
    message: Message | None = None
    private: bool = False

    @property
    def results(self) -> tuple[Prediction, ...]:
        """Finished results about the very pixels on screen, and about nothing else."""
        return () if self.volume_id is None else self.predictions.get(self.volume_id, ())

    @property
    def maps(self) -> tuple[ScalarMap, ...]:
        """Maps that may be drawn on the volume on screen; of a running model before older."""
        filling: tuple[ScalarMap, ...] = ()
        model = ""
        if self.unfinished is not None and self.unfinished.about == self.volume_id:
            filling, model = self.unfinished.maps, self.unfinished.model
        older = (m for p in self.results if p.model != model or not filling for m in p.maps)
        return (*filling, *older)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What ``compose_frame`` draws over the volume, from the bottom up."""
        maps = {found.name: found for found in reversed(self.maps)}
        layers = []
        for name, found in maps.items():
            style = self.style(name)
            shown = replace(style, visible=style.visible and self.overlay_on)
            layers.append(Layer(found, shown, maps.get(style.fade_by or "")))
        return tuple(sorted(layers, key=lambda layer: layer.map.name == self.map_name))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of the results on screen, in their order."""
        return tuple(found for result in self.results for found in result.findings)

    def map(self, name: str) -> ScalarMap | None:
        """The map of that name on the volume on screen."""
        return next((found for found in self.maps if found.name == name), None)

    def style(self, name: str) -> LayerStyle:
        """How a map is drawn; its first style follows from what it is."""
        if name in self.styles:
            return self.styles[name]
        found = self.map(name)
        return first_style(found, visible=name == self.map_name) if found else LayerStyle()


def first_style(shown: ScalarMap, *, visible: bool) -> LayerStyle:
    """How a map is drawn before the reader says otherwise: colours by what it is."""
    colours = {"uncertainty": "viridis", "image": "gray"}.get(shown.kind, "inferno")
    return LayerStyle(visible=visible, colour_map=colours, range=shown.range)
