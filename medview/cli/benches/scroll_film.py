"""The rows of ``medview bench scroll`` about a film that has more pixels than its pane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from medview.cli.benches.rows import Row
from medview.cli.benches.turns import in_turns, ms
from medview.domain.geometry import Geometry, Plane
from medview.domain.volume import Volume, Window
from medview.imaging.frame import compose_frame
from medview.imaging.part import grown, needed
from medview.imaging.reslice import cut_of
from medview.imaging.view import View
from medview.ui.dress import Dress, Placing
from medview.ui.slice_pane import SlicePane

SIZE, PANE = 4000, 900
_MOST_MS = 16.0
_AROUND = 24
_PEER = "all of its pixels"


def film_rows(steps: int, smaller: int) -> list[Row]:
    """Turn the window of a film and zoom into it, beside the same with all of its pixels.

    `smaller` divides every side of film and pane.
    """
    film = noise_film(SIZE // smaller, SIZE // smaller)
    pane = SlicePane("bench", "bench")
    pane.resize(PANE // smaller, PANE // smaller)
    pane.show()
    start = View(Plane.ACQUIRED)

    def turn(n: int) -> View:
        return replace(start, window=Window(2000.0 + 50 * n, 2000.0))

    def zoom(n: int) -> View:
        return replace(start, zoom=1.0 + 0.05 * n)

    rows: list[Row] = []
    for words, look in (("window turned", turn), ("zoomed", zoom)):
        ours, all_of_it = (_painter(pane, film, look, in_part=each) for each in (True, False))
        mine, whole = in_turns(ours, all_of_it, steps, _AROUND)
        what = f"film of {SIZE} x {SIZE} in {PANE} x {PANE} pixels, {words}: a step"
        aim = _MOST_MS if words == "window turned" else None
        rows += [
            Row(f"{what}, median", *ms(mine, 50), _PEER, ms(whole, 50)[0], aim=1.0),
            Row(f"{what}, 95 %", *ms(mine, 95), aim=aim),
        ]
    pane.hide()
    return rows


def _painter(
    pane: SlicePane, film: Volume, look: Callable[[int], View], *, in_part: bool
) -> Callable[[int], object]:
    """Compose and paint a view by its number, with the pixels of the pane or of the film."""

    def step(n: int) -> None:
        view = look(n)
        part = needed(film, view, pane.room) if in_part else None
        last = pane.frame_shown.part if pane.frame_shown is not None else None
        # As the window does: more than is seen is taken where the zoom stays.
        if part is not None and last is not None and last.step == part.step:
            part = grown(part, cut_of(film.geometry, view))
        frame = compose_frame(film, (), view, part=part)
        pane.draw(frame, Placing(view.zoom, view.pan_mm), Dress())
        pane.viewport().repaint()

    return step


def noise_film(rows: int, columns: int) -> Volume:
    """A film of noise, 12 bits deep."""
    dice = np.random.default_rng(0)
    geometry = Geometry((1, rows, columns), np.diag([0.1, 0.1, 1.0, 1.0])[:, [2, 1, 0, 3]])
    values = dice.integers(0, 4096, geometry.shape, dtype=np.uint16)
    window = Window(3000.0, 2000.0)
    return Volume(values, geometry, quantity="a.u.", modality="DX", windows=(window,))
