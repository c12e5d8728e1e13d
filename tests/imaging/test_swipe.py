"""Old left of the divider, new right of it; image and texts stay."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import phantom

from medview.domain.overlay import LayerStyle, ScalarMap
from medview.imaging.frame import compose_frame
from medview.imaging.swipe import divided, divider_column
from medview.imaging.view import Layer, View


def frame_of(value, **view):
    volume = phantom()
    array = np.full(volume.geometry.shape, value, np.float32)
    shown = ScalarMap("score", array, volume.geometry, range=(0.0, 4.0))
    style = LayerStyle(visible=True, range=(0.0, 4.0), threshold=0.5)
    return compose_frame(volume, (Layer(shown, style),), View(**view))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("view", [{}, {"rotate": 90}, {"flip_h": True}])
def test_left_of_the_divider_is_the_old_and_right_the_new(share, view):
    old, new = frame_of(1.0, **view), frame_of(3.0, **view)
    made = divided(old, new, share)
    column = divider_column(old, share)
    assert column == round(share * old.image.shape[1])
    assert np.array_equal(made.tints[0][:, :column], old.tints[0][:, :column])
    assert np.array_equal(made.tints[0][:, column:], new.tints[0][:, column:])
    assert made.image is new.image
    assert (made.values["score before"], made.values["score"]) == (1.0, 3.0)
    assert "image before" not in made.values  # of the image there is one


@pytest.mark.parametrize(("share", "of_all"), [(-0.5, 0), (1.4, 1)])
def test_the_divider_stays_on_the_image(share, of_all):
    frame = frame_of(1.0)
    assert divider_column(frame, share) == of_all * frame.image.shape[1]


def test_blinking_shows_one_of_them_whole():
    old, new = frame_of(1.0), frame_of(3.0)
    assert divided(old, new, 0.5, "old") is old
    assert divided(old, new, 0.5, "new") is new


def test_frames_of_different_slices_are_a_mistake():
    old, new = frame_of(1.0), frame_of(3.0)
    with pytest.raises(ValueError, match="same slice"):
        divided(old, replace(new, paints=()), 0.5)
    with pytest.raises(ValueError, match="same slice"):
        divided(replace(old, image=old.image[1:]), new, 0.5)
