"""Names in sentences: nothing that tells who it is where that is hidden."""

from dataclasses import replace

import pytest
from services.stubs import catalogue_of, series_of

from medview.domain.study import Skipped
from medview.services.calling import called, skipped_note
from medview.services.session import Session

NO_IMAGE = Skipped("/data/readme.txt", "MV-IO-001", "is no image")
TORN = Skipped("/data/Abel^Ann.dcm", "MV-IO-004", "ends too early")


@pytest.mark.parametrize(
    ("description", "private", "said"),
    [
        ("T1 axial", False, "T1 axial"),
        ("T1 of 19501121", False, "T1 of 19501121"),
        ("", False, "MR series 7"),
        ("T1 axial", True, "T1 axial"),
        ("T1 of 19501121", True, "MR series 7"),
    ],
)
def test_a_series_is_called_by_its_words_or_its_number(description, private, said):
    series = replace(series_of("1.1", description=description), number=7)
    session = Session()
    session.catalogue, session.private = catalogue_of(series), private
    assert called(session, series) == said


@pytest.mark.parametrize(
    ("skipped", "private", "said"),
    [
        ((), False, ""),
        ((NO_IMAGE,), False, ""),
        (
            (TORN, NO_IMAGE),
            False,
            "1 file could not be read: Abel^Ann.dcm: ends too early; 1 other holds no image",
        ),
        (
            (NO_IMAGE, TORN, TORN, NO_IMAGE),
            True,
            "2 files could not be read, the first is ends too early; 2 others hold no image",
        ),
        ((TORN, TORN), False, "2 files could not be read, the first is Abel^Ann.dcm: ends too"),
        ((TORN,), True, "1 file could not be read: ends too early"),
    ],
)
def test_files_left_out_are_counted_and_the_first_is_named(skipped, private, said):
    note = skipped_note(skipped, private=private)
    assert note.startswith(said)
    assert bool(note) == bool(said)
