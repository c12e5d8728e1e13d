"""When a drawing is finished."""

from typing import get_args

import pytest

from medview.domain.measurement import CLOSED, POINTS, Kind, Measurement


def drawn(kind, count):
    points = tuple((float(n), 0.0, 0.0) for n in range(count))
    return Measurement(1, kind, points, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def test_every_kind_says_how_many_points_it_takes():
    assert set(POINTS) == set(get_args(Kind))
    assert set(CLOSED) < set(POINTS)


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        *(("text", 1), ("length", 2), ("ellipse", 2), ("rectangle", 2), ("arrow", 2)),
        *(("angle", 3), ("cobb", 4), ("polygon", 3)),
    ],
)
def test_it_is_finished_with_its_last_point_and_not_before(kind, needed):
    assert not any(drawn(kind, count).is_finished for count in range(needed))
    assert drawn(kind, needed).is_finished


def test_a_polygon_may_go_on():
    assert drawn("polygon", 40).is_finished
