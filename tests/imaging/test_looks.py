"""Presentation states on rendered pixels: turn, letters, grey, shutters, layers, the part seen."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from dicom_files import image, only, save, stack
from states import about, annotation, graphic, item, shown, state_of, table

from medview.domain.geometry import Plane
from medview.domain.volume import Window
from medview.imaging.frame import compose_frame, flatten, placement
from medview.imaging.looks import drawn, is_drawn_on, newest_look, presented, shut, voi_in_use
from medview.imaging.reslice import cut_of
from medview.imaging.view import Corners, Labels, View
from medview.services.first_views import first_views
from medview.services.layouts import MAIN_PANE

ROWS, COLUMNS = 30, 44
# Row 5, column 33 of an axial image: in front and to the patient's left of the middle.
FRONT_LEFT = (5, 33)
WINDOW = item(WindowCenter=128, WindowWidth=256)


def film(photometric="MONOCHROME2", **elements):
    pixels = np.random.default_rng(0).integers(0, 120, (ROWS, COLUMNS)).astype(np.uint8)
    pixels[FRONT_LEFT] = 255
    fields = {"PixelSpacing": [1, 1], "PhotometricInterpretation": photometric}
    return image(pixels, **(fields | elements)), pixels


def volume_by(tmp_path, images, **elements):
    return only(save([*images, state_of(images, **elements)], tmp_path))[1]


def turned(pixels, rotate, flip):
    """The standard's words: turned clockwise, then mirrored."""
    found = np.rot90(pixels, -rotate // 90)
    return found[:, ::-1] if flip == "Y" else found


@pytest.mark.parametrize(("rotate", "flip"), list(product((0, 90, 180, 270), "NY")))
def test_an_image_is_turned_clockwise_and_then_mirrored_and_letters_follow(rotate, flip, tmp_path):
    ds, pixels = film()
    volume = volume_by(
        tmp_path, [ds], ImageRotation=rotate, ImageHorizontalFlip=flip,
        SoftcopyVOILUTSequence=[WINDOW], PresentationLUTShape="IDENTITY",
    )  # fmt: skip
    frame = shown(volume)
    np.testing.assert_array_equal(frame.image, turned(pixels, rotate, flip))
    plain = replace(frame, crosshair=False, labels=Labels(), corners=Corners())
    picture = flatten(plain, (220, 220))
    rows, columns = np.nonzero(picture.min(axis=-1) > 190)
    x, y = columns.mean(), rows.mean()
    found = (placement(frame, (220, 220)) @ (x, y, 0, 1))[:3]
    np.testing.assert_allclose(found, volume.geometry.to_mm((0, *FRONT_LEFT)), atol=0.6)
    # The mark lies in front and on the left: those letters stand at the edges it is nearer to.
    side = frame.labels.right if x > 110 else frame.labels.left
    height = frame.labels.bottom if y > 110 else frame.labels.top
    assert {side, height} == {"L", "A"}


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", ["IDENTITY", "INVERSE"])
def test_a_state_sets_the_polarity_whatever_the_image_says(photometric, shape, tmp_path):
    ds, pixels = film(photometric)
    volume = volume_by(
        tmp_path, [ds], SoftcopyVOILUTSequence=[WINDOW], PresentationLUTShape=shape
    )  # fmt: skip
    assert volume.inverted == (photometric == "MONOCHROME1")
    frame = shown(volume)
    np.testing.assert_array_equal(frame.image, 255 - pixels if shape == "INVERSE" else pixels)
    view = presented(volume, first_views(volume)[MAIN_PANE], newest_look(volume))
    again = compose_frame(volume, (), replace(view, inverted=True)).image
    np.testing.assert_array_equal(again, 255 - frame.image)


def test_table_and_curve_follow_each_other(tmp_path):
    ds, pixels = film()
    steps = np.linspace(0, 65535, 256).astype(int).tolist()
    volume = volume_by(
        tmp_path, [ds], SoftcopyVOILUTSequence=[item(VOILUTSequence=[table(0, steps[::-1])])],
        PresentationLUTSequence=[table(0, [int(65535 * (n / 255) ** 2) for n in range(256)])],
    )  # fmt: skip
    expected = ((255 - pixels.astype(float)) / 255) ** 2 * 255
    assert np.abs(shown(volume).image - expected).max() <= 1
    view = replace(View(look=newest_look(volume).state.uid), window=Window(256, 128))
    # A window of the reader's own takes the table's place; the curve stays.
    own = compose_frame(volume, (), view).image
    assert np.abs(own - (pixels / 255.0) ** 2 * 255).max() <= 1


SHUTTERS = {
    "RECTANGULAR": {
        "ShutterLeftVerticalEdge": 5, "ShutterRightVerticalEdge": 30,
        "ShutterUpperHorizontalEdge": 3, "ShutterLowerHorizontalEdge": 20,
    },
    "CIRCULAR": {"CenterOfCircularShutter": [14, 20], "RadiusOfCircularShutter": 9},
    "POLYGONAL": {"VerticesOfThePolygonalShutter": [3, 5, 3, 40, 25, 5]},
}  # fmt: skip


def is_open(shape):
    """What a shutter leaves open, by rows and columns counted from 1."""
    row, column = np.mgrid[1 : ROWS + 1, 1 : COLUMNS + 1]
    if shape == "RECTANGULAR":
        return (column >= 5) & (column <= 30) & (row >= 3) & (row <= 20)
    if shape == "CIRCULAR":
        return (row - 14) ** 2 + (column - 20) ** 2 <= 81
    return (row >= 3) & (column >= 5) & ((row - 3) / 22 + (column - 5) / 35 <= 1)


@pytest.mark.parametrize("shapes", [*((shape,) for shape in SHUTTERS), tuple(SHUTTERS)])
def test_a_shutter_fills_what_it_closes(shapes, tmp_path):
    ds, pixels = film()
    values = {key: value for shape in shapes for key, value in SHUTTERS[shape].items()}
    volume = volume_by(
        tmp_path, [ds], SoftcopyVOILUTSequence=[WINDOW], ShutterShape=list(shapes), **values,
        ShutterPresentationValue=0x8000, ImageRotation=90, ImageHorizontalFlip="Y",
    )  # fmt: skip
    open_ = np.logical_and.reduce([is_open(shape) for shape in shapes])
    expected = turned(np.where(open_, pixels, 128), 90, "Y")
    differ = shown(volume).image != expected
    # A corner pixel of the polygon may fall on either side.
    assert differ.sum() <= (20 if "POLYGONAL" in shapes else 0)
    stored = compose_frame(volume, (), View(Plane.ACQUIRED))
    assert (stored.image[0] != 128).any()


def test_an_oblong_pixel_keeps_a_circle_round(tmp_path):
    ds, _ = film(PixelSpacing=[2, 1])
    volume = volume_by(tmp_path, [ds], ShutterShape="CIRCULAR", **SHUTTERS["CIRCULAR"])
    open_ = shown(volume).image != 0
    assert (open_.any(axis=1).sum(), open_.any(axis=0).sum()) == (9, 19)


def test_higher_layers_lie_above_lower_ones_in_their_own_grey(tmp_path):
    ds, _ = film()
    square = [(10, 10), (20, 10), (20, 20), (10, 20)]
    layers = [
        item(GraphicLayer="TOP", GraphicLayerOrder=2,
             GraphicLayerRecommendedDisplayGrayscaleValue=0x4000),
        item(GraphicLayer="LOW", GraphicLayerOrder=1),
    ]  # fmt: skip
    volume = volume_by(
        tmp_path, [ds], GraphicLayerSequence=layers,
        GraphicAnnotationSequence=[
            annotation(graphic("POLYLINE", square, GraphicFilled="Y"), layer="TOP"),
            annotation(graphic("POLYLINE", [(5, 15), (30, 15)]), layer="LOW"),
        ],
    )  # fmt: skip
    (drawn,) = shown(volume).tints
    assert drawn[15, 15].tolist() == [0x40, 0x40, 0x40, 255]
    assert drawn[14:16, 27].max() == 255


@pytest.mark.parametrize(
    ("kind", "points", "wide", "high"),
    [
        ("ELLIPSE", [(10, 15), (30, 15), (20, 10), (20, 20)], 20, 10),
        ("CIRCLE", [(20, 15), (26, 15)], 12, 12),
        ("POINT", [(20, 15)], 4, 4),
    ],
)
def test_round_drawings_and_points_reach_as_far_on_every_side(kind, points, wide, high, tmp_path):
    ds, _ = film()
    volume = volume_by(
        tmp_path, [ds], GraphicAnnotationSequence=[annotation(graphic(kind, points))]
    )
    (tinted,) = shown(volume).tints
    down, right = np.nonzero(tinted[..., 3])
    assert [np.ptp(right), np.ptp(down)] == pytest.approx([wide, high], abs=1)
    # The standard counts from the corner of the first pixel, here from its middle.
    middle = [(each.min() + each.max()) / 2 for each in (right, down)]
    assert middle == pytest.approx([20 - 0.5, 15 - 0.5], abs=0.5)


def test_texts_stay_upright_when_the_image_is_turned(tmp_path):
    ds, _ = film()
    text = item(UnformattedTextValue="L", AnchorPoint=[20.0, 10.0],
                AnchorPointAnnotationUnits="PIXEL", AnchorPointVisibility="Y")  # fmt: skip
    for turn in ({}, {"ImageRotation": 180}):
        folder = tmp_path / str(len(turn))
        volume = volume_by(
            folder, [ds], GraphicAnnotationSequence=[annotation(texts=[text])], **turn
        )
        (drawn,) = shown(volume).tints
        rows, columns = np.nonzero(drawn[..., 3])
        # The foot of the letter is at the lower end, to the right of its stem.
        assert columns[rows == rows.max()].max() > columns[rows == rows.min()].max()


@pytest.mark.parametrize(("rotate", "flip"), [(0, "N"), (90, "N"), (0, "Y"), (270, "Y")])
def test_the_part_to_be_seen_fills_the_pane(rotate, flip, tmp_path):
    ds, _ = film(PixelSpacing=[0.5, 0.5])
    part = item(DisplayedAreaTopLeftHandCorner=[31, 1], DisplayedAreaBottomRightHandCorner=[38, 10],
                PresentationSizeMode="SCALE TO FIT")  # fmt: skip
    volume = volume_by(
        tmp_path, [ds], DisplayedAreaSelectionSequence=[part], ImageRotation=rotate,
        ImageHorizontalFlip=flip,
    )  # fmt: skip
    view = presented(volume, first_views(volume)[MAIN_PANE], newest_look(volume))
    assert view.zoom == pytest.approx(3.0)
    frame = compose_frame(volume, (), view)
    matrix = placement(frame, (300, 300), zoom=view.zoom, pan_mm=view.pan_mm)
    middle = (matrix @ (149.5, 149.5, 0, 1))[:3]
    np.testing.assert_allclose(middle, volume.geometry.to_mm((0, 4.5, 33.5)), atol=1e-6)


def test_annotations_on_the_screen_lie_in_the_part_to_be_seen(tmp_path):
    ds, _ = film()
    part = item(DisplayedAreaTopLeftHandCorner=[11, 1], DisplayedAreaBottomRightHandCorner=[30, 20])
    point = graphic("POINT", [(0.25, 0.1)], GraphicAnnotationUnits="DISPLAY")
    for n, (rotate, flip) in enumerate(product((0, 90, 180, 270), "NY")):
        volume = volume_by(
            tmp_path / str(n), [ds], DisplayedAreaSelectionSequence=[part], ImageRotation=rotate,
            ImageHorizontalFlip=flip, GraphicAnnotationSequence=[annotation(point)],
        )  # fmt: skip
        view = presented(volume, first_views(volume)[MAIN_PANE], newest_look(volume))
        frame = compose_frame(volume, (), view)
        matrix = placement(frame, (300, 300), zoom=view.zoom, pan_mm=view.pan_mm)
        rows, columns = np.nonzero(frame.tints[0][..., 3])
        place = frame.pixel_to_lps @ (columns.mean(), rows.mean(), 0, 1)
        # The part is 20 pixels wide and high: 5 to the right and 2 down of its corner on screen.
        edges = np.linalg.inv(matrix) @ place
        side = 300 * 30 / 44 / 30 * view.zoom
        corner = 149.5 - 10 * side
        assert (edges[:2] - corner) / side == pytest.approx((5, 2), abs=1.0)


def test_the_newest_state_about_the_middle_slice_is_shown_first(tmp_path):
    images = stack()
    made = [
        ("FIRST", images[4:6], "2020"),
        ("SECOND", images[4:5], "2021"),
        ("AWAY", images[:2], "2022"),
    ]
    states = [
        state_of(about_them, ContentLabel=label, PresentationCreationDate=f"{year}0101")
        for label, about_them, year in made
    ]
    _, volume = only(save([*images, *states], tmp_path))
    assert newest_look(volume).state.label == "SECOND"
    assert newest_look(replace(volume, looks=volume.looks[-1:])).state.label == "AWAY"
    assert newest_look(replace(volume, looks=())) is None


def test_a_state_of_some_slices_leaves_the_others_as_they_are(tmp_path):
    images = stack(WindowCenter=500, WindowWidth=1000)
    voi = item(WindowCenter=40, WindowWidth=80, ReferencedImageSequence=about(images[2]))
    state = state_of(images[2:4], PresentationLUTShape="INVERSE", SoftcopyVOILUTSequence=[voi])
    _, volume = only(save([*images, state], tmp_path))
    look = newest_look(volume)
    assert [look.covers(k) for k in range(8)] == [False, False, True, True] + [False] * 4
    windows, corners = {}, {}
    for k in (1, 2, 3):
        x, y, z = volume.geometry.to_mm((k, 3, 4))
        frame = compose_frame(volume, (), View(point_lps=(x, y, z), look=look.state.uid))
        windows[k] = frame.window.width, int(frame.image[0, 0])
        corners[k] = "State: STROKE" in frame.corners.bottom_left
    assert windows == {1: (1000, 0), 2: (80, 255), 3: (1000, 255)}
    assert corners == {1: False, 2: True, 3: True}


def test_drawings_and_shutters_are_of_single_slices_as_they_are_stored(tmp_path):
    images = stack()
    line = annotation(graphic("POLYLINE", [(1.5, 2.5), (4.5, 2.5)]))
    state = state_of(images, [line], ShutterShape="CIRCULAR", **SHUTTERS["CIRCULAR"])
    _, volume = only(save([*images, state], tmp_path))
    look = newest_look(volume)
    x, y, z = volume.geometry.to_mm((3, 3, 4))
    at = View(point_lps=(x, y, z), look=look.state.uid)
    for view, is_one in (
        (at, True),
        (replace(at, slab_mm=10.0), False),
        (replace(at, plane=Plane.CORONAL), False),
    ):
        cut = cut_of(volume.geometry, view)
        image = np.full((6, 9), 77, np.uint8)
        assert (drawn(volume, view, cut) is not None) is is_one
        assert (shut(volume, view, cut, image) is not image) is is_one
        assert is_drawn_on(volume, view)
    # A state that draws is first shown on a slice as it is stored.
    across = presented(volume, replace(at, plane=Plane.CORONAL), look)
    assert across.plane is Plane.ACQUIRED
    assert presented(volume, at, look).plane is at.plane
    assert not is_drawn_on(volume, replace(at, look=""))


def test_the_window_in_use_is_that_of_the_slice_or_of_the_middle_one(tmp_path):
    images = stack(WindowCenter=500, WindowWidth=1000)
    near, far = (
        item(WindowCenter=40, WindowWidth=width, ReferencedImageSequence=about(images[k]))
        for width, k in ((80, 1), (90, 4))
    )
    state = state_of(images, SoftcopyVOILUTSequence=[near, far])
    _, volume = only(save([*images, state], tmp_path))
    uid = newest_look(volume).state.uid
    x, y, z = volume.geometry.to_mm((1, 3, 4))
    axial = View(point_lps=(x, y, z), look=uid)
    assert voi_in_use(volume, axial).width == 80
    assert voi_in_use(volume, replace(axial, plane=Plane.CORONAL)).width == 90
    assert voi_in_use(volume, replace(axial, look="")).width == 1000
    chosen = replace(axial, window=Window(7.0, 3.0))
    assert voi_in_use(volume, chosen).width == 7


def test_planes_across_the_slices_take_the_grey_and_nothing_else(tmp_path):
    images = stack()
    state = state_of(images, PresentationLUTShape="INVERSE", SoftcopyVOILUTSequence=[WINDOW],
                     ShutterShape="CIRCULAR", **SHUTTERS["CIRCULAR"])  # fmt: skip
    _, volume = only(save([*images, state], tmp_path))
    point = tuple(volume.geometry.to_mm((3, 1, 2)).tolist())
    uid = newest_look(volume).state.uid
    frame = compose_frame(volume, (), View(Plane.CORONAL, point, look=uid))
    assert frame.window.width == 256
    assert frame.image.max() == 255
    assert frame.image.min() == 0
