from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import HIDDEN_LPS, LESION_LPS, SECOND_LPS, head, prediction_on

from medview.domain.geometry import Geometry, Plane
from medview.domain.overlay import ScalarMap
from medview.domain.volume import Volume
from medview.imaging.frame import Layer
from medview.services.key_slices import (
    FILM_SIZE,
    PICTURE_SIZE,
    best_plane,
    box_of,
    cut_axis,
    key_slices,
    layer_style,
    main_map,
    peak_of,
    picture,
    uncertainty_map,
)


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


def test_score_and_total_uncertainty_are_what_is_shown(prediction):
    assert main_map(prediction).name == "score"
    assert uncertainty_map(prediction).name == "total"
    bare = replace(prediction, maps=())
    assert main_map(bare) is None
    assert uncertainty_map(bare) is None


def test_the_score_is_drawn_from_the_threshold_of_the_run_on(prediction):
    style = layer_style(prediction, prediction.map("score"))
    assert (style.colour_map, style.threshold, style.range) == ("inferno", 6.0, (0.0, 18.0))
    style = layer_style(prediction, prediction.map("total"))
    assert (style.colour_map, style.threshold, style.range) == ("viridis", 0.004, (0.0, 0.008))


def test_a_picture_is_the_brain_with_its_letters_and_a_true_scale(volume, prediction):
    (key, *_) = key_slices(prediction, volume.geometry)
    made, bar = picture(volume, None, key, box_of(prediction, volume))
    assert made.rgb.shape == (PICTURE_SIZE[1], PICTURE_SIZE[0], 3)
    assert made.letters[:2] == ("R", "L")
    assert made.corners[1] == "Im 21 / 36"
    assert bar is None
    # The head is 160 mm from front to back; what is drawn of it must be as long as the scale says.
    rows = np.flatnonzero(made.rgb[:, PICTURE_SIZE[0] // 2, 0] > 60)
    mm, part = made.scale
    pixels_per_mm = part * PICTURE_SIZE[0] / mm
    drawn = (rows[-1] - rows[0] + 1) / pixels_per_mm
    assert drawn == pytest.approx(160, abs=9)  # voxels of 4 mm
    assert rows[0] > 0
    assert rows[-1] < PICTURE_SIZE[1] - 1


def test_the_map_is_drawn_where_it_is_and_the_image_elsewhere_is_unchanged(volume, prediction):
    (key, *_) = key_slices(prediction, volume.geometry)
    score, box = prediction.map("score"), box_of(prediction, volume)
    plain, _ = picture(volume, None, key, box)
    with_map, bar = picture(volume, Layer(score, layer_style(prediction, score)), key, box)
    changed = (plain.rgb != with_map.rgb).any(axis=-1)
    assert 0 < changed.mean() < 0.05
    rows, columns = np.nonzero(changed)
    # The lesion is to the patient's left and behind: on the right and low in the picture.
    assert columns.mean() > PICTURE_SIZE[0] / 2
    assert rows.mean() > PICTURE_SIZE[1] / 2
    assert bar is not None
    assert (bar.low, bar.high, bar.threshold) == (0.0, 18.0, 6.0)
    assert with_map.corners[0] == "anomaly score"


def test_without_millimetres_there_is_no_scale(volume, prediction):
    grid = volume.geometry
    bare = Geometry(grid.shape, grid.affine, spacing_kind=None)
    (key, *_) = key_slices(prediction, bare)
    made, _ = picture(replace(volume, geometry=bare), None, key)
    assert made.scale is None


def test_the_box_holds_the_brain_or_else_what_is_not_background(volume, prediction):
    k0, k1, j0, j1, i0, i1 = box_of(prediction, volume)
    head_at = np.argwhere(volume.array > 0)
    assert [k0, j0, i0] == head_at.min(axis=0).tolist()
    assert [k1, j1, i1] == head_at.max(axis=0).tolist()
    assert box_of(None, volume) == (k0, k1, j0, j1, i0, i1)
    empty = ScalarMap("brain", np.zeros(volume.array.shape, np.uint8), volume.geometry, "mask")
    assert box_of(replace(prediction, maps=(empty,)), volume) == (k0, k1, j0, j1, i0, i1)


@pytest.mark.parametrize(
    "array",
    [
        np.full((5, 20, 20), np.nan, np.float32),
        np.zeros((5, 20, 20), np.int16),
        np.full((1, 20, 20, 3), 128, np.uint8),
    ],
    ids=["nothing known", "all black", "colour"],
)
def test_images_without_a_foreground_are_pictured_whole(array):
    volume = Volume(array, geometry_of(shape=array.shape[:3]))
    assert box_of(None, volume) == ()
    (key, *_) = key_slices(None, volume.geometry)
    made, _ = picture(volume, None, key)
    width, height = FILM_SIZE if len(array) == 1 else PICTURE_SIZE
    assert made.rgb.shape == (height, width, 3)
