"""What is open and how it is shown: the one observable state of the window.

Only services change it, and only on the thread that owns it; whoever draws listens to
``session.events``. Values in it are frozen: a change is a new value in a field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from psygnal import SignalGroup, SignalGroupDescriptor

from medview.domain.crop import CropBox
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement, Point
from medview.domain.overlay import UNCERTAINTIES, LayerStyle, ScalarMap
from medview.domain.prediction import Finding, Opinion, Prediction
from medview.domain.study import Catalogue, Series
from medview.domain.swipe import Swipe
from medview.domain.volume import Volume
from medview.imaging.view import Layer, View
from medview.services.layering import (
    Known,
    Renamed,
    base_name,
    first_style,
    known_maps,
    layers_of,
)
from medview.services.session_values import (
    Message,
    Shown,
    TableFile,
    Task,
    Unfinished,
    VolumeId,
)
from medview.services.telling import titled

# The maps that one key goes round, in this order; others ("seen") are chosen by name.
MAPS_IN_TURN = ("score", "residual", *UNCERTAINTIES)


# Without a repr: a trace that prints its variables must not print who is open.
@dataclass(eq=False, repr=False)
class Session:
    """The state. Listen with ``session.events.<field>.connect(callback)``.

    Parameters
    ----------
    catalogue : Catalogue
        What was found under the opened paths.
    series, volume : Series | None, Volume | None
        What is on screen, in the active pane where panes hold different series; both None at
        first. `time` is the time point of the volume.
    volume_id : VolumeId | None
        Identity of the volume on screen; None while its hash is being counted.
    layout : str
        How panes lie beside each other: a key of ``layouts.LAYOUTS``.
    shown : dict[str, Shown]
        What each pane holds, where panes hold series of their own; empty where all panes show
        the series on screen.
    linked, alone : bool, frozenset[str]
        Whether panes with series of their own scroll together, and which of them do not.
    views : dict[str, View]
        One per pane that shows something, by the pane's name; the first is the main pane.
    active_pane, maximised : str, str | None
        Which pane has the keyboard, and which fills the window (None: all are seen).
    overlay_on : bool
        Whether any map is drawn at all (key O).
    map_name : str
        The map that is chosen: drawn when the overlay is on, and opacity keys are its.
    kept_maps : frozenset[str]
        Maps that are drawn beside the chosen one.
    map_order : tuple[str, ...]
        Maps as the reader has put them, from the bottom up; others lie below, by kind.
    zones_on : bool
        Whether boxes of a result, such as the zones of the lungs, are drawn.
    reference_on : bool
        Whether a pane shows where the slices of the other panes run.
    crop_on, crops : bool, dict[str, CropBox]
        Whether the 3-D view shows what lies in a box alone, and the boxes by the keys of series;
        without one it is around all of the volume.
    styles : dict[str, LayerStyle]
        How maps are drawn that the reader has changed, by name; visibility is not kept here.
    predictions : dict[VolumeId, tuple[Prediction, ...]]
        Finished results, each under the pixels that it is about.
    laid : dict[VolumeId, tuple[ScalarMap, ...]]
        Maps of objects of other programs, each on the grid of the pixels that it lies over.
    unfinished : Unfinished | None
        What the running model has sent so far.
    swipe : tuple[VolumeId, Swipe] | None
        Two versions of a model on a slice of these pixels, while one is trained further.
    finding : Finding | None
        The one that was jumped to.
    running : frozenset[tuple[VolumeId, str]]
        Pixels and versions ("ID@VERSION") of the runs that go on or wait.
    opinions : dict[tuple[VolumeId, str], tuple[Opinion, ...]]
        What the reader has answered, by pixels and version.
    first_reader : bool
        True hides what models say until the reader's own reading is done.
    read : frozenset[VolumeId]
        Pixels that the reader has read, with models or before them.
    tables : dict[str, TableFile]
        Feature files and time series that were opened, by role.
    hour : float | None
        The hour of the record that is looked at; None: the last one.
    drawings : dict[str, tuple[Measurement, ...]]
        What the reader has drawn, by the key of the series.
    key_images : dict[str, tuple[KeyImage, ...]]
        Images that the reader has marked, by the key of the series.
    draft, chosen_drawing : Measurement | None, int
        The drawing under way, and the one that was chosen last (0: none).
    draft_end : Point | None
        Where the mouse is while the drawing under way waits for its next point, LPS mm.
    tasks : tuple[Task, ...]
        Jobs that go on or wait, in order.
    message : Message | None
        The newest one.
    private : bool
        True hides name, id and birth date, and keeps nothing in the list of recent folders.
    titles : dict[str, str]
        What models are called, by version ("ID@VERSION") and by id.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    catalogue: Catalogue = field(default_factory=Catalogue)
    series: Series | None = None
    time: int = 0
    volume: Volume | None = None
    volume_id: VolumeId | None = None
    layout: str = "mpr"
    shown: dict[str, Shown] = field(default_factory=dict)
    linked: bool = True
    alone: frozenset[str] = frozenset()
    views: dict[str, View] = field(default_factory=dict)
    active_pane: str = ""
    maximised: str | None = None
    overlay_on: bool = False
    map_name: str = "score"
    kept_maps: frozenset[str] = frozenset()
    map_order: tuple[str, ...] = ()
    zones_on: bool = True
    reference_on: bool = False
    crop_on: bool = False
    crops: dict[str, CropBox] = field(default_factory=dict)
    styles: dict[str, LayerStyle] = field(default_factory=dict)
    predictions: dict[VolumeId, tuple[Prediction, ...]] = field(default_factory=dict)
    laid: dict[VolumeId, tuple[ScalarMap, ...]] = field(default_factory=dict)
    unfinished: Unfinished | None = None
    swipe: tuple[VolumeId, Swipe] | None = None
    finding: Finding | None = None
    running: frozenset[tuple[VolumeId, str]] = frozenset()
    opinions: dict[tuple[VolumeId, str], tuple[Opinion, ...]] = field(default_factory=dict)
    first_reader: bool = False
    read: frozenset[VolumeId] = frozenset()
    tables: dict[str, TableFile] = field(default_factory=dict)
    hour: float | None = None
    drawings: dict[str, tuple[Measurement, ...]] = field(default_factory=dict)
    key_images: dict[str, tuple[KeyImage, ...]] = field(default_factory=dict)
    draft: Measurement | None = None
    chosen_drawing: int = 0
    draft_end: Point | None = None
    tasks: tuple[Task, ...] = ()
    message: Message | None = None
    private: bool = False
    titles: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Change several fields before anyone is told of any of them."""
        with ExitStack() as stack:
            events: SignalGroup = self.events
            for name in events:
                stack.enter_context(events[name].paused())
            yield

    def content(self, pane: str) -> Shown | None:
        """What a pane holds; None for an empty one."""
        held = self.shown.get(pane)
        if held is not None and pane != self.active_pane:
            return held
        if self.shown and held is None:
            return None
        if self.series is None or self.volume is None or pane not in self.views:
            return None
        return Shown(self.series, self.volume, self.time, self.volume_id)

    def panes_of(self, series: str) -> tuple[str, ...]:
        """The panes that show a series, by its key."""
        found = ((pane, self.content(pane)) for pane in self.views)
        return tuple(pane for pane, each in found if each is not None and each.series.key == series)

    def is_open(self, about: VolumeId) -> bool:
        """Whether pixels are of a series that is listed or on screen, or of a table that is."""
        if self.catalogue.find(about.series) is not None or about == self.volume_id:
            return True
        return any(each.series.key == about.series for each in self.shown.values())

    def is_shown(self, about: VolumeId) -> bool:
        """Whether these very pixels are in a pane now, or it is the table that is open."""
        return about == self.volume_id or any(about == each.id for each in self.shown.values())

    @property
    def results(self) -> tuple[Prediction, ...]:
        """Finished results about the very pixels on screen, and about nothing else.

        None while they are kept back until the reader's own reading is done, and none that was
        made with another table than the one of its role that is open now.
        """
        return self.results_about(self.volume_id)

    def _is_of_these(self, made: Prediction) -> bool:
        """No other table stands in the place of one that a result was made with."""
        open_now = {role: each.given.sha256 for role, each in self.tables.items()}
        return all(open_now.get(each.role, each.sha256) == each.sha256 for each in made.inputs)

    def named(self, result: Prediction) -> str:
        """The model and version that gave a result as a reader knows it: "Bayesian VAE 1.0"."""
        return titled(result, self.titles)

    def results_about(self, about: VolumeId | None) -> tuple[Prediction, ...]:
        """The same about the pixels that another pane shows."""
        if about is None or self._waits(about):
            return ()
        found = self.predictions.get(about, ())
        if about != self.volume_id or not self.tables:
            return found
        return tuple(each for each in found if self._is_of_these(each))

    @property
    def is_waiting(self) -> bool:
        """What models say of the pixels on screen is kept back from the first reader."""
        return self._waits(self.volume_id)

    def _waits(self, about: VolumeId | None) -> bool:
        return self.first_reader and about not in self.read

    @property
    def swiped(self) -> Swipe | None:
        """Two versions on the very pixels on screen, unless models are kept back."""
        if self.swipe is None or self.swipe[0] != self.volume_id or self.is_waiting:
            return None
        return self.swipe[1]

    @property
    def waiting(self) -> int:
        """How many results are kept back."""
        if self.volume_id is None or not self.is_waiting:
            return 0
        return len(self.predictions.get(self.volume_id, ()))

    def opinion(self, result: str, about: str) -> Opinion | None:
        """What the reader answered to "finding 3" or "score severe" of a result, by its key."""
        if self.volume_id is None:
            return None
        said = self.opinions.get((self.volume_id, result), ())
        return next((each for each in said if each.about == about), None)

    @property
    def maps(self) -> tuple[ScalarMap, ...]:
        """Maps that may be drawn on the volume on screen, by the keys of ``layering``."""
        return tuple(each.map for each in self._known(self.volume_id).values())

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What ``compose_frame`` draws over the volume, from the bottom up."""
        return self.layers_about(self.volume_id)

    def layers_about(self, about: VolumeId | None) -> tuple[Layer, ...]:
        """The same over the volume that another pane shows."""
        known = self._known(about)
        drawn = self.maps_drawn if self.overlay_on else frozenset()
        return layers_of(known, self.styles, self.map_order, drawn)

    @property
    def maps_drawn(self) -> frozenset[str]:
        """Keys of the maps that are drawn while the overlay is on."""
        return self.kept_maps | {self.map_name}

    @property
    def finder(self) -> Prediction | None:
        """The result whose findings are listed: that of the chosen map, else the newest with any.

        Findings of two versions have the same numbers, so they never stand in one list.
        """
        looked = [each for each in self.results if each.findings]
        owner = self.owner(self.map_name)
        return owner if owner in looked else next(reversed(looked), None)

    def owner(self, key: str) -> Prediction | None:
        """The result that gave a map on screen; None while a model still fills it."""
        return self.owner_about(self.volume_id, key)

    def key_of(self, result: Prediction, name: str) -> str | None:
        """The key of a map that a result on screen gave; None when it has none of that name."""
        for key, known in self._known(self.volume_id).items():
            if known.owner is result and base_name(key) == name:
                return key
        return None

    def owner_about(self, about: VolumeId | None, key: str) -> Prediction | None:
        """The same of a map over the volume that another pane shows."""
        known = self._known(about).get(key)
        return known.owner if known is not None else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of one result on screen, in their order."""
        return self.finder.findings if self.finder is not None else ()

    def map(self, key: str) -> ScalarMap | None:
        """The map of that key on the volume on screen."""
        known = self._known(self.volume_id).get(key)
        return known.map if known is not None else None

    def style(self, key: str) -> LayerStyle:
        """How a map is drawn: as the reader has set it, else as follows from what it is."""
        if key in self.styles:
            return self.styles[key]
        known = self._known(self.volume_id).get(key)
        return LayerStyle() if known is None else first_style(known.map, known.settings)

    def _known(self, about: VolumeId | None) -> dict[str, Known]:
        """Maps with what they were made with; a running model's go before older ones.

        Those of other programs come last.
        """
        begun = self.unfinished
        maps: tuple[tuple[ScalarMap, ...], Mapping[str, object]] = ((), {})
        if begun is not None and begun.about == about and not self._waits(about):
            maps = (begun.maps, begun.parameters)
        own = known_maps(self.results_about(about), maps, self._renamed)
        # The first reader sees nothing of what others have marked, either.
        others = () if about is None or self._waits(about) else self.laid.get(about, ())
        return own | {each.name: Known(each, {}, None) for each in others}

    def __post_init__(self) -> None:
        """Names that maps of several results are given are no state that is told of."""
        self._renamed = Renamed(self.named)
        self.events.predictions.connect(
            lambda every: self._renamed.keep(each for some in every.values() for each in some)
        )
