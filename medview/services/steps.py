"""The one stack of what a reader can take back: drawings, key images, styles, the crop box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from medview.domain.crop import CropBox
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.domain.overlay import LayerStyle

_MOST = 200


class Edited(NamedTuple):
    """All that an edit of drawings may change, as it was before or after it."""

    drawings: dict[str, tuple[Measurement, ...]]
    key_images: dict[str, tuple[KeyImage, ...]]


@dataclass(frozen=True, slots=True)
class Restyled:
    """A map's style before and after a change; changes of one `gesture` (a drag) are one step."""

    map: str
    before: LayerStyle
    after: LayerStyle
    gesture: object = None

    def undone(self, style: LayerStyle) -> LayerStyle:
        """A style with what the change was about as before; what came later otherwise stays."""
        names = (each.name for each in fields(LayerStyle))
        old = {each: getattr(self.before, each) for each in names if self._differs(each)}
        return replace(style, **old)

    def turned(self) -> Restyled:
        """The step the other way round."""
        return Restyled(self.map, self.after, self.before)

    def _differs(self, field: str) -> bool:
        return bool(getattr(self.before, field) != getattr(self.after, field))


@dataclass(frozen=True, slots=True)
class Recropped:
    """The crop box of a series before and after a change; None is all of the volume."""

    series: str
    before: CropBox | None
    after: CropBox | None
    gesture: object = None

    def redone(self, crops: dict[str, CropBox]) -> dict[str, CropBox]:
        """The boxes of all series with the change."""
        others = {key: box for key, box in crops.items() if key != self.series}
        return others if self.after is None else {**others, self.series: self.after}

    def turned(self) -> Recropped:
        """The step the other way round."""
        return Recropped(self.series, self.after, self.before)


Step = Edited | Restyled | Recropped


class Steps:
    """Steps back and forth; a new one takes the place of those that were taken back."""

    def __init__(self) -> None:
        self._past: list[Step] = []
        self._future: list[Step] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is one to make again."""
        return bool(self._future)

    def remember(self, step: Step) -> None:
        """Keep a step; one more change of a gesture belongs to the step that there is."""
        last = self._past[-1] if self._past else None
        self._future.clear()
        more = None if last is None else _joined(last, step)
        if more is not None:
            self._past[-1] = more
            return
        self._past = [*self._past, step][-_MOST:]

    def undo(self, swap: Callable[[Step], Step]) -> None:
        """Take the last step back by `swap`, which gives the step that makes it again."""
        if self._past:
            self._future.append(swap(self._past.pop()))

    def redo(self, swap: Callable[[Step], Step]) -> None:
        """Make it again, in the same way."""
        if self._future:
            self._past.append(swap(self._future.pop()))

    def amend(self, change: Callable[[Edited], Edited]) -> None:
        """Change what is kept of drawings, on both ways."""
        for steps in (self._past, self._future):
            steps[:] = [change(each) if isinstance(each, Edited) else each for each in steps]


def _joined(last: Step, step: Step) -> Step | None:
    """Both as one step, where they are of one gesture about the same; else None."""
    if isinstance(last, Edited) or isinstance(step, Edited):
        return None
    if step.gesture is None or step.gesture is not last.gesture:
        return None
    if isinstance(last, Restyled) and isinstance(step, Restyled) and step.map == last.map:
        return replace(last, after=step.after)
    if isinstance(last, Recropped) and isinstance(step, Recropped) and step.series == last.series:
        return replace(last, after=step.after)
    return None
