from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom_on

from medview.domain.volume import Volume
from medview.imaging.presets_3d import PRESETS, prepared, presets_for, refusal_3d

GRID = geometry_of("LPS", (20, 30, 40), (3.0, 1.0, 1.0))


def test_presets_in_hounsfield_units_are_offered_for_ct_only():
    ct, mr = phantom_on(GRID, quantity="HU"), phantom_on(GRID, quantity="a.u.")
    assert [each.key for each in presets_for(ct)] == ["ct_bone", "ct_soft", "mip"]
    assert [each.key for each in presets_for(mr)] == ["mr_head", "mip"]


@pytest.mark.parametrize("preset", [p for p in PRESETS.values() if not p.is_mip])
def test_every_preset_goes_up_in_value_and_begins_clear(preset):
    for points in (preset.colours, preset.opacities):
        values = [point[0] for point in points]
        assert values == sorted(values)
    assert preset.opacities[0][1] == 0.0
    assert all(0 <= share <= 1 for point in preset.colours for share in point[1:])


def test_ct_values_stay_what_they_are():
    array = np.full(GRID.shape, -1000, np.int16)
    array[5, 6, 7] = 1234
    made, step = prepared(Volume(array, GRID, quantity="HU"), 10**6)
    assert step == (1, 1, 1)
    assert (made[5, 6, 7], made[0, 0, 0]) == (1234, -1000)


def test_values_without_a_unit_span_0_to_1000_and_nothing_is_lost_to_nan():
    array = np.linspace(0, 7e5, 20 * 30 * 40, dtype=np.float32).reshape(GRID.shape)
    array[0, 0, 0] = np.nan
    made, _ = prepared(Volume(array, GRID, quantity="a.u."), 10**6)
    assert made.dtype == np.int16
    assert -50 <= made.min() <= 0
    assert 990 <= made.max() <= 1100


def test_a_large_volume_is_thinned_where_it_is_finest():
    made, step = prepared(phantom_on(GRID), 7000)
    assert made.size <= 7000
    assert step[0] == 1
    assert step[1] > 1


def test_what_cannot_be_seen_from_outside_is_refused_with_a_sentence():
    flat = phantom_on(geometry_of("LPS", (3, 30, 40), (3.0, 1.0, 1.0)))
    assert refusal_3d(flat).startswith("3 slices")
    colour = replace(phantom_on(GRID), array=np.zeros((*GRID.shape, 3), np.uint8))
    assert "Colour" in refusal_3d(colour)
    assert refusal_3d(phantom_on(GRID)) == ""
