"""The crop box: around any grid, its faces, and how far they go."""

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.crop import EDGES, FACES, CropBox

WHOLE = CropBox((-50.0, -40.0, -30.0), (50.0, 40.0, 30.0))


@pytest.mark.parametrize("code", ["LPS", "RAI", "SLP", "PIR"])
def test_it_holds_all_voxels_to_their_edges_however_they_are_stored(code):
    grid = geometry_of(code, (10, 12, 14), (3.0, 2.0, 1.0))
    box = CropBox.around(grid)
    sizes = np.subtract(box.high, box.low)
    assert sorted(sizes) == pytest.approx(sorted([30.0, 24.0, 14.0]))
    assert (np.add(box.low, box.high) / 2) == pytest.approx(grid.centre_mm)


@pytest.mark.parametrize("face", range(6))
def test_a_face_moves_along_its_own_axis_and_no_other_face_does(face):
    axis, is_far = FACES[face]
    moved = WHOLE.moved(face, -7.0 if is_far else 7.0, WHOLE)
    for other in range(6):
        away = moved.centre(other)[FACES[other][0]] - WHOLE.centre(other)[FACES[other][0]]
        assert away == pytest.approx((-7.0 if is_far else 7.0) if other == face else 0.0)
    assert moved.centre(face)[axis] != WHOLE.centre(face)[axis]


@pytest.mark.parametrize("face", range(6))
def test_a_face_stays_in_the_volume_and_before_the_face_across(face):
    axis, is_far = FACES[face]
    out = 500.0 if is_far else -500.0
    assert WHOLE.moved(face, out, WHOLE) == WHOLE
    thin = WHOLE.moved(face, -out, WHOLE)
    assert thin.high[axis] - thin.low[axis] == pytest.approx(2.0)


def test_its_edges_join_corners_that_differ_in_one_axis():
    assert len(EDGES) == 12
    for one, other in EDGES:
        away = np.subtract(WHOLE.corners[one], WHOLE.corners[other])
        assert np.count_nonzero(away) == 1
