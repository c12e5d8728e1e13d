import numpy as np
import pytest
from chest_phantom import two_lungs

from medview.domain.errors import ModelInputError
from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.learning.film import as_grey, prepare_film, refuse_unfit
from medview.learning.lungs import lung_mask


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
