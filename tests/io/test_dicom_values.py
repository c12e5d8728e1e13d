"""Values of a header: what cannot be understood is empty, never an exception."""

from __future__ import annotations

import pytest
from dicom_files import image, marked_slice, write
from hypothesis import given
from hypothesis import strategies as st

from medview.io.dicom_outline import Outline, read_outline
from medview.io.dicom_values import Header, tag_of


def header_with(**raw: tuple[str, bytes]) -> Header:
    """A header whose values are these bytes under these VRs."""
    data, places = b"", {}
    for keyword, (vr, value) in raw.items():
        places[tag_of(keyword)] = (vr, len(data), len(value))
        data += value
    return Header(Outline(data, places, "", True, True, None, len(data), 0, False))


@pytest.mark.parametrize(
    ("raw", "numbers"),
    [
        (b"0.7\\0.5", (0.7, 0.5)),
        (b" 1 \\ -2e3 ", (1, -2000)),
        (b"0,7\\0,5", (0.7, 0.5)),
        (b"0.7\\abc", ()),
        (b"nan\\1", ()),
        (b"inf", ()),
        (b"", ()),
        (b"\0\0", ()),
        (b"\xff\xfe", ()),
    ],
)
def test_decimal_strings(raw, numbers):
    assert header_with(PixelSpacing=("DS", raw)).numbers("PixelSpacing") == numbers


@pytest.mark.parametrize(
    ("vr", "raw", "value"),
    [
        ("US", b"\x06\x00", 6),
        ("SS", b"\xff\xff", -1),
        ("UL", b"\x06\x00\x00\x00", 6),
        ("IS", b"6 ", 6),
        ("", b"\x06\x00", 6),
        ("UN", b"\x06\x00", 6),
        ("US", b"\x06", None),
    ],
)
def test_a_number_is_read_by_the_vr_it_is_written_with(vr, raw, value):
    assert header_with(Rows=(vr, raw)).whole("Rows") == value


def test_control_signs_do_not_get_through_and_long_texts_end(tmp_path):
    header = header_with(PatientName=("PN", b"A\n\x00\x1b[31mB^\x07C"))
    assert header.text("PatientName") == "A[31mB^C"
    assert len(header_with(PatientName=("PN", b"x" * 10**6)).text("PatientName")) <= 1024


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Änne"),
        ("ISO_IR 192", "王^小東"),
        ("ISO_IR 144", "Люкceмбypг"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_names_are_read_in_the_character_set_of_the_file(charset, name, tmp_path):
    path = write(
        image(marked_slice(0), SpecificCharacterSet=charset, PatientName=name), tmp_path / "x"
    )
    assert Header(read_outline(path)).text("PatientName") == name


def test_an_unknown_character_set_is_no_error():
    header = header_with(
        SpecificCharacterSet=("CS", b"ISO_IR 9999"), PatientName=("PN", b"M\xfcller")
    )
    assert header.text("PatientName").startswith("M")


@given(st.sampled_from(["DS", "US", "FD", "PN", "SQ", "UN", ""]), st.binary(max_size=64))
def test_any_bytes_give_a_value_or_nothing(vr, raw):
    value = (vr, raw)
    header = header_with(PixelSpacing=value, PatientName=value, ConceptNameCodeSequence=value)
    header.numbers("PixelSpacing")
    header.text("PatientName")
    header.words("PatientName")
    for item in header.items("ConceptNameCodeSequence"):
        item.text("CodeMeaning")


def test_keywords_are_those_of_the_standard():
    assert tag_of("PixelSpacing") == 0x00280030
    with pytest.raises(ValueError, match="no DICOM keyword"):
        tag_of("PixelSpacings")
