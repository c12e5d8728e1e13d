"""Frames in one plane are found without comparing each with every other."""

from dataclasses import replace

import numpy as np
import pytest
from dicom_files import save, stack

from medview.io import dicom_planes
from medview.io.dicom_headers import read_slices
from medview.io.dicom_outline import read_outline
from medview.io.dicom_planes import Planes, same_plane
from medview.io.dicom_stack import stacks_of


@pytest.fixture
def piece(tmp_path):
    save(stack()[:1], tmp_path)
    (file,) = tmp_path.iterdir()
    (found,) = read_slices(file, read_outline(file))
    return found


def turned(piece, angles):
    """The frame turned about the third axis, once for each angle in radians."""
    for n, angle in enumerate(angles):
        row = (np.cos(angle), np.sin(angle), 0.0)
        info = replace(piece.info, instance_uid=f"1.2.{n}")
        yield replace(piece, info=info, orientation=np.array([row, (0.0, 0.0, -1.0)]))


def test_groups_found_by_cells_are_those_found_one_by_one(piece):
    rng = np.random.default_rng(0)
    near = 1.2 * dicom_planes.SAME_DIRECTION
    pieces = list(turned(piece, rng.integers(0, 40, 400) * near * rng.choice([0.5, 1, 1.7], 400)))
    slow: list[list] = []
    planes = Planes()
    for each in pieces:
        expected = [group for group in slow if same_plane(group[0], each)]
        found = list(planes.near("key", each))
        assert [id(group[0]) for group in found] == [id(group[0]) for group in expected]
        if found:
            found[0].append(each)
            expected[0].append(each)
        else:
            planes.add("key", [each])
            slow.append([each])
    assert 20 < len(slow) < 200
    assert [[id(p) for p in group] for group in planes] == [[id(p) for p in g] for g in slow]
    assert not list(planes.near("other", pieces[0]))


def test_radial_slices_take_time_by_their_number(piece, monkeypatch):
    asked = []
    monkeypatch.setattr(
        dicom_planes, "same_plane", lambda a, b: asked.append(1) or same_plane(a, b)
    )
    pieces = list(turned(piece, np.pi * np.arange(300) / 300))
    assert len(stacks_of(pieces, lambda *_: False)) == 300
    assert len(asked) < 10 * len(pieces)
