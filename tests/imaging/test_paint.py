"""Overlays on their way to RGBA."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import map_of, phantom

from medview.domain.overlay import LayerStyle
from medview.imaging import paint
from medview.imaging.colour import DISTINCT, colour_table
from medview.imaging.paint import certainty, colour_bar, legend, place_of


def plane(*values):
    return np.array([values], dtype=np.float32)


def tint(*given):
    return paint.tint(*given).rgba


def test_values_below_the_threshold_are_fully_transparent_whatever_the_range():
    style = LayerStyle(range=(0.0, 10.0), threshold=6.0, opacity=1.0)
    alpha = tint(plane(-1.0, 5.999, 6.0, 10.0, 50.0), style)[0, :, 3]
    assert alpha.tolist() == [0, 0, 255, 255, 255]


def test_the_threshold_moves_no_colour_and_the_range_no_edge():
    values = plane(2.0, 6.0, 9.0)
    one = tint(values, LayerStyle(range=(0.0, 10.0), threshold=0.0, opacity=1.0))
    higher = tint(values, LayerStyle(range=(0.0, 10.0), threshold=5.0, opacity=1.0))
    wider = tint(values, LayerStyle(range=(0.0, 20.0), threshold=5.0, opacity=1.0))
    assert np.array_equal(one[0, 1:], higher[0, 1:])
    assert np.array_equal(higher[..., 3], wider[..., 3])
    assert not np.array_equal(higher[0, 1:, :3], wider[0, 1:, :3])


def test_the_ends_of_the_range_have_the_ends_of_the_map():
    table = colour_table("viridis")
    style = LayerStyle(colour_map="viridis", range=(-2.0, 2.0), threshold=-9.0, opacity=1.0)
    colours = tint(plane(-5.0, -2.0, 2.0, 7.0), style)[0]
    assert colours[0].tolist() == colours[1].tolist() == table[0].tolist()
    assert colours[2].tolist() == colours[3].tolist() == table[255].tolist()


@pytest.mark.parametrize(
    ("value", "place"),
    [(-3.0, 0), (0.999, 0), (1.0, 0), (2.0, 128), (3.0, 255), (3.004, 255), (3.02, 255), (99, 255)],
)
def test_what_lies_beyond_an_end_has_the_colour_of_the_end(value, place):
    style = LayerStyle(range=(1.0, 3.0), threshold=-9.0)
    assert place_of(value, style) == place
    from_zero = LayerStyle(range=(0.0, 2.0), threshold=-9.0)
    assert place_of(value - 1, from_zero) == (place if value >= 1 else 0)


def test_not_a_number_is_transparent():
    assert tint(plane(np.nan, 1.0), LayerStyle(threshold=-1e9))[0, 0, 3] == 0


@pytest.mark.parametrize(("opacity", "alpha"), [(0.0, 0), (0.5, 128), (0.7, 179), (1.0, 255)])
def test_opacity_is_the_alpha_of_what_is_drawn(opacity, alpha):
    assert tint(plane(1.0), LayerStyle(opacity=opacity))[0, 0, 3] == alpha


def test_certainty_falls_over_the_range_and_unknown_is_not_certain():
    found = certainty(plane(-1.0, 0.0, 0.5, 2.0, 9.0, np.nan), (0.0, 2.0))
    assert found[0].tolist() == pytest.approx([1, 1, 0.75, 0, 0, 0])
    assert certainty(plane(1.0, 2.0, 3.0), (1.0, 3.0))[0].tolist() == pytest.approx([1, 0.5, 0])


def test_fading_multiplies_the_opacity():
    style = LayerStyle(opacity=0.8)
    faded = tint(plane(1.0, 1.0, 1.0), style, plane(1.0, 0.5, 0.0))
    assert faded[0, :, 3].tolist() == [204, 102, 0]


def test_masks_of_bytes_can_be_tinted_in_one_colour():
    style = LayerStyle(colour_map="#e8a33d", threshold=0.5, opacity=1.0)
    drawn = tint(np.array([[0, 1]], dtype=np.uint8), style)
    assert drawn[0].tolist() == [[0, 0, 0, 0], [232, 163, 61, 255]]


def test_a_degenerate_range_still_draws():
    assert tint(plane(3.0), LayerStyle(range=(1.0, 1.0)))[0, 0, 3] > 0


def test_the_legend_tells_range_threshold_unit_and_title():
    shown = map_of(phantom(), name="residual", unit="a.u.")
    bar = colour_bar(shown, LayerStyle(range=(0.0, 18.0), threshold=6.0))
    assert (bar.low, bar.high, bar.threshold) == (0.0, 18.0, 6.0)
    assert (bar.unit, bar.title) == ("a.u.", "residual")
    assert np.array_equal(bar.colours, colour_table("inferno")[:, :3])


LABELS = map_of(phantom(), name="regions", kind="labels", labels=("thalamus", "caudate", "pons"))
BY_LABEL = LayerStyle(colour_map=DISTINCT, range=(0.0, 3.0), threshold=0.5, opacity=1.0)


def test_the_legend_of_labels_has_colour_and_name_of_those_that_are_drawn():
    drawn = paint.tint(plane(0.0, 3.0, 1.0, 3.0), BY_LABEL)
    bars = legend(LABELS, BY_LABEL, drawn)
    assert [bar.title for bar in bars] == ["Thalamus", "Pons"]
    assert all(bar.is_swatch and bar.is_label for bar in bars)
    assert bars[0].colours[0].tolist() == drawn.rgba[0, 2, :3].tolist()
    assert bars[1].colours[0].tolist() == drawn.rgba[0, 1, :3].tolist()


def test_labels_below_the_threshold_and_labels_without_a_name_have_no_line():
    style = replace(BY_LABEL, threshold=2.5)
    values = plane(1.0, 2.0, 3.0)
    assert [bar.title for bar in legend(LABELS, style, paint.tint(values, style))] == ["Pons"]
    nameless = replace(LABELS, labels=())
    assert not legend(nameless, BY_LABEL, paint.tint(values, BY_LABEL))[0].is_swatch


def test_labels_one_after_the_other_do_not_look_alike():
    table = colour_table(DISTINCT)[:, :3].astype(int)
    for step in range(1, 14):  # up to 255 labels, or only 18
        assert np.abs(table[step:] - table[:-step]).max(axis=1).min() > 25
    assert table.max(axis=1).min() > 200


def test_an_outline_leaves_the_inside_as_it_is():
    values = np.zeros((7, 7), np.float32)
    values[1:6, 1:6] = 9.0
    style = LayerStyle(range=(0.0, 18.0), threshold=6.0, opacity=1.0, outline=True)
    alpha = tint(values, style)[..., 3]
    assert alpha[1, 1:6].tolist() == [255] * 5
    assert alpha[2:5, 2:5].tolist() == [[0] * 3] * 3
    drawn, whole = tint(values, style), tint(values, replace(style, outline=False))
    assert np.array_equal(drawn[alpha > 0], whole[alpha > 0])


@pytest.mark.parametrize("outline", [False, True])
def test_a_large_plane_is_coloured_as_its_rows_one_by_one(outline):
    """It is done in pieces; none is left out, and no value of another piece gets in."""
    dice = np.random.default_rng(4)
    values = dice.normal(5, 4, (700, 301)).astype(np.float32)[::-1, ::2]
    values[dice.random(values.shape) < 0.05] = np.nan
    fade = dice.random(values.shape, dtype=np.float32)
    style = LayerStyle(range=(0.0, 9.0), threshold=2.0, opacity=0.6, outline=outline)
    whole = tint(values, style, fade)
    plain = replace(style, outline=False)
    rows = [tint(values[n : n + 1], plain, fade[n : n + 1])[0] for n in range(len(values))]
    if outline:
        seen, drawn = whole[..., 3] > 0, np.array(rows)[..., 3] > 0
        assert seen.sum() < drawn.sum()
        assert not seen[~drawn].any()
        assert np.array_equal(whole[seen], np.array(rows)[seen])
    else:
        assert np.array_equal(whole, rows)
    assert not whole[np.isnan(values), 3].any()


def by_the_rule(values, style, fade):
    """RGBA of every pixel by what `paint.tint` says of it, one step after the other."""
    low, high = style.range
    share = (values - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))
    place = np.floor(np.clip(np.nan_to_num(share), 0, 255) + np.float32(0.5)).astype(int)
    rgba = colour_table(style.colour_map)[place]
    left = np.float32(np.floor(style.opacity * 255 + 0.5))
    rgba[..., 3] = left if fade is None else np.floor(fade * left + np.float32(0.5))
    inside = values >= np.float32(style.threshold)
    if style.outline:
        padded = np.pad(inside, 1)
        ways = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
        inside &= ~np.logical_and.reduce(ways)
    rgba[~inside, 3] = 0
    return rgba


numbers = st.floats(-3, 3, width=32)


@given(
    seed=st.integers(0, 999),
    low=numbers,
    span=st.floats(0, 4, width=32),
    threshold=numbers,
    opacity=st.floats(0, 1),
    outline=st.booleans(),
    fades=st.booleans(),
)
def test_every_pixel_is_what_the_rule_says(seed, low, span, threshold, opacity, outline, fades):
    """Also where the first colour is drawn beside clear pixels, and where nothing is at all."""
    dice = np.random.default_rng(seed)
    values = dice.normal(0, 2, (9, 13)).astype(np.float32).T
    values[dice.random(values.shape) < 0.1] = np.nan
    fade = dice.random(values.shape, dtype=np.float32) if fades else None
    style = LayerStyle(True, "viridis", (low, low + span), threshold, opacity, outline=outline)
    found, wanted = tint(values, style, fade), by_the_rule(values, style, fade)
    drawn = wanted[..., 3] > 0
    assert np.array_equal(found[..., 3], wanted[..., 3])
    assert np.array_equal(found[drawn], wanted[drawn])


def test_a_mask_is_told_by_its_colour_and_name_alone():
    shown = replace(map_of(phantom(), name="seg-2"), kind="mask", title="Liver")
    style = LayerStyle(colour_map="viridis", range=(0.0, 1.5), threshold=0.5, opacity=1.0)
    bar = colour_bar(shown, style)
    assert bar.is_swatch
    assert bar.title == "Liver"
    assert bar.colours[0].tolist() == tint(plane(1.0), style)[0, 0, :3].tolist()
    assert not colour_bar(replace(shown, kind="anomaly"), style).is_swatch
