"""What the reader has chosen once: a frozen record, kept as JSON between starts."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from psygnal import Signal

from medview.domain.errors import MedviewError
from medview.domain.report import Paper
from medview.io.atomic import own_file
from medview.io.installation import home
from medview.services.writing import AtOnce, Writer

SCHEMA = "medview.settings/1"
MOST_RECENT = 10

Theme = Literal["dark", "light"]
LeftDrag = Literal["window", "pan", "zoom", "scroll", "crosshair"]
Drag = Literal["", "window", "pan", "zoom", "scroll", "crosshair"]
ProfileKey = Literal["medview", "weasis", "ohif"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting once, with its default. They are kept as settings.json.

    What nothing in the window changes, such as `link_windows`, is changed there by hand.
    """

    theme: Theme = "dark"
    left_drag: LeftDrag = "window"
    right_drag: Drag = ""  # empty: as in the profile
    middle_drag: Drag = ""  # the same
    reverse_level: bool = False  # dragging up raises the level
    link_windows: bool = True  # one window for all planes of a series
    hang: bool = True  # hang studies by rules when they are opened
    show_overlay: bool = True  # show the overlay while a model runs
    private: bool = False  # hide names, ids and birth dates; remember no folders
    device: str = "auto"  # where models run: auto, cpu, cuda
    threads: int = 0  # for models; 0: as many as there are cores
    first_reader: bool = False  # hide what models say until the reader's own reading is done
    reader: str = ""  # the reader's name, kept with answers to models
    cine_rate: float = 10.0  # images a second when they are played
    cine_loops: bool = True  # begin again when the last image was played
    paper: Paper = "a4"  # of reports
    profile: ProfileKey = "medview"  # the program whose keys and mouse are taken
    shortcuts: tuple[str, ...] = ()  # keys that the reader has changed, each command=keys
    used: tuple[str, ...] = ()  # commands found by typing, the last one first
    recent: tuple[str, ...] = ()  # folders and files opened last

    def with_recent(self, path: Path) -> Settings:
        """Put a path first in the list of recent ones; nothing is kept in private mode."""
        if self.private:
            return self
        entry = str(path.absolute())
        others = tuple(known for known in self.recent if known != entry)
        return replace(self, recent=(entry, *others)[:MOST_RECENT])


def read_settings(path: Path) -> Settings:
    """Read settings. A file that is missing or damaged, or a value that makes no sense, is
    taken as not chosen.
    """
    try:
        body = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return Settings()
    return _settings_of(body) if isinstance(body, dict) else Settings()


def write_settings(settings: Settings, path: Path) -> None:
    """Write settings, for the owner's eyes only, whole or not at all.

    Raises
    ------
    WriteError
        If the file cannot be written; what stood there is untouched.
    """
    with own_file(path) as draft:
        draft.write_text(
            json.dumps({"schema": SCHEMA} | asdict(settings), indent=1) + "\n", "utf-8"
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of this start of the program; it is never kept.

    `device` and `threads` stand in the place of the settings of that name, None leaves these;
    `seed` begins the random draws of runs and trainings.
    """

    device: str | None = None
    threads: int | None = None
    seed: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """What stands in the place of settings, by their names."""
        told = {"device": self.device, "threads": self.threads}
        return {name: value for name, value in told.items() if value is not None}


class Preferences:
    """The settings in force. ``changed`` tells of new ones, ``unsaved`` that a disk refused.

    What was `asked` of this start is in force and not kept, until the reader chooses another
    value; ``seed`` is that of this start.

    A window gives a `writer` that does not keep it waiting, and waits `patience_s` for what is
    kept. Until that is read the defaults are in force and ``is_late``; then ``arrived`` is told,
    and what was changed meanwhile stays as it was changed.
    """

    changed = Signal(Settings)
    unsaved = Signal(MedviewError)
    arrived = Signal()

    def __init__(
        self,
        path: Path | None = None,
        writer: Writer | None = None,
        patience_s: float = 0.0,
        asked: Asked | None = None,
    ) -> None:
        asked = asked or Asked()
        self.seed = asked.seed
        self._asked = asked.settings
        self._path = path or home() / "settings.json"
        self.folder = self._path.parent
        self.writer: Writer = writer or AtOnce()
        self._kept = Settings()
        self.settings = self._in_force()
        self.is_late = False
        # Filled beside the window; what is written while it comes goes on top of it.
        self._stored: list[Settings] = []
        self._meanwhile: dict[str, Any] = {}
        is_read = threading.Event()

        def read() -> None:
            self._stored.append(read_settings(self._path))
            is_read.set()

        self.writer.fetch(read, lambda _: self._found())
        if is_read.wait(patience_s):
            self._kept = self._stored[0]
            self.settings = self._in_force()
        else:
            self.is_late = True

    def _in_force(self) -> Settings:
        return replace(self._kept, **self._asked)

    def _found(self) -> None:
        """What is kept was read, late or in time."""
        if not self.is_late:
            return
        self.is_late = False
        self._kept = _on_top(self._stored[0], self._meanwhile)
        self.settings = self._in_force()
        self.changed.emit(self.settings)
        self.arrived.emit()

    def change(self, **new: object) -> None:
        """Change settings by name; they are in force at once and kept for the next start."""
        self._take(replace(self.settings, **new))  # type: ignore[arg-type]  # checked by replace

    def remember(self, path: Path) -> None:
        """Note a path as opened last."""
        self._take(self.settings.with_recent(path))

    def relocate(self, gone: Path, now: Path | None) -> None:
        """Put another path in the place of one that was opened last; None takes it away."""
        left = tuple(path for path in self.settings.recent if path != str(gone.absolute()))
        self._take(replace(self.settings, recent=left))
        if now is not None:
            self.remember(now)

    def _take(self, settings: Settings) -> None:
        if settings == self.settings:
            return
        if self.is_late:
            self._meanwhile |= {
                name: value
                for name, value in asdict(settings).items()
                if value != getattr(self.settings, name)
            }
        self.settings = settings
        new = asdict(settings)
        self._asked = {name: value for name, value in self._asked.items() if new[name] == value}
        kept = replace(settings, **{name: getattr(self._kept, name) for name in self._asked})
        self._kept = kept
        self.changed.emit(settings)
        is_late, meanwhile = self.is_late, dict(self._meanwhile)

        def work() -> None:
            whole = _on_top(self._stored[0], meanwhile) if is_late else kept
            write_settings(whole, self._path)

        self.writer.put(work, key="settings", failed=self.unsaved.emit)


def _on_top(stored: Settings, new: Mapping[str, Any]) -> Settings:
    """What is kept with newer settings in its place, and newer folders before the others."""
    made = replace(stored, **{name: value for name, value in new.items() if name != "recent"})
    for path in reversed(new.get("recent", ())):
        made = made.with_recent(Path(path))
    return made


def _settings_of(body: Mapping[str, object]) -> Settings:
    known: dict[str, Any] = {}
    for name, kind in get_type_hints(Settings).items():
        value = body.get(name)
        value = tuple(value) if isinstance(value, list) else value
        if _fits(value, kind):
            known[name] = value
    return Settings(**known)


def _fits(value: object, kind: Any) -> bool:
    """Whether a value from JSON is of the type of a setting."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is kind
