import numpy as np
import pytest

from medview.domain.errors import ModelInputError
from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning.film import (
    as_grey,
    cut_square,
    label_zones,
    lung_box,
    lung_mask,
    paste_square,
    pick_square,
    prepare_film,
    refuse_unfit,
    shares_of,
)


def two_lungs(shape=(200, 180), left=(100, 50), right=(100, 130), radii=(60, 30)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return [
        ((rows - r) / radii[0]) ** 2 + ((columns - c) / radii[1]) ** 2 < 1 for r, c in (left, right)
    ]


def film(picture=None, **fields):
    """A drawn chest: dark lungs in a bright body on a dark ground, with ribs."""
    if picture is None:
        lungs = np.logical_or(*two_lungs())
        rows, columns = np.mgrid[:200, :180]
        body = ((rows - 110) / 105) ** 2 + ((columns - 90) / 85) ** 2 < 1
        picture = 40.0 + 160 * body - 120 * lungs + 12 * (rows % 18 < 5) * body
    known = {k: fields.pop(k) for k in ("affine", "known") if k in fields}
    affine = known.get("affine", np.eye(4))
    geometry = Geometry.from_ijk_affine(
        (1, *picture.shape), affine, orientation_known=known.get("known", False)
    )
    return Volume(picture[None].astype(np.float32), geometry, **fields)


def test_zones_are_thirds_of_each_lung_and_sides_are_those_of_the_picture():
    left, right = two_lungs()
    zones = label_zones(left | right)
    assert set(np.unique(zones[left])) == {1, 2, 3}
    assert set(np.unique(zones[right])) == {4, 5, 6}
    assert zones[45, 50] == 1
    assert zones[100, 50] == 2
    assert zones[155, 130] == 6


def test_zones_move_with_a_shifted_film_and_swap_with_a_mirrored_one():
    left, right = two_lungs(left=(90, 50), right=(110, 130))
    mask = left | right
    zones = label_zones(mask)
    moved = label_zones(np.roll(mask, (7, -5), (0, 1)))
    assert np.array_equal(moved, np.roll(zones, (7, -5), (0, 1)))
    swapped = np.array([0, 4, 5, 6, 1, 2, 3])[zones[:, ::-1]]
    assert np.array_equal(label_zones(mask[:, ::-1]), swapped)


def test_lungs_that_touch_are_parted_where_least_is_lung():
    left, right = two_lungs(left=(100, 62), right=(100, 118))
    zones = label_zones(left | right)
    assert (zones[100, 40], zones[100, 140]) == (2, 5)


@pytest.mark.parametrize("mask", [two_lungs()[0], np.zeros((200, 180), bool)])
def test_one_lung_alone_has_no_zones(mask):
    wide = np.zeros_like(mask)
    wide[:, : mask.shape[1] // 2] = mask[:, : mask.shape[1] // 2]
    if mask.any():
        wide[150:, :] = False
        wide &= np.arange(180) < 30
        assert not label_zones(np.pad(wide, 1)).any()


def test_the_box_is_a_square_about_the_lungs_inside_the_film():
    top, left, side = lung_box(np.logical_or(*two_lungs()))
    assert side == pytest.approx(139 * 1.1, abs=2)  # the wider direction with 5 % on each side
    assert top >= 0
    assert left >= 0
    assert top + side <= 200
    assert left + side <= 180


def test_a_square_is_cut_by_area_and_goes_back_to_its_place():
    rng = np.random.default_rng(0)
    picture = rng.random((60, 50)).astype(np.float32)
    assert cut_square(picture, (10, 5, 40), 10) == pytest.approx(
        picture[10:50, 5:45].reshape(10, 4, 10, 4).mean((1, 3)), abs=1e-5
    )
    back = paste_square(np.ones((8, 8), np.float32), (10, 5, 40), (60, 50))
    assert back[10:50, 5:45].min() == 1
    assert back.sum() == 1600


def test_beyond_the_film_its_edge_goes_on():
    picture = np.arange(4, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)
    assert cut_square(picture, (-4, 0, 4), 2) == pytest.approx(np.zeros((2, 2)))
    assert cut_square(picture, (4, 0, 4), 2) == pytest.approx(np.full((2, 2), 3))
    assert not pick_square(np.ones((4, 4), np.int8), (5, 0, 4), 4).any()


def test_shares_are_parts_of_each_cell():
    zones = np.zeros((8, 8), np.int8)
    zones[:4, :2] = 1
    assert shares_of(zones, 2)[0] == pytest.approx(np.array([[0.5, 0], [0, 0]]))


def test_monochrome1_becomes_dark_air_again():
    plain = as_grey(film())
    turned = film()
    turned = Volume(250 - turned.array, turned.geometry, inverted=True)
    assert as_grey(turned) == pytest.approx(plain, abs=1e-5)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"modality": "CT"}, "this is CT"),
        ({"modality": "MG"}, "mammogram"),
        ({"quantity": "HU"}, "Hounsfield"),
        ({"view": "LL"}, "lateral"),
    ],
)
def test_other_pictures_are_refused_with_the_reason(fields, said):
    with pytest.raises(ModelInputError, match=said):
        refuse_unfit(film(**fields))


def test_a_film_whose_rows_run_from_front_to_back_is_lateral():
    affine = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], float)
    with pytest.raises(ModelInputError, match="lateral"):
        refuse_unfit(film(affine=affine, known=True))


def test_a_strip_and_a_stack_are_no_films():
    with pytest.raises(ModelInputError, match="not the shape"):
        refuse_unfit(film(np.random.default_rng(0).random((100, 300))))
    stack = Volume(
        np.zeros((3, 80, 80), np.float32), Geometry.from_ijk_affine((3, 80, 80), np.eye(4))
    )
    with pytest.raises(ModelInputError, match="3 slices"):
        refuse_unfit(stack)


def test_a_flat_picture_has_no_contrast():
    with pytest.raises(ModelInputError, match="no contrast"):
        prepare_film(film(np.full((100, 100), 7.0)))


def test_noise_has_no_lungs():
    with pytest.raises(ModelInputError, match="no lungs"):
        prepare_film(film(np.random.default_rng(0).random((128, 128))))


def test_the_network_finds_drawn_lungs():
    truth = np.logical_or(*two_lungs())
    mask = lung_mask(as_grey(film()))
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.6


def test_a_film_that_lies_mirrored_by_its_header_is_turned_and_maps_go_back():
    upright = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)
    mirrored = upright.copy()
    mirrored[0, 0] = -1
    plain = film(affine=upright, known=True)
    turned = film(np.ascontiguousarray(plain.array[0, :, ::-1]), affine=mirrored, known=True)
    one, two = prepare_film(plain), prepare_film(turned)
    assert not one.mirrored
    assert two.mirrored
    assert np.array_equal(one.lungs, two.lungs)
    values = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    assert np.array_equal(one.on_film(values), two.on_film(values)[:, ::-1])
