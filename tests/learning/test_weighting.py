"""A brain whose cortex is too bright for T1 is doubted."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of

from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.learning.anomaly_run import run_anomaly
from medview.learning.brain import Prepared, prepare
from medview.learning.weighting import cortex_share, weighting_notes


def ball(cortex: float, slices_mm: float = 4.0, radius_mm: float = 70.0) -> Volume:
    """A brain without a skull: white matter of 100 in 8 mm of cortex, fluid in its middle."""
    shape = (round(200 / slices_mm), 50, 50)
    geometry = geometry_of(shape=shape, spacing_mm=(slices_mm, 4.0, 4.0))
    steps = np.array([slices_mm, 4.0, 4.0]).reshape(3, 1, 1, 1)
    away_mm = np.sqrt((((np.indices(shape).T - (np.array(shape) - 1) / 2).T * steps) ** 2).sum(0))
    inside = np.where(away_mm < 25, 2.0, np.where(away_mm < radius_mm - 8, 100.0, cortex))
    texture = np.random.default_rng(0).uniform(-1, 1, shape)
    values = np.where(away_mm < radius_mm, inside + texture, 0)
    return Volume(values.astype(np.float32), geometry, modality="MR")


def found(volume: Volume) -> Prepared:
    """The same for a model, with all of it found."""
    return prepare(volume, volume.array > 0)


@pytest.mark.parametrize("slices_mm", [1.0, 4.0, 6.0])
@pytest.mark.parametrize(("cortex", "is_told"), [(60.0, False), (70.0, False), (95.0, True)])
def test_a_cortex_that_is_not_darker_than_white_matter_is_told(cortex, is_told, slices_mm):
    prepared = found(ball(cortex, slices_mm))
    assert cortex_share(prepared) == pytest.approx(cortex / 100, abs=0.06)
    notes = weighting_notes(prepared)
    assert [note.code for note in notes] == ["OUTSIDE_TRAINING"] * is_told
    assert all("FLAIR" in note.text for note in notes)


def test_neither_vessels_nor_fluid_are_cortex():
    plain = found(ball(70.0))
    values = plain.slices.copy()
    dice = np.random.default_rng(1).random(values.shape)
    values[plain.brain & (dice < 0.1)] = 0.02
    values[plain.brain & (dice > 0.9)] = 1.0
    spotted = replace(plain, slices=values)
    assert cortex_share(spotted) == pytest.approx(cortex_share(plain), abs=0.03)


def test_of_what_has_no_deep_part_nothing_is_told():
    prepared = found(ball(95.0))
    thin = replace(prepared, brain=prepared.brain & (prepared.slices > 2))
    assert cortex_share(thin) is None
    assert weighting_notes(thin) == ()


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(("role", "is_told"), [("t1", True), ("t1ce", False)])
def test_a_run_tells_it_of_a_volume_without_contrast_agent(role, is_told):
    made = run_anomaly(Silent(), RunRequest("anomaly", {role: ball(95.0, 12.0)}, (), samples=1))
    assert any("cortex" in note.text for note in made.warnings) is is_told
