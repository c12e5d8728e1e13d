"""Models that are known to be right, on every grid a volume can have: what is left stays left.

One gives its input back, the other marks the left half of what it sees; both go through the same
turning, centring and resampling as every map of the anomaly model.
"""

import numpy as np
import pytest
from oblique import oblique
from phantoms import ORIENTATIONS, geometry_of, phantom_on, positions

from medview.learning.brain import prepare
from medview.learning.grid import SIDE

CODES = (*ORIENTATIONS, "oblique")
_MIDDLE_MM = 6.0


@pytest.fixture(autouse=True)
def _brain_by_threshold(monkeypatch):
    monkeypatch.setattr("medview.learning.brain.find_brain", lambda head, ml: (head > 0, False))


def prepared_on(code):
    volume = phantom_on(oblique() if code == "oblique" else geometry_of(code))
    return volume, prepare(volume)


@pytest.mark.parametrize("code", CODES)
def test_a_model_that_gives_its_input_back_gives_it_back_in_place(code):
    volume, prepared = prepared_on(code)
    back = prepared.on_grid(prepared.slices[prepared.scored])
    assert back.shape == volume.geometry.shape
    inside = (back > 0) & (volume.array > 0)
    values = volume.array[inside].astype(float)
    assert np.corrcoef(values, back[inside])[0, 1] > 0.9
    places = positions(volume.geometry)
    one, two = (
        np.average(places[inside], axis=0, weights=weights.astype(float) ** 2)
        for weights in (volume.array[inside], back[inside])
    )
    assert two == pytest.approx(one, abs=1.5)


@pytest.mark.parametrize("code", CODES)
def test_a_model_that_marks_the_left_half_marks_the_patients_left(code):
    volume, prepared = prepared_on(code)
    left = np.zeros((len(prepared.scored), SIDE, SIDE), np.float32)
    left[:, :, SIDE // 2 :] = 1
    marked = prepared.on_grid(left * prepared.brain[prepared.scored])
    inside = prepared.on_grid(prepared.brain[prepared.scored].astype(np.float32)) > 0.5
    x = positions(volume.geometry)[..., 0]
    middle = (x[inside].min() + x[inside].max()) / 2
    sure = (
        inside & (np.abs(x - middle) > _MIDDLE_MM) if code != "oblique" else inside & (abs(x) > 25)
    )
    assert sure.sum() > 500
    assert ((marked[sure] > 0.5) == (x[sure] > middle)).all()
