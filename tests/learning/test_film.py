from dataclasses import replace

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
    with pytest.raises(ModelInputError, match="60 x 63 pixels are too few"):
        refuse_unfit(film(np.random.default_rng(0).random((63, 60))))
    refuse_unfit(film(np.random.default_rng(0).random((64, 64))))
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


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("size", [(800, 900), (1500, 1400)])
def test_a_film_in_a_wide_frame_is_read_as_without_it_and_maps_lie_there(value, size):
    inner = film().array[0]
    framed = np.full(size, float(value))
    framed[300:500, 500:680] = inner
    plain, found = prepare_film(film()), prepare_film(film(framed))
    here = np.s_[300:500, 500:680]
    lungs = found.turned(found.lungs)
    assert lungs.shape == framed.shape
    assert lungs[here].astype(bool).sum() == lungs.astype(bool).sum() > 0
    assert found.steps[0].endswith(f"180 x 200 of {size[1]} x {size[0]} pixels are film")
    assert found.crop(64) == pytest.approx(plain.crop(64), abs=1e-6)
    seen, alone = (each.on_film(each.crop(64)) for each in (found, plain))
    assert seen[here] == pytest.approx(alone, abs=1e-6)
    assert not np.delete(seen, np.s_[300:500], axis=0).any()


def test_noise_in_a_frame_has_no_lungs_either():
    framed = np.zeros((300, 400))
    framed[50:200, 100:250] = 1 + np.random.default_rng(0).random((150, 150))
    with pytest.raises(ModelInputError, match="no lungs"):
        prepare_film(film(framed))


def test_the_network_finds_drawn_lungs():
    truth = np.logical_or(*two_lungs())
    mask = lung_mask(as_grey(film()))
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.6


def lying(letters):
    """A drawn chest as a header describes it: toward where columns and rows run, LF is upright."""
    step = {"L": (1, 0, 0), "R": (-1, 0, 0), "F": (0, 0, -1), "H": (0, 0, 1)}
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = step[letters[0]], step[letters[1]]
    affine[:3, 2] = np.cross(affine[:3, 0], affine[:3, 1])
    picture = film().array[0]
    picture = picture[:, ::-1] if "R" in letters else picture
    picture = picture[::-1] if "H" in letters else picture
    picture = picture if letters[0] in "LR" else picture.T
    return film(np.ascontiguousarray(picture), affine=affine, known=True)


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ("RF", "mirrored"),
        ("LH", "upside down"),
        ("RH", "turned by 180 degrees"),
        ("FR", "on its side"),
        ("HL", "on its side"),
        ("FL", "on its side"),
        ("HR", "on its side"),
    ],
)
def test_a_film_that_lies_otherwise_by_its_header_is_put_upright_and_maps_go_back(letters, words):
    upright, given = prepare_film(lying("LF")), lying(letters)
    turned = prepare_film(given)
    assert not any("header" in step for step in upright.steps)
    assert turned.steps[-1] == f"the film lies {words} by its header; turned for the model"
    assert np.array_equal(upright.grey, turned.grey)
    assert np.array_equal(upright.lungs, turned.lungs)
    assert upright.box == turned.box
    assert turned.turned(turned.grey) == pytest.approx(as_grey(given))
    assert turned.on_film(np.ones((7, 7), np.float32)).shape == given.array.shape[1:]


def test_a_narrow_frame_about_lungs_that_are_found_stays():
    framed = np.zeros((230, 230))
    framed[15:215, 25:205] = film().array[0]
    found = prepare_film(film(framed))
    assert found.inside is None
    assert found.grey.shape == framed.shape


def test_a_film_in_a_frame_may_lie_otherwise_too():
    alone = lying("LH")
    framed = np.zeros((1, 800, 900), np.float32)
    framed[0, 50:250, 600:780] = alone.array[0]
    geometry = replace(alone.geometry, shape=framed.shape)
    found, plain = prepare_film(Volume(framed, geometry)), prepare_film(alone)
    assert np.array_equal(found.lungs, plain.lungs)
    lungs = found.turned(found.lungs)
    assert np.array_equal(lungs[50:250, 600:780], plain.turned(plain.lungs))
    assert lungs.astype(bool).sum() == plain.lungs.astype(bool).sum()
