from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from PIL import Image
from result_phantom import LESION_LPS, head, prediction_on

from medview.domain.errors import Cancelled, WriteError
from medview.domain.geometry import Plane
from medview.domain.overlay import LayerStyle
from medview.domain.progress import Silent
from medview.imaging.frame import Layer, View, compose_frame, flatten
from medview.services import movies
from medview.services.movies import Reel, slices_of, write_movie

VIEW = View(plane=Plane.AXIAL, point_lps=LESION_LPS)
STYLE = LayerStyle(visible=True, range=(0.0, 18.0), threshold=6.0)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(movies, "_SIDE_PX", 400)


@pytest.fixture(scope="module")
def volume():
    return head(geometry_of("LPS", (9, 12, 10), (16.0, 16.0, 16.0)))


def reel(volume, view=VIEW, layers=(), per_second=10.0):
    return Reel(volume, layers, view, per_second)


def pictures(path):
    with Image.open(path) as film:
        for number in range(film.n_frames):
            film.seek(number)
            yield np.asarray(film.convert("RGB")), film.info["duration"]


@pytest.mark.parametrize(
    ("plane", "count"), [(Plane.AXIAL, 9), (Plane.CORONAL, 12), (Plane.SAGITTAL, 10)]
)
def test_every_slice_is_a_picture_in_order_at_the_chosen_rate(volume, tmp_path, plane, count):
    middle = np.rint(volume.geometry.to_index(LESION_LPS))
    place = tuple(float(mm) for mm in volume.geometry.to_mm(middle))
    view = replace(VIEW, plane=plane, point_lps=place)
    path = tmp_path / "m.gif"
    assert write_movie(Silent(), reel(volume, view, per_second=5.0), path) == count
    assert slices_of(volume, view) == count
    found = list(pictures(path))
    assert len(found) == count
    assert {each[1] for each in found} == {200}
    # The slice through the lesion is the one that the pane shows there, grey for grey.
    frame = compose_frame(volume, (), replace(view, crosshair=False))
    shown = flatten(frame, found[0][0].shape[1::-1])
    grey = (shown[..., 0] == shown[..., 1]) & (shown[..., 1] == shown[..., 2])
    assert grey.mean() > 0.85  # all but the edges of letters
    assert np.array_equal(found[frame.slice][0][grey], shown[grey])
    assert not np.array_equal(found[0][0][grey], shown[grey])


def test_an_overlay_is_in_colour_where_it_is(volume, tmp_path):
    layer = Layer(prediction_on(volume).map("score"), STYLE)
    write_movie(Silent(), reel(volume, layers=(layer,)), tmp_path / "m.gif")
    coloured = [
        np.ptp(each.astype(int), axis=2).max() > 60 for each, _ in pictures(tmp_path / "m.gif")
    ]
    k = int(np.rint(volume.geometry.to_index(LESION_LPS)[0]))
    assert coloured[k]


def test_zoom_and_crosshair_of_the_pane_are_left_out(volume, tmp_path):
    odd = replace(VIEW, zoom=4.0, pan_mm=(50.0, 20.0), crosshair=True)
    for name, view in (("one", VIEW), ("other", odd)):
        write_movie(Silent(), reel(volume, view), tmp_path / f"{name}.gif")
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "other.gif").read_bytes()


class Impatient(Silent):
    def check(self):
        raise Cancelled("stopped")


def test_a_stop_and_a_place_that_cannot_be_written_leave_nothing(volume, tmp_path):
    with pytest.raises(Cancelled):
        write_movie(Impatient(), reel(volume), tmp_path / "m.gif")
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        write_movie(Silent(), reel(volume), tmp_path / "file" / "m.gif")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
