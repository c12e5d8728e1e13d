"""The views that a volume is first shown with."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.geometry import Plane
from medview.domain.volume import Volume
from medview.imaging.looks import newest_look, presented
from medview.imaging.view import View
from medview.services.layouts import (
    MAIN_PANE,
    PLANE_PANES,
    mpr_refusal,
)

# Of the planes, the one that the slices lie in, by the LPS axis that they are stacked along.
_PLANE_ALONG = (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)
# A volume counts as thick-sliced when its slices are this much further apart than its pixels.
_THICK = 2.0
# A stack lower than this part of its width would be a strip when it is cut across.
_THIN = 0.25


def first_views(volume: Volume) -> dict[str, View]:
    """The views that a volume is first shown with: by its newest presentation state, if any.

    The main pane is turned as the state says; the others take its grey.
    """
    views, look = stored_views(volume), newest_look(volume)
    if look is None:
        return views
    others = {pane: replace(view, look=look.state.uid) for pane, view in views.items()}
    return others | {MAIN_PANE: presented(volume, views[MAIN_PANE], look)}


def stored_view(volume: Volume, pane: str) -> View:
    """The first view of a pane without any presentation state."""
    views = stored_views(volume)
    return views.get(pane) or views[MAIN_PANE]


def stored_views(volume: Volume) -> dict[str, View]:
    """The first views of a volume as it is stored: all panes at its middle.

    A film, or a stack too low to be cut across, has one pane. The main pane is axial, or the
    plane of the slices where these are thick: cut across, they would be a staircase.
    """
    k, j, i = (n // 2 for n in volume.geometry.shape)
    x, y, z = (float(v) for v in volume.geometry.to_mm((k, j, i)))
    if volume.is_film:
        return {MAIN_PANE: View(_film_plane(volume), (x, y, z))}
    first = _main_plane(volume)
    if mpr_refusal(volume):
        return {MAIN_PANE: View(first, (x, y, z))}
    planes = (first, *(p for p in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL) if p is not first))
    point = (x, y, z)
    return {pane: View(plane, point) for pane, plane in zip(PLANE_PANES, planes, strict=True)}


def _film_plane(volume: Volume) -> Plane:
    """As stored, which is how DICOM images are made to be seen; slices of other formats upright.

    A NIfTI slice counts its rows toward the nose: as stored, the head would stand upside down.
    """
    if volume.modality or not volume.geometry.orientation_known:
        return Plane.ACQUIRED
    return _PLANE_ALONG[volume.geometry.axis_of.index(0)]


def _main_plane(volume: Volume) -> Plane:
    """Axial, where that is neither a staircase nor a strip; else as the slices lie."""
    k, j, i = volume.geometry.spacing_mm
    slices, rows, columns = volume.geometry.shape
    is_thin = slices * k < _THIN * max(rows * j, columns * i)
    if k < _THICK * max(j, i) and not is_thin:
        return Plane.AXIAL
    return _PLANE_ALONG[volume.geometry.axis_of.index(0)]
