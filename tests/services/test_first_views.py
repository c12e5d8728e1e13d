"""How a volume is first shown."""

import pytest
from phantoms import geometry_of, phantom, phantom_on

from medview.domain.geometry import Plane
from medview.imaging.frame import compose_frame
from medview.services.first_views import first_views
from medview.services.layouts import MAIN_PANE


@pytest.mark.parametrize(
    ("code", "plane"), [("LPS", Plane.AXIAL), ("LIP", Plane.CORONAL), ("PIR", Plane.SAGITTAL)]
)
def test_thick_slices_are_first_shown_as_they_were_taken(code, plane):
    thick = phantom_on(geometry_of(code, shape=(8, 40, 40), spacing_mm=(10.0, 2.0, 2.0)))
    assert first_views(thick)[MAIN_PANE].plane is plane


def test_thin_sagittal_slices_are_first_shown_axial():
    assert first_views(phantom("PIR"))[MAIN_PANE].plane is Plane.AXIAL


def test_a_film_has_one_pane_that_shows_it_as_it_is():
    film = phantom_on(geometry_of(shape=(1, 20, 24)), modality="DX")
    assert [view.plane for view in first_views(film).values()] == [Plane.ACQUIRED]


@pytest.mark.parametrize("code", ["RAS", "LPS", "RIA", "PIR", "ASR"])
def test_one_slice_without_dicom_stands_as_a_radiologist_sees_it(code):
    slice_ = phantom_on(geometry_of(code, shape=(1, 40, 40), spacing_mm=(5.0, 2.0, 2.0)))
    view = first_views(slice_)[MAIN_PANE]
    labels = compose_frame(slice_, (), view).labels
    expected = {Plane.AXIAL: "RA", Plane.CORONAL: "RH", Plane.SAGITTAL: "AH"}
    assert labels.left + labels.top == expected[view.plane]


def test_one_slice_of_dicom_stands_as_it_is_stored():
    film = phantom_on(geometry_of("RAS", (1, 40, 40), (5.0, 2.0, 2.0)), modality="MR")
    view = first_views(film)[MAIN_PANE]
    labels = compose_frame(film, (), view).labels
    assert (view.plane, labels.left, labels.top) == (Plane.ACQUIRED, "L", "P")
