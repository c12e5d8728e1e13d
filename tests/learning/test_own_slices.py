"""Slices of a turned head are cut upright, and are told by the numbers of the file's own slices."""

import numpy as np
import pytest
from phantoms import geometry_of
from scipy.ndimage import affine_transform, zoom
from scipy.spatial.transform import Rotation

from medview.domain.volume import Volume
from medview.imaging.reorder import reordered
from medview.learning.brain import prepare
from medview.learning.cases import PreparedCase, own_slices
from medview.learning.subset import TrainCase
from medview.learning.upright import mean_head
from medview.learning.upright_slices import cut_upright


def nodding(code):
    """The mean head in voxels of 3 mm with its chin down by 14 degrees, and its brain."""
    values = np.pad(zoom(mean_head(), 4 / 3, order=1), 8)
    turn = Rotation.from_euler("x", 14, degrees=True).as_matrix()[::-1, ::-1]
    middle = (np.array(values.shape) - 1) / 2
    values = affine_transform(values, turn.T, middle - turn.T @ middle, order=1)
    lps = geometry_of("LPS", values.shape, (3.0,) * 3)
    places = {letter: n for n, pair in enumerate(("LR", "PA", "SI")) for letter in pair}
    shape = tuple(values.shape[::-1][places[letter]] for letter in reversed(code))
    own = geometry_of(code, shape, (3.0,) * 3)
    affine = own.affine.copy()
    affine[:3, 3] += lps.centre_mm - own.centre_mm
    own = type(own)(shape, affine)
    volume = Volume(reordered(values.astype(np.float32), lps, own), own)
    return volume, prepare(volume, volume.array > 0.4)


@pytest.mark.parametrize(("code", "axis"), [("LPS", 0), ("RAI", 0), ("PSR", 1)])
def test_a_mark_in_the_middle_of_a_brain_lies_in_the_slice_of_its_number(code, axis):
    volume, lying = nodding(code)
    upright = cut_upright(volume, lying)
    middle = np.rint(np.argwhere(lying.mask).mean(axis=0)).astype(int)
    mark = np.zeros(volume.array.shape, np.float32)
    mark[tuple(slice(place - 1, place + 2) for place in middle)] = 1
    found = upright.prepared.on_model(upright.taken(mark)).sum(axis=(1, 2))
    own = own_slices(upright, lying)
    assert abs(own[int(found.argmax())] - middle[axis]) <= 1
    assert len(set(own.tolist())) == len(upright.prepared.slices)


def test_slices_that_are_those_of_the_file_keep_their_numbers():
    lying = nodding("RAI")[1]
    case = PreparedCase(TrainCase("a", "a", {}, "t1"), lying)
    assert case.number_of(3) == lying.grid.index_of(3)
