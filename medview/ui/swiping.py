"""Old and new version in a pane: when they are shown, how they are drawn, what they are called."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.overlay import LayerStyle
from medview.domain.swipe import Side, Swipe
from medview.domain.volume import Volume
from medview.imaging.frame import compose_frame
from medview.imaging.reslice import cut_of
from medview.imaging.swipe import divided
from medview.imaging.view import Frame, Layer, View
from medview.services.layering import first_style
from medview.services.session import Session
from medview.ui.dress import Dress
from medview.ui.words import alike, tr


def swipe_on(session: Session, volume: Volume, view: View) -> Swipe | None:
    """The two versions, where a pane shows the very slice that both were tried on."""
    swipe = session.swiped
    if swipe is None or not swipe.names or view.slab_mm > 0 or volume is not session.volume:
        return None
    cut = cut_of(volume.geometry, view)
    is_here = (cut.layout.cut, cut.index) == (swipe.axis, swipe.slice)
    return swipe if is_here and cut.grid is volume.geometry else None


def swiped_frame(session: Session, volume: Volume, view: View, swipe: Swipe) -> Frame:
    """Both versions drawn in the same way, joined under the divider."""
    name = session.map_name if session.map_name in swipe.names else swipe.names[0]
    first = swipe.old.map(name)
    style = session.styles.get(name, LayerStyle())
    if first is not None and name not in session.styles:
        style = first_style(first, swipe.old.parameters)
    style = replace(style, visible=True)

    def composed(side: Side) -> Frame:
        found = side.map(name)
        layers = (Layer(found, style),) if found is not None else ()
        return compose_frame(volume, layers, view)

    return divided(composed(swipe.old), composed(swipe.new), swipe.share, swipe.shown)


def swiped_dress(dress: Dress, swipe: Swipe | None) -> Dress:
    """The same with the divider and what stands beside it; of one alone its own words only."""
    if swipe is None:
        return dress
    before, after = alike(swipe.old.figure, swipe.new.figure)
    old = f"{tr('before')} · {_words(swipe.old, before)}"
    new = _words(swipe.new, after)
    if swipe.shown == "both":
        return replace(dress, divider=swipe.share, sides=(old, new))
    return replace(dress, sides=(old if swipe.shown == "old" else new, ""))


def _words(side: Side, figure: str) -> str:
    figure = "" if side.figure is None else figure
    return " · ".join(filter(None, (tr(side.name), side.sha256[:8], figure)))
