import numpy as np
import pytest

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.imaging.marks import drawn, zone_marks

GRID = Geometry.from_ijk_affine((1, 20, 30), np.diag([2.0, 3.0, 1.0, 1.0]).tolist())


def lungs(**zones):
    array = np.zeros(GRID.shape, np.float32)
    for number, box in zones.items():
        rows, columns = box
        array[0, rows[0] : rows[1], columns[0] : columns[1]] = "ABCDEF".index(number) + 1
    return ScalarMap("lungs", array, GRID, "labels")


def test_a_box_lies_round_its_zone_in_millimetres():
    (first, second) = zone_marks(lungs(A=((2, 5), (4, 9)), E=((10, 12), (20, 21))), {"A": "2"})
    assert (first.text, second.text) == ("A 2", "E")
    xs, ys, _ = zip(*first.corners_lps, strict=True)
    assert (min(xs), max(xs)) == pytest.approx((3.5 * 2, 8.5 * 2))
    assert (min(ys), max(ys)) == pytest.approx((1.5 * 3, 4.5 * 3))


def test_a_moved_zone_moves_its_box():
    places = [zone_marks(lungs(B=((r, r + 3), (4, 9))), {})[0].corners_lps[0][1] for r in (2, 7)]
    assert places[1] - places[0] == pytest.approx(15.0)


def test_a_mask_without_zones_has_no_boxes():
    assert zone_marks(lungs(A=((2, 5), (4, 9))), {}) == ()


def test_corners_fall_on_the_pixels_that_are_drawn():
    marks = zone_marks(lungs(A=((2, 5), (4, 9)), B=((6, 8), (4, 9))), {})
    flipped = np.diag([-2.0, 3.0, 1.0, 1.0])
    flipped[0, 3] = 58.0
    (mark, _) = drawn(marks, flipped)
    assert mark.place == pytest.approx((29 - 8.5, 1.5, 29 - 3.5, 4.5))
