from dataclasses import replace

import numpy as np
import pytest
from services.stubs import result_about

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.services.evidence import share_in_lungs
from medview.services.session_values import VolumeId

GRID = Geometry.from_ijk_affine((1, 4, 6), np.eye(4).tolist())


def film(evidence, lungs=None):
    made = result_about(VolumeId("1.1#0", "abc"), model="cxr", names=())
    maps = [ScalarMap("evidence", evidence, GRID, "evidence")]
    if lungs is not None:
        maps.append(ScalarMap("lungs", lungs, GRID, "labels", range=(0.0, 6.0)))
    return replace(made, maps=tuple(maps))


def test_the_share_counts_what_speaks_for_it_in_any_zone():
    evidence, lungs = np.zeros((2, 1, 4, 6), np.float32)
    lungs[0, :, :2], lungs[0, :, 4:] = 1, 6
    evidence[0, 0] = [3, 0, 1, -9, 0, 0]
    evidence[0, 1, 3] = np.nan
    assert share_in_lungs(film(evidence, lungs)) == pytest.approx(0.75)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_where_nothing_speaks_for_it_there_is_no_share(value):
    lungs = np.ones((1, 4, 6), np.float32)
    assert share_in_lungs(film(np.full((1, 4, 6), value, np.float32), lungs)) is None


def test_without_lungs_there_is_no_share():
    assert share_in_lungs(film(np.ones((1, 4, 6), np.float32))) is None
