"""Presentation states: their windows are offered, what they draw lies where they say."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import catalogue, codes, ct, image, marked_slice, save, stack, write
from states import about, annotation, graphic, item, shown, state_of, table

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.domain.volume import ValueTable
from medview.imaging.intensity import presets_for
from medview.io import readers
from medview.io.dicom_outline import read_outline
from medview.io.dicom_presentation import read_presentation

WINDOW = item(WindowCenter=40, WindowWidth=80)


def opened(folder):
    (series,) = catalogue(folder).all_series()
    return series, readers.load(Silent(), series)


def test_a_line_is_drawn_on_the_image_it_is_about(tmp_path):
    images = stack()
    # Centres of pixels lie at halves: row 2, columns 1 to 4.
    line = graphic("POLYLINE", [(1.5, 2.5), (4.5, 2.5)])
    save([*images, state_of(images, [annotation(line, images=images[3:4])])], tmp_path)
    series, volume = opened(tmp_path)
    assert codes(series) == ["PRESENTATION"]
    assert series.warnings[0].text == "a presentation state beside the images gives 1 graphic"
    (look,) = volume.looks
    assert [len(look.drawings(k)) for k in range(8)] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert all(look.covers(k) for k in range(8))
    assert look.drawings(3)[0].points == ((1.5, 2.5), (4.5, 2.5))


@pytest.mark.parametrize(
    ("kind", "points", "filled", "inside", "outside"),
    [
        ("POINT", [(20.5, 10.5)], "N", [(10, 20), (10, 22), (12, 20)], [(12, 22)]),
        ("CIRCLE", [(20.5, 15.5), (25.5, 15.5)], "N", [(15, 25), (15, 15), (20, 20)], [(15, 20)]),
        ("CIRCLE", [(20.5, 15.5), (25.5, 15.5)], "Y", [(15, 20), (12, 20)], [(9, 20)]),
        ("ELLIPSE", [(10.5, 15.5), (30.5, 15.5), (20.5, 10.5), (20.5, 20.5)], "N",
         [(15, 10), (15, 30), (10, 20), (20, 20)], [(15, 20)]),
        ("POLYLINE", [(5.5, 5.5), (15.5, 5.5), (15.5, 25.5)], "Y", [(10, 14), (5, 10)], [(20, 6)]),
    ],
)  # fmt: skip
def test_shapes_lie_where_their_points_are(kind, points, filled, inside, outside, tmp_path):
    film = image(np.zeros((30, 40), np.int16))
    state = state_of([film], [annotation(graphic(kind, points, GraphicFilled=filled))])
    _, volume = opened(save([film, state], tmp_path))
    (drawn,) = shown(volume).tints
    assert all(drawn[place].tolist() == [255] * 4 for place in inside)
    assert not any(drawn[place].any() for place in outside)


def test_a_text_begins_at_its_anchor_and_none_that_names_the_patient_is_drawn(tmp_path):
    film = image(np.zeros((60, 80), np.int16))
    texts = [
        item(UnformattedTextValue=words, AnchorPoint=[20.0, 30.0],
             AnchorPointAnnotationUnits="PIXEL", AnchorPointVisibility="Y")
        for words in ("bleed", "Test, Case")
    ]  # fmt: skip
    series, volume = opened(save([film, state_of([film], [annotation(texts=texts)])], tmp_path))
    rows, columns = np.nonzero(shown(volume).tints[0][..., 3])
    assert 28 <= rows.min() <= rows.max() < 50
    assert 18 <= columns.min() <= columns.max() < 70
    assert series.warnings[0].text.endswith("gives 1 text")
    assert "Case" not in repr(series.presentations)


def test_windows_are_offered_behind_those_of_the_file(tmp_path):
    images = stack(WindowCenter=500, WindowWidth=1000)
    voi = [WINDOW, item(WindowCenter=1, WindowWidth=2, ReferencedImageSequence=about(images[0]))]
    _, volume = opened(save([*images, state_of(images, SoftcopyVOILUTSequence=voi)], tmp_path))
    assert [(w.width, w.level) for w in volume.windows] == [(1000, 500)]
    # The volume is asked for its middle slice, which the second window is not about.
    offered = [each for each in presets_for(volume) if each.key.startswith("file")]
    assert [(each.title, each.window.width) for each in offered] == [("STROKE", 80)]


def test_what_is_not_shown_is_named(tmp_path):
    film = image(marked_slice(0))
    matrix = graphic("POINT", [(0.5, 0.5)], GraphicAnnotationUnits="MATRIX")
    far = graphic("POLYLINE", [(0, 0), (1e9, 0)])
    state = state_of(
        [film], [annotation(matrix, far)], ImageRotation=45, ShutterShape=["RECTANGULAR", "BITMAP"],
        MaskSubtractionSequence=[item(MaskOperation="AVG_SUB")],
        SoftcopyVOILUTSequence=[item(VOILUTSequence=[item(LUTDescriptor=[9, 0])])],
        PresentationLUTSequence=[item(LUTDescriptor=[9, 0])],
        DisplayedAreaSelectionSequence=[item(PresentationSizeMode="TRUE SIZE")],
        GraphicLayerSequence=[item(GraphicLayerRecommendedDisplayCIELabValue=[1, 2, 3])],
    )  # fmt: skip
    state.add_new(0x60000010, "US", 6)
    series, volume = opened(save([film, state], tmp_path))
    assert shown(volume).tints == ()
    assert series.warnings[0].text == (
        "a presentation state beside the images gives nothing that is shown; not shown: "
        "2 annotations that cannot be placed in pixels, rotation by 45 degrees, a look-up table, "
        "a damaged presentation table, a part of the shutter, overlay bitmaps, "
        "the subtraction of a mask, the size on the screen, colours of the drawings"
    )


def test_what_is_shown_is_named(tmp_path):
    film = image(marked_slice(0))
    state = state_of(
        [film], ImageRotation=270, ImageHorizontalFlip="Y", PresentationLUTShape="INVERSE",
        ShutterShape="CIRCULAR", CenterOfCircularShutter=[3, 4], RadiusOfCircularShutter=3,
        SoftcopyVOILUTSequence=[item(VOILUTSequence=[table(0, [0, 65535])]), WINDOW],
        DisplayedAreaSelectionSequence=[item(
            DisplayedAreaTopLeftHandCorner=[1, 1], DisplayedAreaBottomRightHandCorner=[9, 6])],
    )  # fmt: skip
    series, _ = opened(save([film, state], tmp_path))
    assert series.warnings[0].text == (
        "a presentation state beside the images gives 1 window, 1 look-up table, "
        "rotation by 270 degrees, mirroring, inverted grey, the part to be seen, a shutter"
    )


# --------------------------------------------------- windows in the values of the volume


@pytest.mark.parametrize(
    ("rescale", "of_state", "function", "expected"),
    [
        ((1, -1024), (1, -1024), "LINEAR", (80, 40, "LINEAR")),
        # A state without a transform of its own is about stored values.
        ((1, -1024), None, "LINEAR", (80, -984, "LINEAR")),
        ((1, -1024), (1, 0), "SIGMOID", (80, -984, "SIGMOID")),
        ((2, 10), (1, 0), "LINEAR", (158, 89, "LINEAR_EXACT")),
        ((0.5, 0), (2, 8), "LINEAR_EXACT", (20, 8, "LINEAR_EXACT")),
    ],
)
def test_a_window_is_turned_to_the_values_of_the_volume(
    rescale, of_state, function, expected, tmp_path
):
    film = ct(marked_slice(0), RescaleSlope=rescale[0], RescaleIntercept=rescale[1])
    voi = item(WindowCenter=40, WindowWidth=80, VOILUTFunction=function)
    state = state_of([film], SoftcopyVOILUTSequence=[voi])
    if of_state:
        state.RescaleSlope, state.RescaleIntercept = of_state
    _, volume = opened(save([film, state], tmp_path))
    window = volume.looks[0].vois[0][0]
    assert (window.width, window.level, window.function) == expected


def test_a_table_is_turned_to_the_values_of_the_volume(tmp_path):
    film = ct(marked_slice(0), RescaleSlope=2, RescaleIntercept=-10)
    voi = item(VOILUTSequence=[table(100, [0, 65535, 0])])
    state = state_of([film], SoftcopyVOILUTSequence=[voi])
    _, volume = opened(save([film, state], tmp_path))
    found = volume.looks[0].vois[0][0]
    assert isinstance(found, ValueTable)
    # Stored 101 is bright; that is 192 after rescale.
    assert (found.first, found.step, found.values.tolist()) == (190, 2, [0, 1, 0])


def test_a_modality_table_of_a_state_stands_before_its_window(tmp_path):
    pixels = np.arange(54, dtype=np.uint16).reshape(6, 9)
    film = ct(pixels, RescaleSlope=1, RescaleIntercept=0, BitsStored=8, HighBit=7)
    state = state_of(
        [film],
        ModalityLUTSequence=[table(10, [90, 80, 70, 0])],
        SoftcopyVOILUTSequence=[
            item(WindowCenter=45, WindowWidth=90, VOILUTFunction="LINEAR_EXACT")
        ],
        PresentationLUTShape="IDENTITY",
    )
    _, volume = opened(save([film, state], tmp_path))
    grey = shown(volume).image.reshape(-1)
    expected = np.where(np.arange(54) <= 10, 255, 0)
    expected[11:13] = 227, 198
    np.testing.assert_array_equal(grey, expected)


def test_states_follow_each_other_by_the_time_they_were_made(tmp_path):
    film = image(marked_slice(0))
    times = ("20260102", "20260101", "20260103")
    states = [state_of([film], PresentationCreationDate=day) for day in times]
    states[2].ContentLabel = "CASE 1"
    _, volume = opened(save([film, *states], tmp_path))
    labels = [look.state.label for look in volume.looks]
    assert labels == ["STROKE 1", "STROKE 2", "Presentation state"]
    assert [look.state.made for look in volume.looks] == sorted(times)


def test_a_state_of_images_that_are_not_here_is_left_out_and_said(tmp_path):
    film, other = image(marked_slice(0)), image(marked_slice(1))
    found = catalogue(save([film, state_of([other])], tmp_path / "both"))
    assert [skipped.what for skipped in found.skipped] == [
        "a presentation state of images that are not here"
    ]
    assert codes(found.all_series()[0]) == []
    with pytest.raises(ReadError, match="images that are not here"):
        catalogue(write(state_of([other]), tmp_path / "alone.dcm"))


def test_a_damaged_state_never_takes_the_images_with_it(tmp_path):
    film = image(np.zeros((30, 40), np.int16))
    circle = graphic("CIRCLE", [(20.5, 15.5), (25.5, 15.5)])
    voi = [item(WindowCenter=40, WindowWidth=80)]
    write(film, tmp_path / "film.dcm")
    state = state_of([film], [annotation(circle)], SoftcopyVOILUTSequence=voi)
    path = write(state, tmp_path / "state.dcm")
    whole = path.read_bytes()
    chance = np.random.default_rng(0)
    drawn = 0
    for n in range(100):
        damaged = bytearray(whole)
        for at in chance.integers(200, len(whole), 3):
            damaged[at : at + 4] = chance.integers(0, 256, 4, np.uint8).tobytes()
        path.write_bytes(damaged[: len(whole) if n % 2 else int(chance.integers(150, len(whole)))])
        films = [s for s in catalogue(tmp_path).all_series() if s.uid == film.SeriesInstanceUID]
        (volume,) = (readers.load(Silent(), series) for series in films)
        assert volume.array.shape == (1, 30, 40)
        drawn += any(shown(volume, n).tints for n in range(len(volume.looks)))
    assert 0 < drawn < 100


# ------------------------------------------------------------------------- read by itself


def read(tmp_path, **elements):
    state = state_of([image(marked_slice(0))], **elements)
    return read_presentation(read_outline(write(state, tmp_path / "state.dcm")))


@pytest.mark.parametrize(
    ("one", "other"), [([3, 4], [9, 6]), ([9, 6], [3, 4]), ([9, 4], [3, 6]), ([3, 6], [9, 4])]
)
def test_the_part_to_be_seen_is_counted_from_one_whichever_corners_are_named(one, other, tmp_path):
    named = item(DisplayedAreaTopLeftHandCorner=one, DisplayedAreaBottomRightHandCorner=other)
    (area,) = read(tmp_path, DisplayedAreaSelectionSequence=[named]).areas
    assert (area.left, area.top, area.right, area.bottom) == (2, 3, 8, 5)


EDGES = {
    "ShutterLeftVerticalEdge": 2,
    "ShutterRightVerticalEdge": 8,
    "ShutterUpperHorizontalEdge": 3,
    "ShutterLowerHorizontalEdge": 5,
}


@pytest.mark.parametrize(
    ("shape", "elements", "values"),
    [
        ("RECTANGULAR", EDGES, (2, 8, 3, 5)),
        ("RECTANGULAR", {"ShutterLeftVerticalEdge": 2}, None),
        ("CIRCULAR", {"CenterOfCircularShutter": [3, 4], "RadiusOfCircularShutter": 2}, (3, 4, 2)),
        ("CIRCULAR", {"CenterOfCircularShutter": [3, 4]}, None),
        ("POLYGONAL", {"VerticesOfThePolygonalShutter": [1, 1, 1, 9, 6, 9]}, (1, 1, 1, 9, 6, 9)),
        ("POLYGONAL", {"VerticesOfThePolygonalShutter": [1, 1, 1, 9, 6, 9, 6]},
         (1, 1, 1, 9, 6, 9)),
        ("POLYGONAL", {"VerticesOfThePolygonalShutter": [1, 1, 1, 9]}, None),
        ("BITMAP", EDGES, None),
    ],
)  # fmt: skip
def test_a_shutter_is_taken_where_all_of_it_is_said(shape, elements, values, tmp_path):
    found = read(tmp_path, ShutterShape=shape, ShutterPresentationValue=0x8000, **elements)
    assert [each.values for each in found.shutters] == ([] if values is None else [values])
    assert found.closed_grey == 128


def test_a_presentation_table_is_a_curve_and_sets_the_polarity(tmp_path):
    values = [0, 16384, 65535]
    found = read(
        tmp_path, PresentationLUTSequence=[table(0, values)], PresentationLUTShape="INVERSE"
    )
    assert found.curve.first == 0
    assert found.curve.values == pytest.approx([0, 0.25, 1], abs=1e-4)
    assert found.inverted is False
    assert read(tmp_path, PresentationLUTShape="INVERSE").inverted is True
    assert read(tmp_path).curve is None


@pytest.mark.parametrize(("said", "turned"), [(90, 90), (450, 90), (45, 0), (360, 0), (270, 270)])
def test_only_quarter_turns_are_made(said, turned, tmp_path):
    assert read(tmp_path, ImageRotation=said).rotate == turned


def test_a_state_was_made_at_a_second_of_a_day(tmp_path):
    made = read(
        tmp_path, PresentationCreationDate="20260102", PresentationCreationTime="101530.25"
    ).made
    assert made == "20260102101530"
