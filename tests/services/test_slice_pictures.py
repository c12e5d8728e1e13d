"""Pictures of slices: their colours, letters, scale and part."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import head, prediction_on

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.imaging.frame import Layer
from medview.services.key_slices import key_slices
from medview.services.result_maps import box_of
from medview.services.slice_pictures import FILM_SIZE, PICTURE_SIZE, layer_style, picture


@pytest.fixture(scope="module")
def volume() -> Volume:
    return head()


@pytest.fixture(scope="module")
def prediction(volume):
    return prediction_on(volume)


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


def test_a_picture_of_a_film_is_told_without_slices(prediction):
    film = Volume(np.zeros((1, 8, 8), np.int16), geometry_of("LPS", (1, 8, 8), (1.0, 1.0, 1.0)))
    key = replace(key_slices(prediction, head().geometry)[0], index=0)
    assert picture(film, None, key)[0].alt.startswith("Image")
    assert "slice" not in picture(film, None, key)[0].alt
