from dataclasses import replace

import numpy as np
import pytest
from result_phantom import LESION_LPS, exam, head

from medview.domain.geometry import Plane
from medview.domain.key_image import KeyImage
from medview.domain.measurement import Measurement
from medview.services.report_marks import (
    Marked,
    acquired_image,
    key_images,
    line_of,
    measured_words,
)

RIGHT, DOWN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
X, Y, Z = LESION_LPS
LENGTH = Measurement(1, "length", ((X - 10, Y, Z), (X + 10, Y, Z)), RIGHT, DOWN)
ARROW = Measurement(2, "arrow", ((X, Y, Z), (X + 20, Y, Z)), RIGHT, DOWN)
COBB = Measurement(3, "cobb", ((0, 0, Z), (10, 0, Z), (0, 10, Z), (10, 20, Z)), RIGHT, DOWN)


def slice_of(volume, mm=LESION_LPS):
    return int(np.rint(volume.geometry.to_index(mm)[0]))


@pytest.fixture(scope="module")
def volume():
    return head()


def marked(volume, count=1, drawings=(LENGTH,)):
    k = slice_of(volume)
    images = tuple(
        KeyImage(Plane.AXIAL, k + n, point_lps=(X, Y, Z + 4.0 * n)) for n in range(count)
    )
    uids = tuple(f"1.2.3.4.{n}" for n in range(count))
    return Marked(images, tuple(drawings), exam(), "1.2.3.4", volume=volume, instances=uids)


def test_a_marked_image_is_pictured_with_what_was_drawn_on_it(volume):
    pictured, measured, found = key_images((marked(volume, 2),))
    first, second = pictured.figures[0].pictures
    assert first.letters[:2] == ("R", "L")
    assert first.corners[0] == "1"
    assert first.alt.startswith("Key image 1. ")
    (stroke,) = first.strokes
    assert stroke.words == ("20.0 mm",)
    (start, end) = stroke.paths[0]
    assert end[0] - start[0] == pytest.approx(20 * first.scale[1] / first.scale[0], rel=0.01)
    assert second.strokes == ()  # the line lies on the other slice
    assert pictured.figures[0].caption == "Key images 1 to 2, marked by the reader."
    assert measured.table.rows[0][:2] == ("Length", "20.0 mm")
    assert found.table.rows[1] == (
        "2", f"axial {slice_of(volume) + 2}", "L 20, P 30, H 16 mm", "T1 post-contrast (no. 7)",
        "1.2.3.4.1",
    )  # fmt: skip
    assert found.text == "Series UID of T1 post-contrast (no. 7): 1.2.3.4"


def test_forty_key_images_stand_three_abreast_and_each_is_listed(volume):
    pictured, found = key_images((marked(volume, 40, drawings=()),))
    assert [len(row.pictures) for row in pictured.figures] == [3] * 13 + [1]
    assert len(found.table.rows) == 40


def test_private_reports_leave_the_uid_out_and_lost_pixels_are_told(volume):
    gone = replace(marked(volume, 2), volume=None)
    pictured, measured, found = key_images((gone,), private=True)
    assert pictured.text == "The pixels of key images 1 to 2 could not be read again."
    assert measured.table.rows[0][1] == "not available"
    assert "1.2.3.4" not in str(found.table.rows) + found.text


def test_an_image_of_unknown_origin_says_so(volume):
    *_, found = key_images((replace(marked(volume, 2), instances=("1.2.3.4.9",)),))
    assert [row[-1] for row in found.table.rows] == ["1.2.3.4.9", "not available"]


@pytest.mark.parametrize(
    ("plane", "image"),
    [(Plane.ACQUIRED, 7), (Plane.AXIAL, 7), (Plane.CORONAL, None), (Plane.SAGITTAL, None)],
)
def test_a_key_image_is_one_of_the_series_or_a_cut_through_it(volume, plane, image):
    assert acquired_image(KeyImage(plane, 7), volume.geometry) == image
    assert acquired_image(KeyImage(Plane.AXIAL, 7), None) is None


def test_without_marks_there_is_no_section(volume):
    assert key_images(()) == ()
    assert key_images((marked(volume, 0, drawings=()),)) == ()


@pytest.mark.parametrize(("drawing", "paths"), [(LENGTH, [2]), (ARROW, [2, 3]), (COBB, [2, 2])])
def test_what_is_joined_depends_on_the_kind(volume, drawing, paths):
    line = line_of(drawing, measured_words(drawing, volume))
    assert [len(path) for path in line.paths] == paths


def test_an_arrow_has_its_head_at_its_first_point():
    _, barbs = line_of(ARROW, ()).paths
    assert barbs[1] == ARROW.points[0]
    assert barbs[0][0] > barbs[1][0]  # barbs lie towards the tail
    assert barbs[0][1] == pytest.approx(2 * Y - barbs[2][1])
