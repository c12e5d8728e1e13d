"""What a presentation state draws: where its points lie, and what is no annotation."""

import itertools

import pytest
from dicom_files import image, marked_slice, write
from pydicom.dataset import Dataset
from states import annotation, graphic, item

from medview.domain.presentation import Area, Drawing
from medview.io.dicom_annotations import (
    FARTHEST,
    MOST_DRAWINGS,
    MOST_POINTS,
    drawings_of,
    targets_of,
    usable,
)
from medview.io.dicom_outline import read_outline
from medview.io.dicom_values import Header

WHOLE = Area(0, 0, 99, 49)  # 100 columns, 50 rows


@pytest.fixture
def header(tmp_path):
    """Give a function that writes elements and reads them as a header."""
    number = itertools.count()

    def made(**elements):
        path = tmp_path / f"{next(number)}.dcm"
        write(image(marked_slice(0), PixelData=None, **elements), path)
        return Header(read_outline(path))

    return made


def drawn(header, *graphics, areas=(), rotate=0, flip=False, **elements):
    whole = header(GraphicAnnotationSequence=[annotation(*graphics, **elements)])
    return list(drawings_of(whole, areas, rotate, flip=flip))


def on_screen(*points):
    return graphic("POLYLINE", list(points), GraphicAnnotationUnits="DISPLAY")


def test_points_in_pixels_stay_where_they_are_however_the_screen_is_turned(header):
    line = graphic("POLYLINE", [(1.5, 2.5), (4.5, 2.5)], GraphicFilled="Y")
    for rotate, flip in itertools.product((0, 90, 180, 270), (False, True)):
        (found,) = drawn(header, line, areas=(WHOLE,), rotate=rotate, flip=flip)
        assert (found.kind, found.filled) == ("POLYLINE", True)
        assert found.points == ((1.5, 2.5), (4.5, 2.5))


@pytest.mark.parametrize(
    ("rotate", "flip", "place"),
    [
        # A point a tenth from the left and a fifth from the top of the screen.
        (0, False, (10, 10)),
        (0, True, (90, 10)),
        # Turned clockwise, the top left corner of the screen is the bottom left one of the image.
        (90, False, (20, 45)),
        (180, False, (90, 40)),
        (270, False, (80, 5)),
        (90, True, (20, 5)),
    ],
)
def test_shares_of_the_screen_are_turned_back_onto_the_image(header, rotate, flip, place):
    (found,) = drawn(header, on_screen((0.1, 0.2)), areas=(WHOLE,), rotate=rotate, flip=flip)
    assert found.points == (pytest.approx(place),)


def test_the_shown_area_is_what_shares_are_of_and_without_one_there_is_no_place(header):
    part = Area(20, 10, 29, 29)  # 10 columns, 20 rows
    (found,) = drawn(header, on_screen((0, 0), (1, 1)), areas=(part,))
    assert found.points == ((20, 10), (30, 30))
    (found,) = drawn(header, on_screen((0, 0)))
    assert found.points == ()
    elsewhere = Area(0, 0, 99, 49, frozenset({("1.9", -1)}))
    (found,) = drawn(header, on_screen((0, 0)), areas=(elsewhere,))
    assert found.points == ()


def test_a_layer_gives_its_grey_and_its_order(header):
    layer = item(
        GraphicLayer="TOP", GraphicLayerOrder=3, GraphicLayerRecommendedDisplayGrayscaleValue=0x8000
    )
    line = graphic("POLYLINE", [(1, 2), (4, 2)])
    whole = header(
        GraphicLayerSequence=[layer],
        GraphicAnnotationSequence=[annotation(line, layer="TOP"), annotation(line, layer="GONE")],
    )
    top, bottom = drawings_of(whole, (), 0, flip=False)
    assert (top.grey, top.order) == (128, 3)
    assert (bottom.grey, bottom.order) == (255, 0)


def test_a_text_lies_at_its_box_or_else_at_its_anchor(header):
    box = {
        "BoundingBoxAnnotationUnits": "PIXEL",
        "BoundingBoxTopLeftHandCorner": [3.0, 4.0],
        "BoundingBoxBottomRightHandCorner": [30.0, 9.0],
    }
    anchor = {"AnchorPointAnnotationUnits": "PIXEL", "AnchorPoint": [7.0, 8.0]}
    words = {"UnformattedTextValue": "w" * 300}
    texts = [item(**words, **box, **anchor), item(**words, **anchor), item(**words)]
    boxed, anchored, lost = drawn(header, texts=texts)
    assert boxed.points == ((3, 4), (30, 9))
    assert anchored.points == ((7, 8),)
    assert lost.points == ()
    assert {len(each.text) for each in (boxed, anchored, lost)} == {80}


def test_targets_are_images_or_single_frames_of_them(header):
    def about(uid, *frames):
        made = item(ReferencedSOPInstanceUID=uid)
        if frames:
            made.ReferencedFrameNumber = list(frames)
        return made

    found = targets_of(header(ReferencedImageSequence=[about("1.1"), about("1.2", 1, 4)]))
    assert found == {("1.1", -1), ("1.2", 0), ("1.2", 3)}
    assert targets_of(header(ReferencedImageSequence=[Dataset()])) == {("", -1)}
    assert targets_of(header()) == frozenset()


@pytest.mark.parametrize(
    ("drawing", "is_usable"),
    [
        (Drawing("POINT", ((1, 1),)), True),
        (Drawing("POINT", ()), False),
        (Drawing("POLYLINE", ((1, 1), (2, 2))), True),
        (Drawing("POLYLINE", ((1, 1),)), False),
        (Drawing("ELLIPSE", ((1, 1), (2, 2), (1, 2))), False),
        (Drawing("SPIRAL", ((1, 1), (2, 2))), False),
        (Drawing("TEXT", ((1, 1),), text="left"), True),
        (Drawing("TEXT", ((1, 1),)), False),
        (Drawing("POINT", ((FARTHEST, -FARTHEST),)), True),
        (Drawing("POINT", ((FARTHEST + 1, 0),)), False),
        (Drawing("POINT", ((float("nan"), 0),)), False),
        (Drawing("POLYLINE", ((1, 1),) * MOST_POINTS), True),
        (Drawing("POLYLINE", ((1, 1),) * (MOST_POINTS + 1)), False),
    ],
)
def test_only_what_a_reader_could_have_drawn_is_drawn(drawing, is_usable):
    assert bool(usable([drawing])) is is_usable


def test_there_is_a_most_of_drawings():
    many = [Drawing("POINT", ((n, 0),)) for n in range(MOST_DRAWINGS + 5)]
    assert usable(many) == tuple(many[:MOST_DRAWINGS])
