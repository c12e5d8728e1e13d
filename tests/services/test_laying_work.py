"""Objects of other programs on the grid of an image: everything stays where it is in mm."""

import numpy as np
import pydicom
import pytest
from dicom_files import catalogue, save, stack
from foreign_objects import (
    FRAME,
    affine_about,
    parametric_map,
    places,
    segmentation,
    turned,
)

from medview.domain.errors import GeometryError, InputRefused, ReadError
from medview.domain.geometry import Geometry
from medview.domain.progress import Silent
from medview.io.dicom_objects import read_object
from medview.services.laying_work import lay

MIDDLE = (10.0, -20.0, 30.0)
BALL = np.array((14.0, -17.0, 32.0))
RADIUS = 7.0
SHAPE, STEPS = (14, 40, 44), (-2.2, 1.1, 1.3)
OWN = affine_about(MIDDLE, turned((25.0, 10.0), STEPS), SHAPE)
IMAGE_SHAPE, IMAGE_STEPS = (30, 48, 52), (1.5, 1.2, 0.9)


def image(frame=FRAME, middle=MIDDLE, shape=IMAGE_SHAPE, steps=IMAGE_STEPS, degrees=(0.0, 0.0)):
    return Geometry(shape, affine_about(middle, turned(degrees, steps), shape), frame)


def ball(affine=OWN, shape=SHAPE, centre=BALL, radius=RADIUS):
    return np.linalg.norm(places(affine, shape) - centre, axis=-1) < radius


@pytest.mark.parametrize("degrees", [(0.0, 0.0), (-40.0, 15.0)], ids=["straight", "oblique"])
@pytest.mark.parametrize("over", [1, -1], ids=["head up", "head down"])
def test_a_mask_of_another_grid_lies_where_it_was_drawn(tmp_path, degrees, over):
    target = image(degrees=degrees, steps=(over * IMAGE_STEPS[0], *IMAGE_STEPS[1:]))
    laid = lay(Silent(), segmentation({"Lesion": ball()}, OWN, tmp_path / "s.dcm"), target)
    [found] = laid.maps
    assert (found.title, found.kind, found.geometry) == ("Lesion", "mask", target)
    away = np.linalg.norm(places(target.affine, target.shape) - BALL, axis=-1)
    inside = found.array > 0
    half = np.linalg.norm(STEPS) / 2  # from the middle of a voxel to its corner
    assert away[inside].max() < RADIUS + half
    assert inside[away < RADIUS - half].all()
    centre = places(target.affine, target.shape)[inside].mean(axis=0)
    assert np.abs(centre - BALL).max() < 0.25
    own_ml = ball().sum() * abs(np.linalg.det(OWN[:3, :3]))
    assert inside.sum() * abs(np.linalg.det(target.affine[:3, :3])) == pytest.approx(
        own_ml, rel=0.04
    )
    assert "another grid (1.3 × 1.1 × 2.2 mm, turned by " in laid.words
    assert "through the patient's space, with the value of the nearest voxel." in laid.words


def test_values_between_voxels_are_those_of_their_place(tmp_path):
    def field(at):
        return at @ np.array([1.0, 2.0, -1.0])

    path = parametric_map(field(places(OWN, SHAPE)), OWN, tmp_path / "p.dcm")
    target = image()
    laid = lay(Silent(), path, target)
    [found] = laid.maps
    known = np.isfinite(found.array)
    inside = Geometry(SHAPE, OWN).to_index(places(target.affine, target.shape)[known])
    ends = np.array(SHAPE) - 1
    within = ((inside >= 0) & (inside <= ends)).all(axis=-1)
    assert within.sum() > 10000
    wanted = field(places(target.affine, target.shape))[known]
    assert np.abs(found.array[known] - wanted)[within].max() < 1e-3
    assert ((inside >= -0.51) & (inside <= ends + 0.51)).all()  # nothing beside the object
    assert (found.unit, found.kind) == ("mm2/s", "evidence")
    assert "with the values between." in laid.words


def test_on_the_grid_of_the_image_nothing_is_moved_and_nothing_said(tmp_path):
    path = segmentation({"A": ball(), "B": ball(radius=2.0)}, OWN, tmp_path / "s.dcm")
    laid = lay(Silent(), path, Geometry(SHAPE, OWN, FRAME))
    assert read_object(path)[0].geometry.shape[0] < SHAPE[0]  # empty frames were left out
    assert laid.words == ""
    assert [each.title for each in laid.maps] == ["A", "B"]
    assert np.array_equal(laid.maps[0].array, ball())
    assert len({each.name for each in laid.maps}) == 2


def test_frames_that_were_left_out_shift_nothing(tmp_path):
    gaps = ball()
    gaps[[6, 9]] = False
    [found] = read_object(segmentation({"A": gaps}, OWN, tmp_path / "s.dcm"))
    assert found.geometry.shape[0] < SHAPE[0]
    drawn = places(found.geometry.affine, found.geometry.shape)[found.array > 0]
    wanted = places(OWN, SHAPE)[gaps]
    order = [np.lexsort(each.round(3).T) for each in (drawn, wanted)]
    assert np.abs(drawn[order[0]] - wanted[order[1]]).max() < 1e-4


def test_only_another_frame_of_reference_is_refused(tmp_path):
    path = segmentation({"A": ball()}, OWN, tmp_path / "s.dcm")
    with pytest.raises(InputRefused, match=r"^s\.dcm: it was made in another frame of reference"):
        lay(Silent(), path, image(frame="1.9"))
    assert "names no frame of reference" in lay(Silent(), path, image(frame="")).words
    with pytest.raises(GeometryError, match="lies elsewhere in the patient"):
        lay(Silent(), path, image(middle=(500.0, 0.0, 0.0)))


def test_a_segment_that_falls_between_the_voxels_is_named(tmp_path):
    tiny = np.zeros(SHAPE, bool)
    tiny[7, 19, 22] = True
    path = segmentation({"Big": ball(), "Tiny": tiny}, OWN, tmp_path / "s.dcm")
    laid = lay(Silent(), path, image(shape=(6, 7, 6), steps=(9.0, 9.0, 9.0)))
    assert "Nothing is seen of Tiny:" in laid.words


def test_shares_are_taken_between_voxels_and_many_segments_are_one_map_of_labels(tmp_path):
    path = segmentation({"A": ball() * 0.5}, OWN, tmp_path / "f.dcm", fractional=True)
    [share] = lay(Silent(), path, image()).maps
    assert share.kind == "evidence"
    assert np.nanmax(share.array) == pytest.approx(0.5, abs=0.01)
    balls = {f"n{n}": ball(centre=BALL + np.array((0, n, 0)), radius=1.5) for n in range(-4, 6)}
    [labels] = read_object(segmentation(balls, OWN, tmp_path / "m.dcm"))
    assert (labels.kind, labels.title, labels.array.max()) == ("labels", "10 segments", 10)


@pytest.mark.parametrize("spoil", ["text", "torn", "image"])
def test_what_is_no_object_is_refused_in_a_sentence(tmp_path, spoil):
    path = segmentation({"A": ball()}, OWN, tmp_path / "s.dcm")
    raw = path.read_bytes()
    if spoil == "image":
        raw = raw.replace(b"1.2.840.10008.5.1.4.1.1.66.4", b"1.2.840.10008.5.1.4.1.1.88.4")
    path.write_bytes({"text": b"no object", "torn": raw[: len(raw) // 3], "image": raw}[spoil])
    with pytest.raises(ReadError, match=r"^s\.dcm: this (object cannot|is no segmentation)"):
        read_object(path)


def test_a_segmentation_without_segments_is_refused(tmp_path):
    path = segmentation({"A": ball()}, OWN, tmp_path / "s.dcm")
    dataset = pydicom.dcmread(path)
    dataset.SegmentSequence = []
    dataset.save_as(path)
    with pytest.raises(ReadError, match="holds no segments"):
        lay(Silent(), path, image())


def test_a_series_says_that_it_can_lie_over_others(tmp_path):
    segmentation({"A": ball()}, OWN, tmp_path / "s.dcm")
    parametric_map(places(OWN, SHAPE)[..., 0], OWN, tmp_path / "p.dcm")
    save(stack(), tmp_path / "images")
    found = catalogue(tmp_path).all_series()
    assert sorted(each.lies_over for each in found) == [False, True, True]
    assert {each.geometry.frame_of_reference for each in found} == {FRAME}
