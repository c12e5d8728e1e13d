"""Made-up volumes with known places in the patient, shared by all tests.

Everything is defined in LPS mm and then sampled on a grid, so one object can be had on any
grid and must be found at the same place whatever the array order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np

from medview.domain.geometry import Geometry
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import Prediction
from medview.domain.volume import Volume

# Centre of the bright cube of `phantom_on`: to the patient's left, anterior and superior.
MARK_LPS = (20.0, -25.0, 15.0)
MARK_VALUE = 1000
HEAD_VALUE = 300

_TOWARDS = {
    "L": (1, 0, 0),
    "R": (-1, 0, 0),
    "P": (0, 1, 0),
    "A": (0, -1, 0),
    "S": (0, 0, 1),
    "I": (0, 0, -1),
}

#: All 48 ways column, row and slice index can run through the patient.
ORIENTATIONS = tuple(
    "".join(pair[sign] for pair, sign in zip(order, signs, strict=True))
    for order in permutations(("LR", "PA", "SI"))
    for signs in product((0, 1), repeat=3)
)


def geometry_of(
    code: str = "LPS",
    shape: tuple[int, int, int] = (16, 20, 24),
    spacing_mm: tuple[float, float, float] = (5.0, 6.0, 4.0),
    centre_lps: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Geometry:
    """Grid whose column, row and slice grow toward the three letters of `code`.

    `shape` and `spacing_mm` are in array order (k, j, i); `centre_lps` is the grid's middle.
    """
    column, row, slice_ = (np.array(_TOWARDS[letter], dtype=float) for letter in code)
    axes = np.stack([slice_, row, column], axis=1) * np.array(spacing_mm)
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = np.array(centre_lps) - axes @ ((np.array(shape) - 1) / 2)
    return Geometry(shape, affine)


def tilted(geometry: Geometry, degrees: float, axis: int = 1) -> Geometry:
    """Shear slices along the row axis (or another array axis) as a tilted gantry does.

    The spacing along the normal stays.
    """
    affine = geometry.affine.copy()
    along = affine[:3, axis] / np.linalg.norm(affine[:3, axis])
    affine[:3, 0] += along * np.linalg.norm(affine[:3, 0]) * np.tan(np.radians(degrees))
    return Geometry(geometry.shape, affine)


def positions(geometry: Geometry) -> np.ndarray:
    """LPS mm of every voxel, (k, j, i, 3)."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), axis=-1)
    return geometry.to_mm(index)


def phantom_on(geometry: Geometry, dtype: type = np.int16, **fields: Any) -> Volume:
    """An ellipsoid head with a bright cube of 18 mm at `MARK_LPS`: no symmetry left."""
    place = positions(geometry)
    head = ((place / np.array([42.0, 55.0, 38.0])) ** 2).sum(axis=-1) <= 1.0
    cube = (np.abs(place - np.array(MARK_LPS)) <= 9.0).all(axis=-1)
    array = np.where(cube, MARK_VALUE, np.where(head, HEAD_VALUE, 0)).astype(dtype)
    return Volume(array, geometry, **fields)


def phantom(code: str = "LPS", **fields: Any) -> Volume:
    """The head with the cube, on the default grid in the given orientation."""
    return phantom_on(geometry_of(code), **fields)


def sphere_at(
    mm: tuple[float, float, float],
    *,
    radius_mm: float = 12.0,
    geometry: Geometry | None = None,
    value: float = 1.0,
) -> Volume:
    """A bright sphere at a place in LPS mm, float32, zero elsewhere."""
    grid = geometry or geometry_of()
    away = np.linalg.norm(positions(grid) - np.array(mm), axis=-1)
    return Volume(np.where(away <= radius_mm, value, 0.0).astype(np.float32), grid)


def map_of(volume: Volume, name: str = "score", **fields: Any) -> ScalarMap:
    """The values of a volume as a map of a model on the same grid."""
    array = volume.array.astype(np.float32)
    return ScalarMap(name, array, volume.geometry, **fields)


def prediction_with(*maps: ScalarMap, **parameters: object) -> Prediction:
    """A finished result that has these maps."""
    return Prediction(
        model="anomaly",
        version="1.0",
        weights_sha256="0" * 64,
        code="",
        device="cpu",
        dtype="float32",
        mode="batched",
        seed=0,
        parameters=parameters,
        seconds=1.0,
        peak_memory_mb=1.0,
        inputs=(),
        scores=(),
        maps=maps,
    )


def centre_of_mass_mm(array: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Weighted mean place of the values in LPS mm; NaN counts as nothing."""
    weights = np.nan_to_num(np.asarray(array, dtype=float))
    index = np.stack(np.nonzero(weights), axis=-1)
    return np.average(geometry.to_mm(index), axis=0, weights=weights[tuple(index.T)])


@dataclass(frozen=True, slots=True)
class BaseCase:
    """A series of 8 slices, 6 rows, 9 columns with one bright voxel at row 1, column 2.

    The letters are those at the edges when rows and columns are drawn as stored; `code` is
    toward where column, row and slice grow; `point_lps` is the bright voxel of slice 3.
    """

    name: str
    row: tuple[float, float, float]
    column: tuple[float, float, float]
    left: str
    right: str
    top: str
    bottom: str
    code: str
    point_lps: tuple[float, float, float]

    @property
    def geometry(self) -> Geometry:
        """Grid from Image Orientation and Position: rows 0.7 mm, columns 0.5, slices 2.5."""
        row, column = (np.array(v) / np.linalg.norm(v) for v in (self.row, self.column))
        affine = np.eye(4)
        affine[:3, 0] = np.cross(row, column) * 2.5
        affine[:3, 1] = column * 0.7
        affine[:3, 2] = row * 0.5
        affine[:3, 3] = (-100.0, -80.0, 40.0)
        return Geometry((8, 6, 9), affine, frame_of_reference="1.2.3")

    @property
    def volume(self) -> Volume:
        """Voxel (row 1, column 2) of slice k is 1000 + k, everything else 0."""
        array = np.zeros((8, 6, 9), dtype=np.int16)
        array[:, 1, 2] = 1000 + np.arange(8)
        return Volume(array, self.geometry, modality="CT", quantity="HU")

    @property
    def single_voxel(self) -> Volume:
        """Only the voxel at `point_lps` (slice 3, row 1, column 2) is bright."""
        array = np.zeros((8, 6, 9), dtype=np.int16)
        array[3, 1, 2] = 1003
        return Volume(array, self.geometry, modality="CT", quantity="HU")


def _case(name: str, cosines: str, edges: str, code: str, point: str) -> BaseCase:
    numbers = [float(text) for text in cosines.split("\\")]
    left, right, top, bottom = edges.split()
    x, y, z = (float(text) for text in point.split())
    row = (numbers[0], numbers[1], numbers[2])
    column = (numbers[3], numbers[4], numbers[5])
    return BaseCase(name, row, column, left, right, top, bottom, code, (x, y, z))


_G10 = r"0.93969\0\-0.34202\0\1\0"
_G11 = r"0.93969\0.059391\-0.33682\0\0.98481\0.17365"

#: name, Image Orientation (0020,0037), letters left right top bottom, code, point of the voxel
BASE_CASES = (
    _case("G1 axial", r"1\0\0\0\1\0", "R L A P", "LPS", "-99.0 -79.3 47.5"),
    _case("G2 axial rot180", r"-1\0\0\0\-1\0", "L R P A", "RAS", "-101.0 -80.7 47.5"),
    _case("G3 axial mirrored L-R", r"-1\0\0\0\1\0", "L R A P", "RPI", "-101.0 -79.3 32.5"),
    _case("G4 axial mirrored A-P", r"1\0\0\0\-1\0", "R L P A", "LAI", "-99.0 -80.7 32.5"),
    _case("G5 axial rot90", r"0\1\0\-1\0\0", "A P L R", "PRS", "-100.7 -79.0 47.5"),
    _case("G6 coronal", r"1\0\0\0\0\-1", "R L H F", "LIP", "-99.0 -72.5 39.3"),
    _case("G7 coronal mirrored", r"-1\0\0\0\0\-1", "L R H F", "RIA", "-101.0 -87.5 39.3"),
    _case("G8 sagittal", r"0\1\0\0\0\-1", "A P H F", "PIR", "-107.5 -79.0 39.3"),
    _case("G9 sagittal, nose right", r"0\-1\0\0\0\-1", "P A H F", "AIL", "-92.5 -81.0 39.3"),
    _case("G10 axial, 20 about y", _G10, "RH LF A P", "LPS", "-96.4952 -79.3 46.7057"),
    _case("G11 oblique", _G11, "RHA LFP AF PH", "LPS", "-96.4952 -80.4751 46.7254"),
)
