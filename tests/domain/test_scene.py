import numpy as np
import pytest

from medview.domain.scene import Scene


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (30, 20), (200, -60), (359, 89)])
def test_right_up_and_view_stand_at_right_angles(azimuth, elevation):
    scene = Scene("mip", azimuth, elevation)
    axes = np.array([scene.right, scene.up, scene.looks_along])
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.cross(scene.looks_along, scene.up) == pytest.approx(scene.right, abs=1e-12)


def test_from_the_front_the_left_of_the_patient_is_on_the_right():
    scene = Scene("mip")
    assert scene.right == pytest.approx((1, 0, 0))
    assert scene.up == pytest.approx((0, 0, 1))
    assert scene.looks_along == pytest.approx((0, 1, 0))


def test_a_quarter_to_the_left_shows_the_left_side():
    assert Scene("mip").turned(90, 0).looks_along == pytest.approx((-1, 0, 0), abs=1e-12)


def test_turning_goes_round_and_not_over_the_poles():
    assert Scene("mip").turned(350, 200).turned(20, 0) == Scene("mip", 10.0, 89.0)


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_zoom_has_limits(factor):
    assert 0.1 < Scene("mip").zoomed(factor).zoom < 10


def test_pushing_adds_up():
    assert Scene("mip").moved(0.1, 0.2).moved(0.1, 0.0).pan == pytest.approx((0.2, 0.2))
