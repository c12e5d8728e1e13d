"""Pictures in 3-D as the child draws them; in a process of their own, as vtk stays there."""

import json
import subprocess
import sys

import pytest

CODE = """
import sys, json
sys.path.insert(0, sys.argv[1])
import numpy as np
from dataclasses import replace
from phantoms import geometry_of
from medview.domain.crop import CropBox
from medview.domain.overlay import LayerStyle, ScalarMap
from medview.domain.scene import Scene
from medview.domain.volume import Volume
from medview.imaging.sight import sight_of
from medview.ui import scene_work

class Job:
    def check(self): pass

grid = geometry_of(sys.argv[2], (40, 44, 48), (2.0, 2.0, 2.0))
array = np.full(grid.shape, -1000, np.int16)
index = np.rint(grid.to_index((24.0, 0.0, 30.0))).astype(int)  # left of the patient, near the head
array[tuple(slice(n - 4, n + 5) for n in index)] = 900
hot = np.where(array > 0, 9.0, 0.0).astype(np.float32)
overlay = ScalarMap("score", hot, grid, range=(0.0, 10.0))
said = {}
def centre(scene):
    pixels = scene_work.draw(Job(), scene).astype(int)
    bright = np.argwhere(pixels.sum(2) > 60)
    place = [float(v) for v in bright.mean(0)] if len(bright) else None
    colour = [float(v) for v in pixels[pixels.sum(2) > 60].mean(0)] if len(bright) else None
    return place, colour, list(pixels.shape)
scene_work.stage(Job(), Volume(array, grid, quantity="HU"), None, None)
base = Scene("ct_bone", size=(120, 100))
said["front"] = centre(base)
said["back"] = centre(base.turned(180, 0))
said["above"] = centre(base.turned(0, 89))
said["fine"] = centre(replace(base, is_fine=True))
said["zoom"] = centre(base.zoomed(2.0))
said["moved"] = centre(base.moved(-0.2, 0.1))
said["mip"] = centre(replace(base, preset="mip", window=(-1000.0, 900.0)))
box = CropBox.around(grid)
said["box"] = centre(replace(base, crop=box))
without_right = box.moved(0, 10.0 - box.low[0], box)  # from 10 mm left of the middle on
def bright(scene):
    red = scene_work.draw(Job(), scene)[..., 0].astype(int)
    return int((red > 200).sum())  # the lines of the box are blue
plain = replace(base, preset="mip", window=(-1000.0, 900.0))
places = dict(kept=without_right, gone=box.moved(1, 10.0 - box.high[0], box))
lines = {key: bright(replace(plain, crop=each)) for key, each in places.items()}
said["mip kept"], said["mip gone"], said["mip whole"] = lines["kept"], lines["gone"], bright(plain)
turned = replace(base, crop=without_right, size=(240, 200)).turned(20, 15).moved(0.1, -0.05)
pixels, sight = scene_work.draw(Job(), turned).astype(int), sight_of(grid, turned)
at = [sight.place(without_right.centre(face)) for face in range(6)]
said["handles"] = [pixels[round(y - 0.5), round(x - 0.5)].tolist() for x, y in at]
said["off again"] = centre(base)
style = LayerStyle(visible=True, colour_map="viridis", range=(0.0, 10.0), threshold=2.0)
scene_work.stage(Job(), Volume(array, grid, quantity="HU"), overlay, style)
said["overlay"] = centre(base)
said["overlay cut"] = bright(replace(plain, crop=places["gone"]))
said["hidden"] = centre(replace(base, shows_overlay=False))
print(json.dumps(said))
"""


@pytest.fixture(scope="module", params=["LPS", "RIP"])
def said(request, pytestconfig):
    folder = str(pytestconfig.rootpath / "tests")
    words = [sys.executable, "-c", CODE, folder, request.param]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_left_is_on_the_right_from_the_front_and_on_the_left_from_behind(said):
    (row, column), _, shape = said["front"]
    assert shape == [100, 120, 3]
    assert column > 65
    assert row < 45
    assert said["back"][0][1] == pytest.approx(119 - column, abs=2.5)
    assert said["back"][0][0] == pytest.approx(row, abs=2.5)


def test_from_above_the_front_of_the_patient_is_below(said):
    (row, column), _, _ = said["above"]
    assert column > 65
    assert row == pytest.approx(49.5, abs=4)


def test_the_fine_picture_shows_the_same_place(said):
    assert said["fine"][0] == pytest.approx(said["front"][0], abs=2.5)


def test_zoom_and_push_do_as_they_say(said):
    row, column = said["front"][0]
    assert said["zoom"][0][1] - 59.5 == pytest.approx(2 * (column - 59.5), abs=4)
    assert said["moved"][0] == pytest.approx([row + 10, column - 20], abs=3)


def test_the_brightest_value_is_white(said):
    place, colour, _ = said["mip"]
    assert place == pytest.approx(said["front"][0], abs=3)
    assert min(colour) > 150
    assert max(colour) - min(colour) < 2


def test_a_box_cuts_by_the_axes_of_the_patient_and_keeps_what_is_within(said):
    """However the volume is stored: what is found lies on the left."""
    assert said["mip whole"] > 20
    assert said["mip kept"] == pytest.approx(said["mip whole"], rel=0.2)
    assert said["mip gone"] < 0.1 * said["mip whole"]
    assert said["overlay cut"] < 0.1 * said["mip whole"]


def test_handles_are_drawn_where_the_mouse_takes_hold_of_them(said):
    """All six: what is in the volume hides none of them here."""
    for red, _, blue in said["handles"]:
        assert blue > 80
        assert blue > red + 20


def test_the_box_is_drawn_and_goes_again(said):
    # Its lines are light and go round all of the volume: the middle of what is bright is there.
    assert said["box"][0] == pytest.approx((49.5, 59.5), abs=6)
    assert said["off again"][0] == pytest.approx(said["front"][0], abs=0.5)


def test_the_map_of_a_model_is_drawn_in_its_colours_and_can_be_hidden(said):
    plain, tinted = said["front"][1], said["overlay"][1]
    assert tinted[1] - tinted[0] > plain[1] - plain[0] + 15
    assert said["hidden"][1] == pytest.approx(plain, abs=3)
