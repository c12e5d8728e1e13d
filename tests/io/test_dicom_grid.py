"""Gaps, uneven steps and tilt are found and said, and nothing is averaged away."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import (
    FIRST,
    catalogue,
    codes,
    ct,
    heights,
    image,
    marked_slice,
    only,
    positions,
    save,
    spacing_of,
    stack,
)

from medview.domain.progress import Silent
from medview.io import readers
from medview.io.dicom_grid import grids_of


def test_a_missing_slice_leaves_a_blank_and_the_true_spacing(tmp_path):
    datasets = [ds for k, ds in enumerate(stack()) if k != 4]
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == ["INCOMPLETE"]
    assert "one slice" in series.warnings[0].text
    assert series.missing_slices == volume.missing_slices == (4,)
    assert spacing_of(series) == pytest.approx(2.5)
    np.testing.assert_allclose(volume.geometry.to_mm((4, 0, 0)), (-100, -80, 50))
    assert not volume.array[4].any()
    assert volume.array[5, 1, 2] == 1005


def test_two_missing_slices_do_not_stretch_the_stack(tmp_path):
    datasets = [ds for k, ds in enumerate(stack()) if k not in (2, 5)]
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == ["INCOMPLETE"]
    assert volume.missing_slices == (2, 5)
    assert spacing_of(series) == pytest.approx(2.5)


def test_the_gap_between_three_slices_is_no_spacing(tmp_path):
    series, _ = only(save(heights(0, 2.5, 7.5), tmp_path))
    assert (codes(series), series.missing_slices) == (["INCOMPLETE"], (2,))
    assert spacing_of(series) == pytest.approx(2.5)


def test_a_blank_slice_of_a_ct_is_air_not_water(tmp_path):
    datasets = [
        ct(marked_slice(k), ImagePositionPatient=list(p)) for k, p in enumerate(positions())
    ]
    del datasets[3]
    _, volume = only(save(datasets, tmp_path))
    assert volume.quantity == "HU"
    assert (volume.array[3] == -1024).all()


def test_two_hundredths_of_a_millimetre_are_no_irregularity(tmp_path):
    series, _ = only(save(heights(0, 2.52, 5, 7.48, 10, 12.5), tmp_path))
    assert codes(series) == []
    assert spacing_of(series) == pytest.approx(2.5, abs=0.01)


def test_positions_that_the_scanner_rounded_are_no_irregularity(tmp_path):
    series, _ = only(save(heights(*np.round(np.arange(12) * 0.6667, 2)), tmp_path))
    assert codes(series) == []


def test_small_deviations_that_add_up_are_said():
    # Each gap is within 1 % of the usual one, but the slice in the middle is 0.25 mm off.
    normal = np.array([0.0, 0.0, 1.0])
    places = np.outer(np.cumsum([0.0] + [2.5] * 25 + [2.52] * 25), normal)
    (grid,) = grids_of(places, normal, sparse=False)
    assert len(grid.slots) == 51
    assert [note.code for note in grid.notes] == ["VARIABLE_SPACING"]
    assert "0.25 mm off" in grid.notes[0].text
    (even,) = grids_of(places[:20], normal, sparse=False)
    assert even.notes == ()


NORMAL = np.array([0.0, 0.6, 0.8])


def grids(*along, sparse=False):
    """Grids of places so far along a leaning normal."""
    places = np.array([1.0, 2.0, 3.0]) + np.outer(along, NORMAL)
    return grids_of(places, NORMAL, sparse=sparse)


def test_one_place_steps_along_the_normal():
    (grid,) = grids(7.5)
    assert grid.slots == (0,)
    assert grid.step == pytest.approx(NORMAL)
    assert grid.origin == pytest.approx((1.0, 6.5, 9.0))


def test_places_with_gaps_keep_their_slots():
    (grid,) = grids(0, 2.5, 10, 12.5)
    assert grid.slots == (0, 1, None, None, 2, 3)
    assert grid.step == pytest.approx(2.5 * NORMAL)
    assert [note.text for note in grid.notes] == ["2 slices are missing of 6; left blank"]


def test_more_may_be_missing_than_is_there_only_where_that_is_usual():
    far = (0, 2.5, 25, 27.5)
    (grid,) = grids(*far, sparse=True)
    assert (len(grid.slots), grid.notes) == (12, ())
    assert len(grids(*far)) > 1


def test_places_much_closer_than_the_others_are_not_put_into_one_slot():
    found = grids(0, 2.5, 5, 5.1, 7.6, 10.1)
    assert len(found) > 1
    used = sorted(n for grid in found for n in grid.slots if n is not None)
    assert used == list(range(6))
    assert {note.code for grid in found for note in grid.notes} == {"VARIABLE_SPACING"}


def test_each_even_part_keeps_its_own_step_and_says_the_span_of_gaps():
    one, other = grids(0, 2, 4, 6, 6 + 5, 6 + 10)
    assert (one.slots, other.slots) == ((0, 1, 2, 3), (4, 5))
    assert (one.step, other.step) == (pytest.approx(2 * NORMAL), pytest.approx(5 * NORMAL))
    assert one.notes[0].text.startswith("slices are 2 to 5 mm apart")


def test_three_tenths_of_a_millimetre_are_said(tmp_path):
    found = catalogue(save(heights(0, 2.5, 5.3, 7.5, 10, 12.5), tmp_path)).all_series()
    assert all("VARIABLE_SPACING" in codes(series) for series in found)
    for series in found:
        volume = readers.load(Silent(), series)
        for k in range(volume.geometry.shape[0]):
            z = volume.geometry.to_mm((k, 0, 0))[2]
            value = int(volume.array[k, 1, 2]) - 1000
            assert z == pytest.approx([0, 2.5, 5.3, 7.5, 10, 12.5][value], abs=0.02)


def test_a_slip_within_five_per_cent_of_a_thick_slice_stays_one_stack_and_is_said(tmp_path):
    series, _ = only(save(heights(0, 8, 16.3, 24, 32), tmp_path))
    assert codes(series) == ["VARIABLE_SPACING"]
    assert "0.3 mm" in series.warnings[0].text


def test_parts_of_different_spacing_become_stacks_of_their_own(tmp_path):
    z = [0, 1.25, 2.5, 3.75, 5, 7.5, 10, 12.5, 17.5, 22.5, 27.5]
    found = catalogue(save(heights(*z), tmp_path)).all_series()
    assert sorted(spacing_of(series) for series in found) == pytest.approx([1.25, 2.5, 5])
    assert {code for series in found for code in codes(series)} == {"VARIABLE_SPACING"}
    assert sum(series.size[2] for series in found) == 11
    assert [series.stack for series in found] == [0, 1, 2]


def test_slices_that_step_aside_are_not_put_on_one_line(tmp_path):
    datasets = heights(0, 2.5, 5, 7.5, 10, 12.5)
    for ds in datasets[3:]:
        ds.ImagePositionPatient[0] = -60.0
    found = catalogue(save(datasets, tmp_path)).all_series()
    assert sorted(s.geometry.affine[0, 3] for s in found) == [-100, -60]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tilted_gantry_keeps_its_shear_and_is_said(sign, tmp_path):
    step = np.array([0, sign * 2.5 * np.tan(np.radians(15)), 2.5])
    datasets = [
        image(marked_slice(k), ImagePositionPatient=list(FIRST + step * k)) for k in range(8)
    ]
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == ["TILTED"]
    assert "15.0 degrees" in series.warnings[0].text
    assert volume.geometry.spacing_mm[0] == pytest.approx(2.588190, abs=1e-5)
    place = (-99.0, -79.3 + sign * 3 * 0.669873, 47.5)
    np.testing.assert_allclose(volume.geometry.to_mm((3, 1, 2)), place, atol=1e-5)
    assert volume.geometry.voxel_ml == pytest.approx(0.7 * 0.5 * 2.5 / 1000)


@pytest.mark.parametrize(("named", "count"), [(None, 1), (-15.0, 1), (12.0, 2)])
def test_a_tilt_that_the_file_names_otherwise_is_a_warning_and_moves_nothing(
    named, count, tmp_path
):
    step = np.array([0, 2.5 * np.tan(np.radians(15)), 2.5])
    extra = {} if named is None else {"GantryDetectorTilt": named}
    datasets = [
        image(marked_slice(k), ImagePositionPatient=list(FIRST + step * k), **extra)
        for k in range(8)
    ]
    series, volume = only(save(datasets, tmp_path))
    assert codes(series) == ["TILTED"] * count
    assert ("12.0 degrees" in series.warnings[-1].text) is (count == 2)
    assert volume.geometry.shear_degrees == pytest.approx(15, abs=1e-3)
