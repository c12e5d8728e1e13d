"""What a presentation state says of one slice."""

import pytest

from medview.domain.presentation import Area, Drawing, Look, Presentation, is_about

ALL, FIRST, FRAME_2 = frozenset(), frozenset({("1.1", -1)}), frozenset({("1.1", 2)})


@pytest.mark.parametrize(
    ("targets", "uid", "frame", "about"),
    [
        (ALL, "1.9", 7, True),
        (FIRST, "1.1", 0, True),
        (FIRST, "1.1", 5, True),
        (FIRST, "1.2", 0, False),
        (FRAME_2, "1.1", 2, True),
        (FRAME_2, "1.1", 1, False),
        (FRAME_2 | frozenset({("1.2", -1)}), "1.2", 9, True),
    ],
)
def test_something_is_about_all_an_image_or_one_frame_of_it(targets, uid, frame, about):
    assert is_about(targets, uid, frame) is about


def look():
    """Of three slices the first two are frames of an image, the last is not the state's."""
    drawings = (
        Drawing("POINT", ((1, 1),), order=5),
        Drawing("POINT", ((2, 2),), FRAME_2, order=1),
        Drawing("POINT", ((3, 3),), FIRST, order=5),
    )
    areas = (Area(5, 5, 9, 9, FRAME_2), Area(0, 0, 9, 9, FIRST), Area(1, 1, 2, 2))
    state = Presentation(drawings=drawings, areas=areas)
    return Look(state, (("1.1", 0), ("1.1", 2), None), ((), (), ()))


def test_a_slice_is_covered_where_an_image_of_the_state_lies():
    assert [look().covers(k) for k in (-1, 0, 1, 2, 3)] == [False, True, True, False, False]


def test_drawings_come_from_the_bottom_up_and_in_their_order_within_a_layer():
    assert [each.points[0][0] for each in look().drawings(0)] == [1, 3]
    assert [each.points[0][0] for each in look().drawings(1)] == [2, 1, 3]
    assert look().drawings(2) == ()


def test_the_first_area_that_is_about_a_slice_is_shown():
    assert look().area(0).left == 0
    assert look().area(1).left == 5
    assert look().area(2) is None
