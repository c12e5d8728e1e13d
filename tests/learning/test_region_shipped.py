"""The shipped region weights on real heads that they never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.domain.geometry import Geometry
from medview.domain.volume import Volume
from medview.io.seen import seen_of
from medview.learning import brain_sets
from medview.learning.patients import patient_hash
from medview.learning.region_cases import load_head
from medview.learning.region_measure import measure
from medview.learning.regions import find_regions, load_region_model
from medview.learning.weights import shipped

ELDERLY = Path(__file__).parents[2].parent / "shared/data/mri3d/elderly/nichart_demo_2mm"


def test_the_shipped_weights_hold_an_age_model_and_a_licence() -> None:
    if not shipped("region-net").is_file():
        pytest.skip("region weights are not there")
    model = load_region_model()
    assert model.age is not None
    assert model.card.inputs == ()
    assert model.card.licence.startswith("research, non-commercial")  # that of elderly-t1
    for patient, is_seen in (("IXI012", True), ("elderly-t1:Subj1", True), ("IXI9999", False)):
        assert bool(seen_of(model.card, [patient_hash(patient)])) == is_seen


@pytest.mark.slow
def test_an_elderly_head_is_parted_and_its_mirrored_array_alike() -> None:
    if not ELDERLY.is_dir():
        pytest.skip("the elderly heads are not there")
    model = load_region_model()
    case = brain_sets.load_elderly_t1(ELDERLY).cases[0]
    head = load_head(case)
    found = measure(model.network, head)
    assert np.nanmean(found.dice) > 0.6
    assert found.dice[0] > 0.7  # the right lateral ventricle; with sides changed it were 0
    flipped = np.ascontiguousarray(head.volume.array[:, :, ::-1])
    affine = head.volume.geometry.affine.copy()
    affine[:3, 3] += affine[:3, 2] * (flipped.shape[2] - 1)
    affine[:3, 2] *= -1
    turned = find_regions(Volume(flipped, Geometry(flipped.shape, affine)), model.network)
    plain = find_regions(head.volume, model.network, head.box)
    # Ties between voxels are broken in the patient, so that the storage moves no box.
    assert np.allclose(turned.box.geometry.affine, plain.box.geometry.affine)
    assert (turned.map[:, :, ::-1] == plain.map).mean() > 0.995
    assert model.age is not None
    ages = [float(model.age.from_network(one.ml[None])[0]) for one in (turned, plain)]
    assert abs(ages[0] - ages[1]) < 0.01
