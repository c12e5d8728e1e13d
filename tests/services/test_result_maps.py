"""Which map of a result is which, and where its brain lies."""

from dataclasses import replace

import numpy as np
import pytest
from result_phantom import head, prediction_on

from medview.domain.overlay import ScalarMap
from medview.domain.volume import Volume
from medview.services.result_maps import box_of, main_map, uncertainty_map


@pytest.fixture(scope="module")
def volume() -> Volume:
    return head()


@pytest.fixture(scope="module")
def prediction(volume):
    return prediction_on(volume)


def test_score_and_total_uncertainty_are_what_is_shown(prediction):
    assert main_map(prediction).name == "score"
    assert uncertainty_map(prediction).name == "total"
    bare = replace(prediction, maps=())
    assert main_map(bare) is None
    assert uncertainty_map(bare) is None


def test_the_box_holds_the_brain_or_else_what_is_not_background(volume, prediction):
    k0, k1, j0, j1, i0, i1 = box_of(prediction, volume)
    head_at = np.argwhere(volume.array > 0)
    assert [k0, j0, i0] == head_at.min(axis=0).tolist()
    assert [k1, j1, i1] == head_at.max(axis=0).tolist()
    assert box_of(None, volume) == (k0, k1, j0, j1, i0, i1)
    empty = ScalarMap("brain", np.zeros(volume.array.shape, np.uint8), volume.geometry, "mask")
    assert box_of(replace(prediction, maps=(empty,)), volume) == (k0, k1, j0, j1, i0, i1)
