"""Names of patients, studies and files: they say who is the same, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.domain.study import Series
from medview.io import identity
from medview.io.identity import former_key, patient_key, uid_of_file, uid_of_text, unnamed


def test_the_key_of_a_patient_tells_nothing_and_is_always_the_same():
    assert patient_key("P1", "Test^Case") == patient_key("p1", "TEST^CASE")
    assert patient_key("P1", "Test^Case") != patient_key("P2", "Test^Case")
    assert int(patient_key("P1", "Test^Case"), 16) >= 0
    assert len(patient_key("P1", "Test^Case")) == 8


@pytest.mark.parametrize("key", [patient_key, former_key])
def test_what_ends_in_one_name_does_not_begin_the_next(key):
    assert key("P1", "2") != key("P", "12") != key("P12", "")


def test_a_folder_whose_name_is_no_utf_8_has_a_key_and_a_uid():
    # As os.fsdecode gives the bytes b"b\xffd", and "é" where the locale knows ASCII only.
    assert int(patient_key("", "folder", "/b\udcffd"), 16) >= 0
    assert uid_of_text("folder", "\udcc3\udca9") == uid_of_text("folder", "é")


def test_the_files_of_a_folder_are_one_study_of_one_patient():
    series = Series(uid="1.2.3")
    one, beside, other = (unnamed(series, Path(name)) for name in ("a/x.png", "a/y.nii", "b/x.png"))
    assert one.series is series
    assert (one.patient.key, one.study.uid) == (beside.patient.key, beside.study.uid)
    assert one.patient.key != other.patient.key
    assert one.study.uid != other.study.uid
    assert (one.study.description, other.study.description) == ("a", "b")
    assert unnamed(series, Path("a").absolute() / "x.png").study.uid == one.study.uid


def test_names_are_those_of_earlier_versions(tmp_path):
    # Stored results, drafts and reports are found under these.
    (tmp_path / "abc").write_bytes(b"abc")
    assert uid_of_file(tmp_path / "abc") == "2.25.259580051117983174113328207772360857016"
    assert uid_of_text("a", "b") == "2.25.119227826172246415199572365930447286639"
    assert former_key("P1", "A^B") == "28857fee"


def test_the_uid_of_a_file_is_that_of_its_content(tmp_path):
    for name, content in (("a", b"x" * 100), ("b", b"x" * 100), ("c", b"x" * 99 + b"y")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (uid_of_file(tmp_path / name) for name in "abc")
    assert a == b != c
    assert a.startswith("2.25.")
    assert len(a) <= 64


@pytest.fixture
def uid_with(monkeypatch, tmp_path):
    """The UID of zeros, of which some have become ones; above 100 bytes 4 pieces of 8 count."""
    for name, value in (("WHOLE_UP_TO", 100), ("PIECES", 4), ("PIECE", 8)):
        monkeypatch.setattr(identity, name, value)

    def uid(size: int, *ones: int) -> str:
        (tmp_path / "f").write_bytes(bytes(n in ones for n in range(size)))
        return uid_of_file(tmp_path / "f")

    return uid


def test_each_byte_of_a_file_that_is_read_whole_counts(uid_with):
    places = (*range(0, 100, 9), 97, 98)
    assert len({uid_with(100), *(uid_with(100, n) for n in places)}) == 1 + len(places)


def test_of_a_large_file_pieces_count_from_its_first_byte_to_its_last(uid_with):
    # Four pieces of 8 bytes from 0, 41, 82 and 124 of 132 (124 / 3 is 41.3).
    edges = {n: uid_with(132, n) for at in (0, 41, 82, 124) for n in (at - 1, at, at + 7, at + 8)}
    read = {n for n, uid in edges.items() if uid != uid_with(132)}
    assert read == {0, 7, 41, 48, 82, 89, 124, 131}
    assert uid_with(133) != uid_with(132)
