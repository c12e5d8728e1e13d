"""Frozen values of the session: what is shown, what goes on, and what is said to the reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from medview.domain.errors import MedviewError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import InputRef
from medview.domain.record import Record
from medview.domain.study import Series
from medview.domain.volume import Volume


@dataclass(frozen=True, slots=True)
class VolumeId:
    """Which pixels something is about: the key of a series and the hash over its volume."""

    series: str
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What one pane holds; `id` is None while the hash over the pixels is being counted."""

    series: Series
    volume: Volume
    time: int = 0
    id: VolumeId | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TableFile:
    """A table that was opened beside the images: its role, where it lies, and which bytes it has.

    `record` is what a time series holds, None for features.
    """

    role: str
    path: Path
    given: InputRef
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A running or waiting job as the status bar shows it. `total` 0: nothing known yet.

    `about` names what it works on; `pixels` are those, where it is about an image of its own.
    `is_silent`: it has said nothing for so long that the reader may want to stop it;
    `is_cancelled`: the reader has.
    """

    number: int
    title: str
    cancel: Callable[[], None]
    done: int = 0
    total: int = 0
    text: str = ""
    seconds_left: float | None = None
    is_silent: bool = False
    is_cancelled: bool = False
    job: int | None = None
    about: str = ""
    pixels: VolumeId | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way on that a message offers: the word on its button and what it does."""

    text: str
    take: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for the reader; `error` has the fields where it is about one."""

    text: str
    kind: Literal["info", "warning", "error"] = "info"
    error: MedviewError | None = None
    ways: tuple[Way, ...] = ()

    @classmethod
    def of(cls, error: MedviewError, ways: tuple[Way, ...] = ()) -> Message:
        """The sentence of an error."""
        return cls(str(error), "error", error, ways)


@dataclass(frozen=True, slots=True, eq=False)
class Unfinished:
    """Maps that a running model is filling, of which pixels, and the settings of its card."""

    about: VolumeId
    model: str
    maps: tuple[ScalarMap, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
