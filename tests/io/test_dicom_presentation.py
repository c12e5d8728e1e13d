"""Presentation states: their windows are offered, what they draw lies where they say."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_files import catalogue, codes, image, marked_slice, save, stack, write
from pydicom.dataset import Dataset

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io import readers

GREY_STATE = "1.2.840.10008.5.1.4.1.1.11.1"


def item(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def about(*images):
    return [item(ReferencedSOPInstanceUID=ds.SOPInstanceUID) for ds in images]


def state_of(images, annotations=(), **elements):
    """A presentation state about some images."""
    ds = image(marked_slice(0), SOPClassUID=GREY_STATE, Modality="PR", PixelData=None)
    ds.SeriesInstanceUID = "1.2.3.99"
    ds.ContentLabel = "STROKE"
    ds.ReferencedSeriesSequence = [item(ReferencedImageSequence=about(*images))]
    if annotations:
        ds.GraphicAnnotationSequence = list(annotations)
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def graphic(kind, points, *, filled="N", units="PIXEL"):
    return item(
        GraphicType=kind, GraphicData=[float(v) for point in points for v in point],
        GraphicAnnotationUnits=units, GraphicFilled=filled, GraphicDimensions=2,
        NumberOfGraphicPoints=len(points),
    )  # fmt: skip


def annotation(*graphics, images=(), texts=()):
    found = item(GraphicObjectSequence=list(graphics), TextObjectSequence=list(texts))
    if images:
        found.ReferencedImageSequence = about(*images)
    return found


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
    expected = np.zeros((8, 6, 9), bool)
    expected[3, 2, 1:5] = True
    np.testing.assert_array_equal(volume.graphics, expected)


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
    state = state_of([film], [annotation(graphic(kind, points, filled=filled))])
    _, volume = opened(save([film, state], tmp_path))
    assert all(volume.graphics[0][place] for place in inside)
    assert not any(volume.graphics[0][place] for place in outside)


def test_a_text_begins_at_its_anchor_and_none_that_names_the_patient_is_drawn(tmp_path):
    film = image(np.zeros((60, 80), np.int16))
    texts = [
        item(UnformattedTextValue=words, AnchorPoint=[20.0, 30.0],
             AnchorPointAnnotationUnits="PIXEL", AnchorPointVisibility="Y")
        for words in ("bleed", "Test, Case")
    ]  # fmt: skip
    series, volume = opened(save([film, state_of([film], [annotation(texts=texts)])], tmp_path))
    rows, columns = np.nonzero(volume.graphics[0])
    assert 28 <= rows.min() <= rows.max() < 50
    assert 18 <= columns.min() <= columns.max() < 70
    assert series.warnings[0].text.endswith("gives 1 text")
    assert "Case" not in repr(series.presentations)


def test_windows_are_offered_behind_those_of_the_file(tmp_path):
    images = stack(WindowCenter=500, WindowWidth=1000)
    voi = [
        item(WindowCenter=40, WindowWidth=80),
        item(WindowCenter=1, WindowWidth=2, ReferencedImageSequence=about(images[0])),
    ]
    _, volume = opened(save([*images, state_of(images, SoftcopyVOILUTSequence=voi)], tmp_path))
    found = [(w.width, w.level, w.label) for w in volume.windows]
    # The volume is asked for its middle slice, which the second window is not about.
    assert found == [(1000, 500, ""), (80, 40, "STROKE")]


def test_what_is_not_shown_is_named(tmp_path):
    film = image(marked_slice(0))
    screen = graphic("POINT", [(0.5, 0.5)], units="DISPLAY")
    far = graphic("POLYLINE", [(0, 0), (1e9, 0)])
    state = state_of(
        [film], [annotation(screen, far)], ImageRotation=90, ImageHorizontalFlip="Y",
        PresentationLUTShape="INVERSE",
    )  # fmt: skip
    series, volume = opened(save([film, state], tmp_path))
    assert volume.graphics is None
    assert series.warnings[0].text == (
        "a presentation state beside the images gives nothing that is shown; not shown: "
        "2 annotations that cannot be placed in pixels, rotation by 90 degrees, mirroring, "
        "inverted grey"
    )


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
        drawn += volume.graphics is not None
    assert 0 < drawn < 100
