"""Headers are walked by offsets, and a header that lies costs nothing."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from random import Random

import pytest
from dicom_bytes import PREAMBLE, element, syntax
from dicom_files import image, marked_slice, write
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from medview.domain.errors import ReadError
from medview.io import dicom_outline
from medview.io.dicom_outline import DEFLATED, read_outline
from medview.io.dicom_values import Header


@pytest.mark.parametrize(
    "uid",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_every_plain_syntax_gives_the_same_values(uid, tmp_path):
    ds = image(marked_slice(3), PatientName="Müller^Änne", SpecificCharacterSet="ISO_IR 192")
    if uid == ExplicitVRBigEndian:
        ds["PixelData"].VR = "OW"
    ds.file_meta.TransferSyntaxUID = uid
    outline = read_outline(write(ds, tmp_path / "x"))
    header = Header(outline)
    assert outline.syntax == uid
    assert header.text("PatientName") == "Müller^Änne"
    assert header.numbers("ImagePositionPatient") == (-100, -80, 40)
    assert (header.whole("Rows"), header.whole("Columns")) == (6, 9)
    assert outline.pixels.length == 108
    start = outline.pixels.offset
    assert (outline.total is None) == (uid == DEFLATED)
    if outline.total is not None:
        raw = (tmp_path / "x").read_bytes()[start : start + 108]
        assert len(raw) == 108


def test_the_elements_are_those_that_another_reader_finds(tmp_path):
    ds = image(marked_slice(3))
    ds.RequestAttributesSequence = [Dataset(), Dataset()]
    ds.RequestAttributesSequence[1].ScheduledProcedureStepID = "7"
    path = write(ds, tmp_path / "x")
    found = set(read_outline(path).places)
    theirs = {int(tag) for tag in dcmread(path, stop_before_pixels=True).keys()}  # noqa: SIM118  # keys() gives tags, iterating gives elements
    assert found == theirs
    items = Header(read_outline(path)).items("RequestAttributesSequence")
    assert [item.word("ScheduledProcedureStepID") for item in items] == ["", "7"]


def test_a_file_without_preamble_or_meta_is_still_read(tmp_path):
    path = tmp_path / "old"
    path.write_bytes(
        element(8, 0x60, b"CS", b"MR") + element(0x28, 0x10, b"US", struct.pack("<H", 6))
    )
    header = Header(read_outline(path))
    assert header.word("Modality") == "MR"
    assert header.whole("Rows") == 6


@pytest.mark.parametrize(
    "content", [b"", b"DICM", b"\0" * 4096, b"<html>" * 100, Random(1).randbytes(4096)]
)
def test_what_is_no_dicom_file_is_none(content, tmp_path):
    path = tmp_path / "x.dcm"
    path.write_bytes(content)
    assert read_outline(path) is None


def test_a_deflate_bomb_is_not_unpacked(tmp_path):
    swollen = 40 * 2**20
    body = element(8, 0x60, b"CS", b"MR") + element(0x7FE0, 0x10, b"OW", b"", swollen)
    packed = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = packed.compress(body + b"\0" * swollen) + packed.flush()
    path = tmp_path / "bomb.dcm"
    path.write_bytes(PREAMBLE + syntax(DEFLATED) + data)
    tracemalloc.start()
    outline = read_outline(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Header(outline).word("Modality") == "MR"
    assert peak < 2 * 2**20


def test_a_deflated_private_element_that_swells_is_refused(tmp_path):
    body = element(9, 0x1001, b"OB", b"", 2**31) + b"\0" * 2**20
    packed = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    path = tmp_path / "bomb.dcm"
    path.write_bytes(PREAMBLE + syntax(DEFLATED) + packed.compress(body) + packed.flush())
    with pytest.raises(ReadError, match="MB"):
        read_outline(path)


def test_every_cut_of_a_file_is_read_as_far_as_it_goes_or_refused(tmp_path):
    ds = image(marked_slice(3))
    ds.RequestAttributesSequence = [Dataset()]
    ds.RequestAttributesSequence[0].ScheduledProcedureStepID = "7"
    whole = write(ds, tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    seen = set()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        try:
            outline = read_outline(path)
        except ReadError as error:
            seen.add(error.code)
            continue
        seen.add("none" if outline is None else "pixels" if outline.pixels else "header")
    assert seen == {"none", "header", "pixels", "MV-IO-102"}


def test_a_file_that_changed_is_read_again(tmp_path):
    path = write(image(marked_slice(0), PatientID="A1"), tmp_path / "x")
    assert Header(read_outline(path)).word("PatientID") == "A1"
    write(image(marked_slice(0), PatientID="B2"), path)
    assert Header(read_outline(path)).word("PatientID") == "B2"
    path.write_bytes(b"gone")
    assert read_outline(path) is None


def test_what_is_kept_of_files_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(dicom_outline, "KEPT", 3)
    for n in range(6):
        read_outline(write(image(marked_slice(0)), tmp_path / str(n)))
    assert len(dicom_outline._kept) <= 3
