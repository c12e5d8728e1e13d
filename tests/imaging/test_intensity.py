"""Windows by the formulas of the standard, worked out by hand; presets; automatic windows."""

import gc
import math
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import geometry_of, phantom

from medview.domain.presentation import Look, Presentation
from medview.domain.volume import ValueTable, Volume, Window
from medview.imaging import intensity
from medview.imaging.intensity import (
    PRESETS,
    automatic_window,
    grey,
    image_values,
    percentile_window,
    preset,
    presets_for,
)


def as_volume(values, **fields):
    """A volume of 1 x 1 x n voxels with the given values."""
    array = np.asarray(values).reshape(1, 1, -1)
    return Volume(array, geometry_of("LPS", array.shape, (1, 1, 1)), **fields)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize(
    ("window", "value", "expected"),
    [
        # LINEAR, c=40, w=80: low up to 0, high above 79, y = (x - 39.5) / 79 + 0.5 between.
        (Window(80, 40), 0, 0),
        (Window(80, 40), 1, 3),  # (1 - 39.5) / 79 + 0.5 = 0.012658; x 255 = 3.23
        (Window(80, 40), 40, 129),  # 0.506329 x 255 = 129.11
        (Window(80, 40), 79, 255),
        (Window(80, 40), 500, 255),
        (Window(80, 40), -500, 0),
        # LINEAR with the least width is a threshold above c - 0.5.
        (Window(1, 10), 9, 0),
        (Window(1, 10), 10, 255),
        # LINEAR_EXACT, c=40, w=80: limits 0 and 80, y = (x - 40) / 80 + 0.5.
        (Window(80, 40, "LINEAR_EXACT"), 0, 0),
        (Window(80, 40, "LINEAR_EXACT"), 1, 3),  # 0.0125 x 255 = 3.19
        (Window(80, 40, "LINEAR_EXACT"), 40, 128),  # 127.5, halves up
        (Window(80, 40, "LINEAR_EXACT"), 60, 191),  # 191.25
        (Window(80, 40, "LINEAR_EXACT"), 80, 255),
        # SIGMOID, c=40, w=80: 255 / (1 + exp(-4 (x - 40) / 80)).
        (Window(80, 40, "SIGMOID"), 40, 128),
        (Window(80, 40, "SIGMOID"), 60, 186),  # 255 / (1 + e^-1) = 186.42
        (Window(80, 40, "SIGMOID"), 20, 69),  # 255 / (1 + e) = 68.58
        (Window(80, 40, "SIGMOID"), -3000, 0),
        (Window(80, 40, "SIGMOID"), 3000, 255),
    ],
)
def test_windows_follow_the_standard(dtype, window, value, expected):
    assert grey(np.array([value], dtype=dtype), window)[0] == expected


@given(
    st.integers(-32768, 32767),
    st.floats(1, 5000),
    st.floats(-3000, 3000),
    st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)
def test_the_table_for_16_bits_says_what_the_formula_says(value, width, level, function):
    window = Window(width, level, function)
    by_table = int(grey(np.array([value], dtype=np.int16), window)[0])
    by_formula = int(grey(np.array([value], dtype=np.float32), window)[0])
    assert abs(by_table - by_formula) <= 1  # single precision may fall on the other side of a half


def test_unsigned_values_above_32767_are_not_taken_for_negative_ones():
    values = np.array([0, 40000, 65535], dtype=np.uint16)
    found = grey(values, Window(65535, 32767.5, "LINEAR_EXACT"))
    assert found.tolist() == [0, math.floor(40000 / 65535 * 255 + 0.5), 255]


def test_inversion_comes_after_the_window():
    values = np.array([-10, 40, 500], dtype=np.int16)
    plain = grey(values, Window(80, 40))
    assert grey(values, Window(80, 40), inverted=True).tolist() == (255 - plain).tolist()


def test_not_a_number_is_drawn_as_the_lowest_value():
    values = np.array([np.nan, 1.0], dtype=np.float32)
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        assert grey(values, Window(1, 0, function))[0] == 0


def test_a_narrow_window_on_fractions_is_drawn_exactly():
    values = np.array([0.0, 0.25, 0.5], dtype=np.float32)
    assert grey(values, Window(0.5, 0.25)).tolist() == [0, 128, 255]


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_value_table_starts_at_its_first_value_and_ends_flat(dtype):
    table = ValueTable(10.0, np.array([0.0, 0.2, 1.0], dtype=np.float32))
    values = np.array([-5, 10, 11, 12, 99], dtype=dtype)
    assert grey(values, table).tolist() == [0, 0, 51, 255, 255]


def test_the_automatic_window_spans_all_but_the_outermost_thousandths():
    window = automatic_window(as_volume(np.arange(1001, dtype=np.int16)))
    assert window.function == "LINEAR_EXACT"
    assert window.level == pytest.approx(500)
    assert window.width == pytest.approx(998)  # from 1 to 999


def test_padding_missing_slices_and_nan_do_not_count():
    values = np.array([-2000] * 50 + list(range(100)), dtype=np.float32)
    plain = percentile_window(as_volume(values, padding=(-2000, -2000)), 0, 100)
    assert (plain.width, plain.level) == (99, 49.5)
    holes = np.concatenate([values, [np.nan, np.inf]]).astype(np.float32)
    assert percentile_window(as_volume(holes, padding=(-1990, -3000)), 0, 100) == plain
    volume = phantom()
    array = volume.array.copy()
    array[3] = 30000
    gone = replace(volume, array=array, missing_slices=(3,))
    assert image_values(gone).max() == 1000


def test_a_constant_or_empty_image_still_has_a_window():
    constant = as_volume(np.full(10, 7, dtype=np.int16))
    assert grey(constant.array, automatic_window(constant)).max() == 0
    assert (automatic_window(constant).width, automatic_window(constant).level) == (1.0, 7.5)
    empty = as_volume(np.full(10, np.nan, dtype=np.float32))
    assert automatic_window(empty).width > 0


def test_the_foreground_begins_a_tenth_of_the_way_from_the_dark_to_the_bright():
    """Percentile 2 is 50 and percentile 98 is 150, whatever the outermost values are."""
    shares = ((-900, 15), (50, 940), (59, 8), (61, 7), (150, 15), (1100, 15))
    values = np.repeat([value for value, _ in shares], [count for _, count in shares])
    volume = as_volume(values.astype(np.float32))
    window = percentile_window(volume, 0, 100, foreground=True)
    assert (window.level - window.width / 2, window.level + window.width / 2) == (61, 1100)


def test_the_foreground_of_an_even_image_is_all_of_it():
    even = as_volume(np.array([4, 4, 4], dtype=np.float32))
    assert percentile_window(even, 5, 95, foreground=True).level == 4.5


@pytest.mark.parametrize("missing", [(), (0, 1, 2)])
def test_of_a_large_volume_every_part_is_looked_at(missing, monkeypatch):
    monkeypatch.setattr(intensity, "_SAMPLE", 500)
    grid = geometry_of("LPS", (90, 4, 5), (1, 1, 1))
    slices = np.broadcast_to(np.arange(90.0)[:, None, None], grid.shape).astype(np.float32)
    found = image_values(Volume(slices, grid, missing_slices=missing))
    assert 200 <= found.size <= 500
    assert found.min() <= len(missing) + 3
    assert found.max() >= 86
    rows = np.broadcast_to(np.arange(4.0)[:, None], grid.shape).astype(np.float32)
    assert set(image_values(Volume(rows, grid, missing_slices=missing))) == {0, 1, 2, 3}


def test_a_large_volume_is_sampled_and_its_window_hardly_moves(monkeypatch):
    volume = phantom()
    rng = np.random.default_rng(0)
    noisy = replace(volume, array=rng.normal(100, 20, volume.array.shape).astype(np.float32))
    exact = percentile_window(noisy, 1, 99)
    monkeypatch.setattr(intensity, "_SAMPLE", 2000)
    assert image_values(noisy).size <= 2000
    assert percentile_window(noisy, 1, 99).width == pytest.approx(exact.width, rel=0.05)
    assert 0 < image_values(replace(noisy, missing_slices=(0, 1))).size <= 2000


def test_the_automatic_window_is_counted_once_and_forgotten_with_its_volume(monkeypatch):
    volume = as_volume(np.arange(50, dtype=np.float32))
    first = automatic_window(volume)
    monkeypatch.setattr(intensity, "percentile_window", None)  # would fail if counted again
    assert automatic_window(volume) is first
    monkeypatch.undo()
    gc.collect()  # what other tests have left
    kept, gone = len(intensity._found), weakref.ref(volume.array)
    del volume
    gc.collect()
    assert gone() is None
    assert len(intensity._found) == kept - 1


@pytest.mark.parametrize(
    ("key", "width", "level"),
    [
        ("1", 400, 40),
        ("2", 1500, -600),
        ("3", 150, 90),
        ("4", 2500, 480),
        ("5", 80, 40),
        ("6", 400, 80),
        ("7", 120, 40),
        ("8", 80, 20),
        ("9", 650, 160),
    ],
)
def test_the_number_keys_give_the_ct_windows(key, width, level):
    window = preset(phantom(modality="CT", quantity="HU"), key)
    assert (window.width, window.level) == (width, level)


@pytest.mark.parametrize(
    ("title", "width", "level"),
    [("Ischaemia, narrow", 15, 32), ("Air", 1000, -426), ("Emphysema", 500, -850)],
)
def test_the_ct_windows_of_the_menu(title, width, level):
    (found,) = (p.window for p in presets_for(phantom(modality="CT", quantity="HU"))
                if p.title == title)  # fmt: skip
    assert (found.width, found.level, found.function) == (width, level, "LINEAR")


def test_windows_of_presentation_states_are_those_of_the_middle_slice():
    volume = phantom(modality="CT", quantity="HU")
    slices = volume.geometry.shape[0]
    windows = [Window(100.0 + k, 40.0, "LINEAR", f"slice {k}") for k in range(slices)]
    table = ValueTable(0.0, np.array([0.0, 1.0], dtype=np.float32))
    vois = tuple((table, window) for window in windows)
    look = Look(Presentation(), (("1.2", 0),) * slices, vois)
    offered = presets_for(replace(volume, looks=(look,)))[len(PRESETS["HU"]) :]
    assert [(p.key, p.window) for p in offered] == [("file1", windows[slices // 2])]


def test_hounsfield_units_without_a_modality_are_those_of_ct():
    assert presets_for(phantom(modality="", quantity="HU")) == PRESETS["HU"]
    assert presets_for(phantom(modality="", quantity="a.u.")) == PRESETS["other"]
    assert presets_for(phantom(modality="CT", quantity="a.u.")) == PRESETS["other"]


def test_no_hounsfield_preset_is_offered_on_anything_but_ct():
    for modality in ("MR", "PT", "DX", ""):
        volume = phantom(modality=modality)
        assert all(p.window is None for p in presets_for(volume))
        assert preset(volume, "5") is None
    assert presets_for(phantom(modality="MR", quantity="HU"))[1].window is None
    assert presets_for(phantom(quantity="HU")) == PRESETS["HU"]


def test_windows_that_the_file_proposes_are_offered_by_their_names():
    one, two = Window(400, 40, "LINEAR", "Soft"), Window(2000, 300, "SIGMOID", "")
    volume = phantom(modality="CT", quantity="HU", windows=(one, two))
    offered = presets_for(volume)[len(PRESETS["HU"]) :]
    assert [(p.key, p.title, p.window) for p in offered] == [
        ("file1", "Soft", one),
        ("file2", "Window 2 of the file", two),
    ]
    assert preset(volume, "file2") == two
    assert presets_for(phantom(modality="CT", quantity="HU", windows=(one,))) == PRESETS["HU"]


def test_mr_presets_are_percentiles_and_the_last_looks_at_the_foreground_only():
    background, head = np.zeros(900), np.linspace(100, 199, 100)
    volume = as_volume(np.concatenate([background, head]).astype(np.float32), modality="MR")
    assert preset(volume, "0") == automatic_window(volume)
    one = preset(volume, "1")
    assert one.level - one.width / 2 == pytest.approx(0)
    two = preset(volume, "2")  # 5 % and 95 % of 100..199
    assert two.level - two.width / 2 == pytest.approx(104.95, abs=0.01)
    assert two.level + two.width / 2 == pytest.approx(194.05, abs=0.01)


def test_keys_without_a_preset_give_none_and_keys_are_not_used_twice():
    assert preset(phantom(), "") is None
    assert preset(phantom(), "9") is None
    for group in PRESETS.values():
        keys = [p.key for p in group if p.key]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("shape", [(700, 301), (3, 700, 301), (400_000,)])
def test_a_large_plane_is_as_grey_as_its_parts(function, shape):
    """It is done in pieces; none is left out."""
    values = np.random.default_rng(6).normal(40, 60, shape).astype(np.float32)
    values.reshape(-1)[::97] = np.nan
    voi = Window(80.0, 40.0, function)
    found = grey(values, voi)
    parts = [grey(part, voi) for part in np.array_split(values.reshape(-1), 50)]
    assert np.array_equal(found.reshape(-1), np.concatenate(parts))


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
def test_a_large_picture_has_the_greys_of_its_rows(dtype):
    values = np.arange(700 * 300).reshape(700, 300).astype(dtype)
    window = Window(60000, 1000)
    whole = grey(values, window)
    rows = np.stack([grey(row, window) for row in values])
    assert values.size > intensity._AT_ONCE
    np.testing.assert_array_equal(whole, rows)
