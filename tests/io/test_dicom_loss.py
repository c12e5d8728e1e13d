"""Loss by compression is told of the images that have it, not of all beside them."""

import pytest
from dicom_files import codes, image, marked_slice, only, save, stack, two_phases
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from medview.domain.progress import Silent
from medview.io import readers
from medview.io.dicom_loss import is_lossy, loss_notes


@pytest.mark.parametrize(
    ("marked", "syntax", "lossy"),
    [
        ("01", ExplicitVRLittleEndian, True),
        ("", JPEGBaseline8Bit, True),
        ("00", ExplicitVRLittleEndian, False),
        ("", "1.2.3", False),
    ],
)
def test_the_header_or_the_way_of_storing_says_it(marked, syntax, lossy):
    assert is_lossy(marked, syntax) is lossy


def test_of_some_images_it_is_not_said_of_all():
    assert loss_notes([False, False]) == ()
    assert [note.code for note in loss_notes([True, True])] == ["LOSSY"]
    (note,) = loss_notes([False, True, False])
    assert (note.code, note.text) == ("PARTLY_LOSSY", "1 of 3 images was compressed with loss")


def test_a_stack_with_some_such_images_says_how_many(tmp_path):
    images = stack()
    for each in images[:3]:
        each.LossyImageCompression = "01"
    series, volume = only(save(images, tmp_path))
    (note,) = series.warnings
    assert note.text == f"3 of {len(images)} images were compressed with loss"
    assert codes(volume) == codes(series) == ["PARTLY_LOSSY"]
    assert volume.lossy


def test_of_two_copies_only_the_one_with_loss_is_called_so(tmp_path):
    images = two_phases("EchoTime", (4.6, 9.2))
    for each in images[len(images) // 2 :]:
        each.LossyImageCompression = "01"
    series, first = only(save(images, tmp_path))
    second = readers.load(Silent(), series, 1)
    assert codes(series) == ["PARTLY_LOSSY"]
    assert (first.lossy, codes(first)) == (False, [])
    assert (second.lossy, codes(second)) == (True, ["LOSSY"])


def test_one_image_with_loss_is_all_of_its_series(tmp_path):
    series, _ = only(save([image(marked_slice(0), LossyImageCompression="01")], tmp_path))
    assert codes(series) == ["LOSSY"]
