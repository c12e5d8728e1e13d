"""Presentation states of what was drawn, for every way that slices may be stored."""

import numpy as np
import pydicom
import pytest
from dicom_files import catalogue, enhanced, image, marked_slice, positions, save, stack

from medview.domain.errors import InputRefused
from medview.domain.measurement import Measured, Measurement
from medview.io.dicom_out.origin import Source, read_source
from medview.io.dicom_out.presentation_state import presentation_state

# (slice, row, column) of the ends of a line.
ENDS = ((3, 2, 1), (3, 2, 6))


def of_many_frames(slopes):
    """An enhanced image of eight frames with these slopes."""
    places = [{"ImagePositionPatient": list(np.round(place, 6))} for place in positions()]
    values = [{"RescaleSlope": s, "RescaleIntercept": 0, "RescaleType": "US"} for s in slopes]
    groups = [
        {"PlanePositionSequence": place, "PixelValueTransformationSequence": value}
        for place, value in zip(places, values, strict=True)
    ]
    return [enhanced([marked_slice(k) for k in range(8)], groups)]


def with_slopes(slopes):
    images = stack(RescaleIntercept=0, RescaleType="US")
    for each, slope in zip(images, slopes, strict=True):
        each.RescaleSlope = slope
    return images


def in_colour():
    pixels = np.zeros((6, 9, 3), np.uint8)
    return [image(pixels, ImagePositionPatient=list(place)) for place in positions()]


def drawn_on(datasets, folder, ends=ENDS):
    """The state of a line between two voxels of a series, and the series."""
    (series,) = catalogue(save(datasets, folder)).all_series()
    line = tuple(tuple(map(float, series.geometry.to_mm(end))) for end in ends)
    each = Measured(Measurement(1, "arrow", line, (1, 0, 0), (0, 1, 0)), (), line)
    return presentation_state(read_source(series), (each,), series.geometry)


@pytest.mark.parametrize(
    ("datasets", "frame"),
    [
        (stack(), None),
        (with_slopes([2] * 8), None),
        (of_many_frames([1] * 8), 4),
        (of_many_frames([2] * 8), 4),
    ],
    ids=["plain", "one slope", "frames", "frames of one slope"],
)
def test_a_line_is_about_its_slice_or_frame_and_in_its_pixels(datasets, frame, tmp_path):
    made = drawn_on(datasets, tmp_path)
    (annotation,) = made.GraphicAnnotationSequence
    (line,) = annotation.GraphicObjectSequence
    assert list(line.GraphicData) == pytest.approx([1.5, 2.5, 6.5, 2.5])
    (about,) = annotation.ReferencedImageSequence
    assert about.get("ReferencedFrameNumber") == frame
    named = datasets[0 if frame else 3].SOPInstanceUID
    assert about.ReferencedSOPInstanceUID == named


@pytest.mark.parametrize(
    "datasets",
    [with_slopes([1, 2] * 4), of_many_frames([1, 2] * 4), in_colour()],
    ids=["several slopes", "frames of several slopes", "colour"],
)
def test_images_that_one_state_cannot_be_about_have_none(datasets, tmp_path):
    assert drawn_on(datasets, tmp_path) is None


def test_what_was_drawn_beyond_the_edge_ends_there(tmp_path):
    made = drawn_on(stack(), tmp_path, ((3, 2, 1), (3, 2, 40)))
    (line,) = made.GraphicAnnotationSequence[0].GraphicObjectSequence
    assert list(line.GraphicData) == pytest.approx([1.5, 2.5, 9, 2.5])


def test_a_window_of_no_width_costs_the_state_only(tmp_path):
    assert drawn_on(stack(WindowCenter=40, WindowWidth=0), tmp_path) is None


def test_tiles_of_a_mosaic_are_no_images():
    (tiles,) = stack()[:1]
    assert Source((tiles,), (0, 1, 2)).image_of(1) is None
    assert Source((tiles,), (0,)).image_of(0) == (tiles, None)
    assert Source((tiles,), (0,)).image_of(5) is None


@pytest.mark.parametrize(
    ("elements", "keyword", "value"),
    [
        ({"SpecificCharacterSet": "ISO 2022 IR 100"}, "SpecificCharacterSet", "ISO_IR 100"),
        ({"SpecificCharacterSet": "ISO 2022 IR 6"}, "SpecificCharacterSet", None),
        ({"SpecificCharacterSet": ""}, "SpecificCharacterSet", None),
        ({"SpecificCharacterSet": "ISO_IR 192"}, "SpecificCharacterSet", "ISO_IR 192"),
        ({"StudyTime": "112000.5"}, "StudyTime", "112000.5"),
        ({"StudyDate": "20261121"}, "StudyDate", "20261121"),
        ({}, "StudyTime", ""),
        ({"PatientSex": "NONE"}, "PatientSex", ""),
        ({"PatientSex": "F"}, "PatientSex", "F"),
    ],
)
def test_headers_that_objects_are_made_of_hold_what_the_standard_allows(
    elements, keyword, value, tmp_path
):
    (series,) = catalogue(save(stack(**elements), tmp_path)).all_series()
    (first, *_) = read_source(series).images
    assert first.get(keyword) == value
    assert drawn_on(stack(**elements), tmp_path / "again") is not None


@pytest.mark.parametrize(
    ("sets", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        (["ISO 2022 IR 6", "ISO 2022 IR 100"], "Müller^Jörg"),
        ("ISO IR 100", "Müller^Jörg"),
    ],
)
@pytest.mark.filterwarnings("ignore:Incorrect value for Specific Character Set")
def test_a_name_in_several_character_sets_is_kept(sets, name, tmp_path):
    made = drawn_on(stack(PatientName=name, SpecificCharacterSet=sets), tmp_path)
    made.save_as(tmp_path / "state.dcm", enforce_file_format=True)
    read = pydicom.dcmread(tmp_path / "state.dcm")
    assert (read.SpecificCharacterSet, read.PatientName) == ("ISO_IR 192", name)


def test_an_image_of_no_study_is_refused_in_words(tmp_path):
    (series,) = catalogue(save(stack(), tmp_path)).all_series()
    nameless = stack(StudyInstanceUID=None)[0]
    nameless.save_as(series.files[3], enforce_file_format=True)
    with pytest.raises(InputRefused, match="which study"):
        read_source(series)


def test_a_time_that_is_none_is_left_empty(tmp_path):
    save(stack(StudyTime="112000"), tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes().replace(b"112000", b"11:20:"))
    (series,) = catalogue(tmp_path).all_series()
    assert {image.StudyTime for image in read_source(series).images} == {""}


def test_a_line_through_the_slices_lies_on_no_image(tmp_path):
    assert drawn_on(stack(), tmp_path / "a", ((2, 2, 1), (5, 2, 1))) is None
    assert drawn_on(stack(), tmp_path / "b", ((2.5, 2, 1), (2.5, 2, 6))) is None
