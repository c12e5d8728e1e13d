"""Formats of images have a title and endings that are theirs alone."""

from collections import Counter

from medview.domain.formats import ENDINGS, IMAGE_FORMATS
from medview.io.readers import FORMATS, PICTURES
from medview.ui.commands import _FILES


def test_every_format_that_is_read_has_a_title_and_endings():
    read = {"dicom", *(name for each in (*FORMATS, PICTURES) for name in each.names)}
    assert set(IMAGE_FORMATS) == read
    assert all(each.title and each.endings for each in IMAGE_FORMATS.values())


def test_an_ending_belongs_to_one_format_and_is_written_small():
    assert [each for each, count in Counter(ENDINGS).items() if count > 1] == []
    assert all(each == each.lower() and each.startswith(".") for each in ENDINGS)


def test_the_window_offers_files_of_all_formats_and_what_holds_them():
    offered = {each.removeprefix("*") for each in _FILES.split()}
    assert offered == {*ENDINGS, ".gz", ".zip", ".img", "DICOMDIR"}
