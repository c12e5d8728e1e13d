"""A finding's region is found again in its map: in any orientation, as large as it was told."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import ORIENTATIONS, geometry_of, positions

from medview.domain.overlay import ScalarMap
from medview.io.finding_region import region_of
from medview.learning.findings import regions

GRID = geometry_of("LPS", (24, 32, 28), (4.0, 3.0, 3.0))
AT = ((20.0, -12.0, 10.0), (-18.0, 15.0, -14.0))


def score_map(grid=GRID):
    """Two smooth peaks, 12 and 9 high."""
    place = positions(grid)
    away = [np.linalg.norm(place - at, axis=-1) for at in AT]
    values = 12 * np.exp(-((away[0] / 14) ** 2)) + 9 * np.exp(-((away[1] / 10) ** 2))
    return ScalarMap("score", values.astype(np.float32), grid, "anomaly", "1", (0.0, 18.0), "")


def findings(shown=None, level=4.0):
    shown = shown or score_map()
    found = regions(shown, shown.array > level)
    assert len(found) == 2
    return [replace(one, id=n) for n, one in enumerate(found, 1)]


@pytest.mark.parametrize("code", ORIENTATIONS[::7])
def test_the_region_of_a_finding_is_found_again_from_its_peak_and_volume(code):
    shown = score_map(geometry_of(code, (24, 32, 28), (4.0, 3.0, 3.0)))
    over = shown.array > 4.0
    for one in findings(shown):
        inside = region_of(one, shown)
        place = positions(shown.geometry)[inside].mean(axis=0)
        assert place == pytest.approx(one.centroid_lps, abs=1.0)
        assert (inside & over).sum() > 0.97 * inside.sum()
        assert inside.sum() * shown.geometry.voxel_ml == pytest.approx(one.volume_ml, rel=0.02)
    both = np.logical_or.reduce([region_of(one, shown) for one in findings(shown)])
    assert (both & over).sum() / (both | over).sum() > 0.97


def test_a_finding_whose_map_has_changed_is_still_about_its_place():
    one = findings()[0]
    inside = region_of(replace(one, peak=99.0), score_map())
    assert positions(GRID)[inside].mean(axis=0) == pytest.approx(one.centroid_lps, abs=4)


@pytest.mark.parametrize(("slice_", "volume_ml"), [(-3, 1.0), (999, 1.0), (None, 1e6), (None, 0)])
def test_a_finding_that_is_told_wrongly_is_about_something_and_raises_nothing(slice_, volume_ml):
    one = replace(findings()[0], volume_ml=volume_ml)
    one = one if slice_ is None else replace(one, slice=slice_)
    inside = region_of(one, score_map())
    assert inside.shape == GRID.shape
    assert inside.any()
    if volume_ml == 0:
        assert inside.sum() <= 2  # the peak, and what is as high beside it


@pytest.mark.parametrize("wanted", [(5, 6), (20, 21)])
def test_of_two_peaks_of_one_height_on_a_slice_the_nearer_is_the_finding(wanted):
    values = np.zeros(GRID.shape, np.float32)
    for row, column in ((5, 6), (20, 21)):
        values[10, row - 1 : row + 2, column - 1 : column + 2] = 5.0
        values[10, row, column] = 9.0
    shown = replace(score_map(), array=values)
    told = findings()[0]
    centre = tuple(float(n) for n in GRID.to_mm((10, *wanted)))
    one = replace(told, slice=10, peak=9.0, centroid_lps=centre, volume_ml=9 * GRID.voxel_ml)
    assert positions(GRID)[region_of(one, shown)].mean(axis=0) == pytest.approx(centre, abs=1e-6)
