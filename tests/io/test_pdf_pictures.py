import zlib
from dataclasses import replace

import numpy as np
import pytest

from medview.domain.report import FigureRow, Picture, Report, Section
from medview.io.pdf_pictures import PackedPicture, address_of, grey_alone, pictures_in

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (7, 5, 3), dtype=np.uint8)
GREY = np.repeat(RNG.integers(0, 256, (7, 5, 1), dtype=np.uint8), 3, axis=2)


def unpacked(stream):
    """Undo the predictor as a reader of PDF does, one row after the other."""
    parms = stream.extra["DecodeParms"]
    wide = parms["Columns"] * parms["Colors"]
    rows = np.frombuffer(zlib.decompress(stream.stream[0]), np.uint8).reshape(-1, wide + 1)
    assert (rows[:, 0] == parms["Predictor"] - 10).all()
    return np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)


@pytest.mark.parametrize(
    ("rgb", "space", "colours"), [(COLOUR, "/DeviceRGB", 3), (GREY, "/DeviceGray", 1)]
)
def test_every_pixel_comes_back_and_grey_takes_one_channel(rgb, space, colours):
    made = PackedPicture("picture:x", rgb).get_x_object(True, 1)
    assert (made.extra["ColorSpace"], made.extra["DecodeParms"]["Colors"]) == (space, colours)
    assert (made.extra["Width"], made.extra["Height"]) == (5, 7)
    back = unpacked(made).reshape(7, 5, colours)
    assert (np.broadcast_to(back, rgb.shape) == rgb).all()


def test_viewers_are_not_asked_to_smooth():
    assert PackedPicture("picture:x", GREY).get_x_object(True, 1).extra["Interpolate"] == "false"


def test_equal_pictures_have_one_address_and_others_their_own():
    turned = np.ascontiguousarray(COLOUR.transpose(1, 0, 2))
    assert address_of(COLOUR) == address_of(COLOUR[:, ::-1][:, ::-1])
    assert len({address_of(each) for each in (COLOUR, GREY, turned, COLOUR[:, ::-1])}) == 4
    # The same bytes in another form are another picture.
    assert address_of(COLOUR) != address_of(COLOUR.reshape(5, 7, 3))


def test_all_pictures_of_a_report_are_there_once():
    row = FigureRow((Picture(COLOUR, ""), Picture(GREY, "")), "")
    sections = (Section("", figures=(row,)), Section("", figures=(replace(row, half=True),)))
    made = pictures_in(Report("T", (), (), sections, "id"))
    assert set(made) == {address_of(COLOUR), address_of(GREY)}
    assert made[address_of(GREY)].get_intrinsic_size(1, 16) == (5.0, 7.0, 5 / 7)


def test_one_wrong_pixel_is_no_grey():
    assert grey_alone(GREY).ndim == 2
    almost = GREY.copy()
    almost[3, 2, 1] ^= 1
    assert grey_alone(almost).ndim == 3
