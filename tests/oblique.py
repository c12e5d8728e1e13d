"""A grid that lies askew in the patient, for tests of everything that has to find its way."""

from __future__ import annotations

from typing import Any

import numpy as np
from phantoms import geometry_of

from medview.domain.geometry import Geometry


def oblique(**fields: Any) -> Geometry:
    """The default grid turned by 15 degrees about the vertical and tipped by 10."""
    plain = geometry_of("LPS", **fields)
    turn, tip = np.radians(15), np.radians(10)
    about_z = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    about_x = np.array([[1, 0, 0], [0, np.cos(tip), -np.sin(tip)], [0, np.sin(tip), np.cos(tip)]])
    affine = plain.affine.copy()
    affine[:3] = about_x @ about_z @ affine[:3]
    return Geometry(plain.shape, affine)
