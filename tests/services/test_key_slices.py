from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import HIDDEN_LPS, LESION_LPS, SECOND_LPS, head, prediction_on

from medview.domain.geometry import Geometry, Plane
from medview.domain.volume import Volume
from medview.services.key_slices import best_plane, cut_axis, key_slices, peak_of
from medview.services.result_maps import main_map


@pytest.fixture(scope="module")
def volume() -> Volume:
    return head()


@pytest.fixture(scope="module")
def prediction(volume):
    return prediction_on(volume)


@pytest.mark.parametrize(
    ("code", "spacing_mm", "plane"),
    [
        ("LPS", (1, 1, 1), Plane.AXIAL),
        ("PIR", (1, 1, 1), Plane.AXIAL),  # sagittal slices of fine voxels
        ("LPS", (6, 1, 1), Plane.AXIAL),
        ("LIP", (6, 1, 1), Plane.CORONAL),
        ("PIR", (6, 1, 1), Plane.SAGITTAL),
    ],
)
def test_the_plane_is_axial_unless_only_the_acquired_one_is_sharp(code, spacing_mm, plane):
    geometry = geometry_of(code, (16, 20, 24), spacing_mm)
    assert best_plane(geometry) is plane


def test_films_and_unknown_orientations_are_shown_as_acquired():
    assert best_plane(geometry_of(shape=(1, 20, 24))) is Plane.ACQUIRED
    known = geometry_of()
    unknown = Geometry(known.shape, known.affine, orientation_known=False)
    assert best_plane(unknown) is Plane.ACQUIRED
    assert cut_axis(unknown, Plane.ACQUIRED) == 0


def test_the_peaks_of_findings_come_first_and_hidden_ones_last(volume, prediction):
    keys = key_slices(prediction, volume.geometry)
    assert [key.finding.id for key in keys] == [1, 2, 3]
    for key, place in zip(keys, (LESION_LPS, SECOND_LPS, HIDDEN_LPS), strict=True):
        assert np.linalg.norm(np.subtract(key.point_lps, place)) < 12


@pytest.mark.parametrize("code", ["LPS", "RAI", "PIR", "SLA"])
def test_the_same_places_are_found_in_any_orientation(code):
    shape = {"LPS": (36, 48, 40), "RAI": (36, 48, 40), "PIR": (40, 36, 48), "SLA": (48, 40, 36)}
    volume = head(geometry_of(code, shape[code], (4.0, 4.0, 4.0)))
    score = main_map(prediction_on(volume))
    bare = replace(prediction_on(volume), findings=())
    keys = key_slices(bare, volume.geometry, count=1)
    assert score is not None
    assert np.linalg.norm(np.subtract(keys[0].point_lps, LESION_LPS)) < 8


def test_slices_lie_apart_from_each_other(volume, prediction):
    keys = key_slices(replace(prediction, findings=()), volume.geometry)
    heights = sorted(key.point_lps[2] for key in keys)
    assert len(keys) == 3
    assert np.diff(heights).min() >= 8


def scored(prediction, array):
    """The same result with another score and no finding."""
    maps = tuple(replace(m, array=array) if m.name == "score" else m for m in prediction.maps)
    return replace(prediction, findings=(), maps=maps)


def patch(prediction, *places, size=2, value=9.0):
    """A score that is high in a box of `size` voxels in these slices (4 mm voxels)."""
    array = np.full_like(prediction.map("score").array, 0.5, dtype=np.float32)
    for k in places:
        array[k, 20 : 20 + size, 20 : 20 + size] = value
    return scored(prediction, array)


@pytest.mark.parametrize(
    ("places", "size", "shown"),
    [((10, 20), 2, [10, 20]), ((10, 11, 20, 30), 2, [10, 20, 30]), ((10,), 2, [10])],
)
def test_slices_in_which_nothing_reaches_the_threshold_are_left_out(
    volume, prediction, places, size, shown
):
    keys = key_slices(patch(prediction, *places, size=size), volume.geometry)
    assert sorted(key.index for key in keys) == shown
    assert all(key.coloured for key in keys)


@pytest.mark.parametrize(("size", "value"), [(1, 9.0), (2, 5.0)])
def test_if_hardly_anything_reaches_it_the_highest_is_shown_alone(volume, prediction, size, value):
    (key,) = key_slices(patch(prediction, 12, size=size, value=value), volume.geometry)
    assert (key.index, key.coloured) == (12, False)


def test_where_one_thing_is_to_be_seen_other_levels_of_it_are_shown(volume, prediction):
    one = prediction.findings[0]
    k = one.slice
    array = np.zeros((36, 48, 40), np.float32)
    j, i = np.rint(volume.geometry.to_index(one.centroid_lps)).astype(int)[1:]
    array[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2] = 9.0
    array[k, j, i] = one.peak
    made = replace(scored(prediction, array), findings=(one,))
    keys = key_slices(made, volume.geometry)
    assert sorted(key.index for key in keys) == [k - 1, k, k + 1]
    assert keys[0].finding == one
    assert [key.through for key in keys[1:]] == [one, one]


def test_an_empty_score_shows_slices_through_the_brain(volume, prediction):
    keys = key_slices(scored(prediction, np.zeros((36, 48, 40), np.float32)), volume.geometry)
    spread = key_slices(
        replace(prediction, findings=(), maps=prediction.maps[-1:]), volume.geometry
    )
    assert len(keys) == 3
    assert not any(key.coloured for key in keys)
    assert all(5 < key.index < 31 for key in keys)
    assert all(key.coloured for key in spread)


def test_without_a_result_slices_are_spread_evenly(volume):
    keys = key_slices(None, volume.geometry)
    assert [key.index for key in keys] == [9, 18, 27]


def test_a_single_slice_is_shown_once():
    film = Volume(np.ones((1, 20, 24), np.int16), geometry_of(shape=(1, 20, 24)))
    assert [key.index for key in key_slices(None, film.geometry)] == [0]


def test_the_peak_of_a_finding_is_the_voxel_that_has_it(volume, prediction):
    finding, score = prediction.findings[0], prediction.map("score")
    k, j, i = (int(n) for n in np.rint(volume.geometry.to_index(peak_of(finding, score))))
    assert k == finding.slice
    assert score.array[k, j, i] == pytest.approx(finding.peak)
    assert peak_of(finding, None) == finding.centroid_lps
    assert peak_of(replace(finding, peak=1e9), score) == finding.centroid_lps
