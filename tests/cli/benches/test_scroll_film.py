"""A film with more pixels than its pane: what is turned and zoomed, and beside what."""

from dataclasses import replace

import pytest

from medview.cli.benches import scroll_film
from medview.domain.geometry import Plane
from medview.domain.volume import Window
from medview.imaging.view import View
from medview.ui.slice_pane import SlicePane


def test_both_ways_are_measured_and_the_window_has_an_aim(qapp, monkeypatch):
    monkeypatch.setattr(scroll_film, "SIZE", 1100)
    monkeypatch.setattr(scroll_film, "PANE", 120)
    rows = scroll_film.film_rows(3, 1)
    assert [row.what.rsplit("pixels, ")[1] for row in rows] == [
        "window turned: a step, median",
        "window turned: a step, 95 %",
        "zoomed: a step, median",
        "zoomed: a step, 95 %",
    ]
    assert [row.aim for row in rows] == [1.0, 16.0, 1.0, None]
    assert all(row.value > 0 for row in rows)
    assert all(row.peer_value > 0 for row in rows[::2])


@pytest.mark.parametrize(("in_part", "pixels"), [(True, 120**2), (False, 1100**2)])
def test_the_film_is_drawn_in_the_pixels_of_the_pane_or_in_its_own(qapp, in_part, pixels):
    film, pane = scroll_film.noise_film(1100, 1100), SlicePane("bench", "bench")
    pane.resize(120, 120)
    pane.show()

    def look(n):
        return replace(View(Plane.ACQUIRED), window=Window(100.0 + n, 2000.0))

    step = scroll_film._painter(pane, film, look, in_part=in_part)
    step(1)
    assert pane.frame_shown.image.size == pixels
    assert pane.frame_shown.window.width == 101
    step(2)
    assert pane.frame_shown.window.width == 102
    pane.hide()
