import io

import numpy as np
import pikepdf
import pytest

from medview.io.page_pictures import page_pictures


def pdf(*sizes):
    """Pages of these sizes in points, the left half of each red."""
    made = pikepdf.new()
    for wide, high in sizes:
        page = made.add_blank_page(page_size=(wide, high))
        page.contents_add(f"1 0 0 rg 0 0 {wide / 2} {high} re f".encode())
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


@pytest.mark.parametrize("width", [100, 333])
def test_every_page_is_as_wide_as_asked_in_its_own_proportions(width):
    first, second = page_pictures(pdf((595, 842), (612, 306)), width)
    assert first.shape[1:] == second.shape[1:] == (width, 3)
    assert abs(first.shape[0] - width * 842 / 595) <= 1
    assert abs(second.shape[0] - width / 2) <= 1


def test_colours_are_red_green_blue_and_nothing_is_turned():
    (made,) = page_pictures(pdf((200, 100)), 200)
    assert made.dtype == np.uint8
    assert made[50, 40].tolist() == [255, 0, 0]
    assert made[50, 160].tolist() == [255, 255, 255]
