"""One picture with its description, as ``medview render`` gives it."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import (
    BASE_CASES,
    MARK_LPS,
    geometry_of,
    map_of,
    phantom,
    phantom_on,
    prediction_with,
    tilted,
)

from medview.domain.errors import GeometryError, InputRefused, UsageError
from medview.domain.geometry import Plane
from medview.domain.prediction import InputRef
from medview.domain.study import Catalogue, Patient, Series, Study
from medview.domain.volume import Window
from medview.io.hashing import volume_sha256
from medview.services.rendering import Wish, heading_of, only_series, render


def catalogue_with(*series):
    study = Study("1.2", date="2026-03-14", series=series)
    patient = Patient("9f2c41aa", "P1", "Doe^Jane", "F", "1950-01-01", (study,))
    return Catalogue((patient,))


def centroid(light):
    rows, columns = np.indices(light.shape)
    return (light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("code", ["LPS", "RAS", "PIR"])
def test_the_matrix_told_leads_from_the_blob_in_the_picture_to_its_place(code, plane):
    volume = phantom_on(geometry_of(code, (40, 44, 48), (2.5, 2.5, 2.0)))
    wish = Wish(Plane(plane), at_lps=MARK_LPS, window=(200, 900), size=(400, 320))
    drawn = render(volume, wish)
    assert drawn.rgb.shape == (320, 400, 3)
    light = drawn.rgb.min(axis=-1).astype(float)
    light[light < 250] = 0
    light[:40] = light[-40:] = 0  # letters and texts
    light[:, :30] = light[:, -30:] = 0
    x, y = centroid(light)
    found = np.array(drawn.description["pixel_to_lps"]) @ (x, y, 0, 1)
    assert found == pytest.approx(MARK_LPS, abs=1.6)
    assert drawn.description["values"] == {"image": 1000.0}
    assert drawn.description["size"] == [400, 320]


@pytest.mark.parametrize("case", BASE_CASES, ids=lambda case: case.name)
def test_the_labels_told_are_those_of_the_table(case):
    wish = Wish(Plane.ACQUIRED, slice=3, window=(1000, 500))
    told = render(case.volume, wish).description
    edges = ("left", "right", "top", "bottom")
    assert told["labels"] == {edge: getattr(case, edge)[:2] for edge in edges}
    assert told["slice"] == 3
    assert told["slices"] == 8


@pytest.mark.parametrize("plane", list(Plane))
def test_a_slice_is_counted_from_zero_along_the_cut(plane):
    volume = phantom("RAS")
    count = volume.geometry.shape[{"axial": 0, "coronal": 1, "sagittal": 2}.get(plane.value, 0)]
    for index in (0, 1, count - 1):
        told = render(volume, Wish(plane, slice=index)).description
        assert (told["slice"], told["slices"]) == (index, count)
    for index in (-1, count):
        with pytest.raises(UsageError, match=f"no slice {index}"):
            render(volume, Wish(plane, slice=index))


def test_a_slice_of_tilted_slices_is_the_one_asked_for():
    volume = phantom_on(tilted(geometry_of("LPS", (20, 30, 30), (4, 4, 4)), 15.0))
    for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
        assert render(volume, Wish(plane, slice=7)).description["slice"] == 7


def test_the_window_keeps_the_function_of_the_file():
    volume = replace(phantom(), windows=(Window(300, 150, "SIGMOID"),))
    told = render(volume, Wish(Plane.AXIAL, slice=8))
    assert told.description["window"] == [300, 150]
    wider = render(volume, Wish(Plane.AXIAL, slice=8, window=(2000, 1000))).rgb
    linear = render(replace(volume, windows=()), Wish(Plane.AXIAL, slice=8, window=(2000, 1000)))
    assert not np.array_equal(wider, linear.rgb)


def test_flips_and_turns_are_told_by_the_letters():
    wish = Wish(Plane.AXIAL, slice=8, flips=("h",), rotate=90)
    told = render(phantom(), wish).description["labels"]
    assert told == {"left": "P", "right": "A", "top": "L", "bottom": "R"}


def test_a_flip_upwards_is_told_by_the_letters():
    told = render(phantom(), Wish(Plane.AXIAL, slice=8, flips=("v",))).description["labels"]
    assert told == {"left": "R", "right": "L", "top": "P", "bottom": "A"}


def test_a_slab_takes_the_thickness_and_the_values_that_were_asked_for():
    wish = Wish(Plane.AXIAL, slice=8, window=(1000, 500))
    slabs = ((0.0, "mip"), (30.0, "mip"), (30.0, "minip"), (30.0, "mean"))
    thin, highest, lowest, mean = (
        render(phantom(), replace(wish, slab=slab)).rgb[150:350, 150:350].mean() for slab in slabs
    )
    assert lowest < mean < highest
    assert thin != highest


def test_a_map_is_laid_over_the_image_wherever_its_own_grid_lies():
    volume = phantom()
    fine = phantom_on(geometry_of("RAS", (40, 50, 48), (2.0, 2.5, 2.0)))
    found = map_of(fine, range=(0.0, 1000.0), title="anomaly score")
    result = prediction_with(found, threshold=500.0)
    wish = Wish(Plane.AXIAL, at_lps=MARK_LPS, window=(2000, 1000), size=(480, 320))
    plain = render(volume, wish).rgb.astype(int)
    drawn = render(volume, replace(wish, map="score", opacity=1.0), result)
    changed = np.abs(plain - drawn.rgb).sum(axis=-1) > 0
    changed[:, 370:] = False  # the colour bar
    changed[-60:] = False  # its name
    matrix = np.array(drawn.description["pixel_to_lps"])
    assert (matrix @ (*centroid(changed), 0, 1))[:2] == pytest.approx(MARK_LPS[:2], abs=3.0)
    assert drawn.description["values"] == {"image": 1000.0, "score": 1000.0}
    low = render(volume, replace(wish, map="score", opacity=0.0), result).rgb
    assert np.array_equal(low[60:250, :370], plain[60:250, :370])


def test_a_range_moves_colours_and_not_the_image():
    volume = phantom()
    result = prediction_with(map_of(volume, range=(0.0, 1000.0)), threshold=500.0)
    wish = Wish(Plane.AXIAL, at_lps=MARK_LPS, map="score", opacity=1.0)
    one = render(volume, wish, result)
    two = render(volume, replace(wish, range=(0.0, 5000.0)), result)
    assert not np.array_equal(one.rgb, two.rgb)
    assert one.description["window"] == two.description["window"]


def test_a_map_of_another_patient_is_refused():
    grid = replace(geometry_of(), frame_of_reference="1.2.3")
    other = replace(geometry_of("RAS"), frame_of_reference="9.9.9")
    result = prediction_with(map_of(phantom_on(other)))
    with pytest.raises(GeometryError, match="frame of reference"):
        render(phantom_on(grid), Wish(Plane.AXIAL, slice=3, map="score"), result)


def test_a_map_needs_the_pixels_it_was_made_from_or_a_frame_of_reference():
    def result_of(volume):
        ref = InputRef("t1", "2.25.1", "2.25.2", 0, volume_sha256(volume), (1, 1, 1))
        return replace(prediction_with(map_of(volume)), inputs=(ref,))

    volume, elsewhere = phantom(), phantom_on(geometry_of("RAS", (28, 30, 26), (3.5, 3.5, 3.5)))
    brighter = replace(volume, array=volume.array + np.int16(1))
    wish = Wish(Plane.AXIAL, slice=3, map="score")
    assert render(volume, wish, result_of(volume)).description["warnings"] == []
    (warning,) = render(brighter, wish, result_of(volume)).description["warnings"]
    assert warning["code"] == "OTHER_IMAGE"
    with pytest.raises(InputRefused, match="another image"):
        render(elsewhere, wish, result_of(volume))
    one, other = (
        replace(each, geometry=replace(each.geometry, frame_of_reference="1.2.3"))
        for each in (volume, elsewhere)
    )
    assert render(other, wish, result_of(one)).description["warnings"] == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(Plane.AXIAL), "--at"),
        (Wish(Plane.AXIAL, at_lps=(0, 0, 0), slice=3), "--slice"),
        (Wish(Plane.AXIAL), "needs a place"),
        (Wish(Plane.AXIAL, slice=3, at_lps=(0.0, 0.0, 0.0)), "is given two places"),
        (Wish(Plane.AXIAL, slice=3, window=(0, 40)), "width"),
        (Wish(Plane.AXIAL, slice=3, slab=(-2.0, "mip")), "thickness"),
        (Wish(Plane.AXIAL, slice=3, map="score", opacity=1.5), "between 0 and 1"),
        (Wish(Plane.AXIAL, slice=3, map="score", range=(2.0, 2.0)), "range"),
        (Wish(Plane.AXIAL, slice=3, size=(8, 99999)), "pixels"),
        (Wish(Plane.AXIAL, slice=3, size=(15, 100)), "pixels"),
        (Wish(Plane.AXIAL, slice=3, size=(100, 8193)), "pixels"),
        (Wish(Plane.AXIAL, slice=3, map="score"), "--result"),
    ],
)
def test_wishes_that_make_no_sense_are_named(wish, words):
    with pytest.raises(UsageError) as caught:
        render(phantom(), wish)
    assert words in str(caught.value)


def test_a_map_that_there_is_not_is_named_with_those_there_are():
    result = prediction_with(map_of(phantom()))
    with pytest.raises(UsageError, match="no map total") as caught:
        render(phantom(), Wish(Plane.AXIAL, slice=3, map="total"), result)
    assert "score" in caught.value.do


def test_a_point_outside_the_volume_is_refused_but_only_along_the_cut():
    with pytest.raises(InputRefused, match="outside"):
        render(phantom(), Wish(Plane.AXIAL, at_lps=(0, 0, 500)))
    beside = render(phantom(), Wish(Plane.AXIAL, at_lps=(500, 0, 0)))
    assert beside.description["values"] == {"image": None}


@pytest.mark.parametrize(
    ("code", "plane", "told"),
    [
        ("LPS", "axial", False),
        ("LPS", "sagittal", True),
        ("PIR", "sagittal", False),
        ("PIR", "axial", True),
        ("LPS", "acquired", False),
        (None, "axial", False),
        (None, "coronal", True),
    ],
)
def test_a_single_slice_in_another_plane_than_wished_says_so(code, plane, told):
    grid = geometry_of(code or "LPS", (1, 20, 16), (5.0, 2.0, 2.0))
    volume = phantom_on(replace(grid, orientation_known=code is not None))
    drawn = render(volume, Wish(Plane(plane), slice=0))
    assert [one["code"] for one in drawn.description["warnings"]] == ["OTHER_PLANE"] * told


def test_one_series_needs_no_name_and_several_do():
    one = Series("1.2.3", geometry=geometry_of(), description="T1")
    two = Series("1.2.4", stack=1, geometry=geometry_of(), description="T2")
    text_only = Series("1.2.5")
    assert only_series(catalogue_with(one, text_only), None) is one
    assert only_series(catalogue_with(one, two), "1.2.4#1") is two
    with pytest.raises(UsageError, match=r"2 series.*T1.*T2"):
        only_series(catalogue_with(one, two), None)
    with pytest.raises(InputRefused, match='no series "7"'):
        only_series(catalogue_with(one), "7")
    with pytest.raises(InputRefused, match="no images"):
        only_series(catalogue_with(text_only), None)


def test_the_heading_says_whose_picture_it_is_unless_it_is_private():
    series = Series("1.2.3", geometry=geometry_of(), description="T1 post-contrast")
    catalogue = catalogue_with(series)
    lines = heading_of(catalogue, series, private=False)
    assert lines == ("Doe Jane", "F · 14 Mar 2026", "T1 post-contrast")
    assert heading_of(catalogue, series, private=True) == ("Patient 9f2c41aa",)
    assert heading_of(Catalogue(), series, private=False) == ()


@pytest.mark.parametrize(
    ("name", "number", "first"),
    [
        ("Yamada^Tarou=\u5c71\u7530^\u592a\u90ce", "P1", "Yamada Tarou"),
        ("", "P1", "P1"),
        ("", "", "Patient 9f2c41aa"),
    ],
)
def test_the_heading_names_the_patient_as_well_as_the_file_does(name, number, first):
    series = Series("1.2.3", geometry=geometry_of())
    study = Study("1.2", series=(series,))
    whole = Catalogue((Patient("9f2c41aa", number, name, studies=(study,)),))
    assert heading_of(whole, series, private=False) == (first,)
