"""How panes lie beside each other, what may be cut across, and which series share their space."""

from __future__ import annotations

from dataclasses import dataclass

from medview.domain.study import Patient, Study
from medview.domain.volume import Volume
from medview.services.session import Session
from medview.services.session_values import Shown

#: Panes by name: the first three are the planes of one series, a grid uses as many as it has.
PANES = ("main", "upper", "lower", "pane4", "pane5", "pane6", "pane7", "pane8", "pane9")
MAIN_PANE = PANES[0]
PLANE_PANES = PANES[:3]
MPR = "mpr"
# Fewer slices than this are steps, not an image, when they are cut across.
_FEWEST_SLICES = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows and columns of panes; `is_mpr`: three planes of one series, the first one large."""

    key: str
    rows: int
    columns: int
    is_mpr: bool = False

    @property
    def panes(self) -> tuple[str, ...]:
        """Names of its panes, row by row."""
        return PANES[: self.rows * self.columns]


LAYOUTS: dict[str, Layout] = {
    layout.key: layout
    for layout in (
        Layout(MPR, 1, len(PLANE_PANES), is_mpr=True),
        *(Layout(f"{r}x{c}", r, c) for r in (1, 2, 3) for c in (1, 2, 3)),
    )
}


def layout_of(session: Session) -> Layout:
    """The layout in force."""
    return LAYOUTS.get(session.layout, LAYOUTS[MPR])


def mpr_refusal(volume: Volume) -> str:
    """Why a volume cannot be cut across, as a sentence; empty when it can."""
    slices = volume.geometry.shape[0]
    if volume.is_film:
        return "A single image cannot be cut across."
    if slices < _FEWEST_SLICES:
        return f"{slices} slices are too few to be cut across: {_FEWEST_SLICES} are needed."
    return ""


def share_space(one: Shown, other: Shown) -> bool:
    """Whether millimetres mean the same place in both (R23): one series, or one reference."""
    if one.series.key == other.series.key:
        return True
    frames = one.volume.geometry.frame_of_reference, other.volume.geometry.frame_of_reference
    return bool(frames[0]) and frames[0] == frames[1]


def owner_of(session: Session, shown: Shown) -> tuple[Patient, Study] | None:
    """The patient and study of what a pane holds."""
    return session.catalogue.owner(shown.series)


def is_prior(session: Session, shown: Shown) -> bool:
    """Whether a pane shows a study older than the newest one that any pane shows."""
    dates = []
    for pane in session.views:
        held = session.content(pane)
        found = owner_of(session, held) if held is not None else None
        dates.append(found[1].date if found is not None else "")
    own = owner_of(session, shown)
    return own is not None and bool(own[1].date) and own[1].date < max(dates, default="")
