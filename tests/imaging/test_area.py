"""Means over pixels of the screen that are no whole number of pixels of a slice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from medview.imaging.area import Span, averaged, highest_in

places = st.integers(0, 9000).map(lambda n: n / 1000)
spans = st.builds(Span, places, st.integers(1000, 4000).map(lambda n: n / 1000), st.integers(1, 6))
DICE = np.random.default_rng(4)
PLANE = DICE.integers(-1000, 1000, (37, 41)).astype(np.int16)


def cover(span, size):
    """(n, size) how much of each pixel of a side every pixel of the screen has."""
    low = span.start + span.wide * np.arange(span.number)[:, None]
    at = np.arange(size)
    return np.clip(np.minimum(at + 1, low + span.wide) - np.maximum(at, low), 0, 1)


@given(spans, spans)
def test_the_mean_is_of_exactly_the_area_that_is_covered(down, right):
    rows, columns = cover(down, 37), cover(right, 41)
    expected = rows @ PLANE @ columns.T / np.outer(rows.sum(axis=1), columns.sum(axis=1))
    found = averaged(PLANE, down, right)
    assert found.dtype == np.int16
    assert np.abs(found - expected).max() <= 0.51
    exact = averaged(PLANE.astype(np.float32), down, right)
    assert np.abs(exact - expected).max() < 0.01


@given(spans, spans)
def test_nothing_that_is_touched_is_lost_of_the_highest(down, right):
    touched = [cover(span, size) > 1e-5 for span, size in ((down, 37), (right, 41))]
    found = highest_in(PLANE, down, right)
    for row, column in np.ndindex(found.shape):
        within = PLANE[np.ix_(touched[0][row], touched[1][column])]
        assert found[row, column] == within.max()


def test_what_is_not_known_does_not_count():
    plane = np.array([[1, np.nan, np.nan, np.nan], [3, 5, np.nan, np.nan]], np.float32)
    found = averaged(plane, Span(0, 2, 1), Span(0, 2, 2))
    assert found[0, 0] == pytest.approx(3)
    assert np.isnan(found[0, 1])
    assert found.dtype == np.float32


def test_colours_are_averaged_each_for_itself():
    plane = DICE.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    span, other = Span(0.25, 1.5, 5), Span(1.0, 2.5, 4)
    found = averaged(plane, span, other)
    assert found.shape == (5, 4, 3)
    for n in range(3):
        assert np.array_equal(found[..., n], averaged(plane[..., n], span, other))


def test_a_mask_of_truth_values_stays_one():
    mask = np.zeros((8, 8), bool)
    mask[3, 3] = True
    found = highest_in(mask, Span(0, 1.5, 5), Span(0, 1.5, 5))
    assert found.dtype == bool
    # Column 3 lies in the third pixel (3 to 4.5) alone.
    assert np.argwhere(found).tolist() == [[2, 2]]


def test_a_pixel_that_reaches_beyond_the_edge_has_what_there_is():
    plane = np.array([[10, 20, 30]], np.float32)
    found = averaged(plane, Span(-0.5, 2, 1), Span(-1.0, 2.0, 3))
    assert found.tolist() == [[10, 25, 30]]


def test_lines_finer_than_the_screen_make_no_waves():
    """Every other column bright, on a screen a little less than half as fine: grey all over."""
    lines = np.zeros((40, 400), np.uint16)
    lines[:, ::2] = 4000
    found = averaged(lines, Span(0, 1.96, 20), Span(0, 1.96, 204)).astype(int)
    assert np.abs(found - 2000).max() < 100


def test_small_products_do_not_wait_for_other_threads(monkeypatch):
    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    during, product = [], np.matmul
    monkeypatch.setattr(
        np, "matmul", lambda *given, **out: during.append(threads()) or product(*given, **out)
    )
    with threadpool_limits(2):
        before = threads()
        averaged(PLANE, Span(0, 1.5, 6), Span(0, 1.5, 6))
        assert threads() == before
    assert during
    assert all(set(counts) == {1} for counts in during)
