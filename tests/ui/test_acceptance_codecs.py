"""A2: one slice in every packing. What is not lossy is the same picture, pixel for pixel."""

from typing import NamedTuple

import imagecodecs
import numpy as np
import pytest
from dicom_files import catalogue, codes, compressed, ct, write
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless
from PySide6.QtCore import QModelIndex

from medview.domain.errors import MedviewError
from medview.domain.progress import Silent
from medview.io import readers
from medview.ui.panels.study_rows import SECOND, SERIES, WARNS

_JPEG = "1.2.840.10008.1.2.4"
PLAIN = "plain"
ENCODED = {
    "JPEG lossless": (f"{_JPEG}.70", imagecodecs.ljpeg_encode),
    "JPEG-LS": (f"{_JPEG}.80", imagecodecs.jpegls_encode),
    "J2K lossless": (
        f"{_JPEG}.90",
        lambda a: imagecodecs.jpeg2k_encode(a, codecformat="J2K", reversible=True),
    ),
    "J2K": (
        f"{_JPEG}.91",
        lambda a: imagecodecs.jpeg2k_encode(a, codecformat="J2K", level=88, reversible=False),
    ),
}
UNKNOWN = "1.2.840.10008.1.2.9.99"


class Seen(NamedTuple):
    """What one packing looks like in the window."""

    pixels: np.ndarray
    painted: np.ndarray
    window: object
    corner: str


def slice_of(name, number):
    """A CT slice of a made-up series of its own: a disc with texture."""
    rows, columns = np.indices((64, 48))
    disc = (rows - 30) ** 2 + (columns - 22) ** 2 < 400
    texture = np.random.default_rng(2).integers(0, 60, disc.shape)
    pixels = np.where(disc, 1024 + 40 + texture, 20).astype(np.uint16)
    ds = ct(
        pixels,
        SeriesInstanceUID=f"1.2.9.{number}",
        SeriesDescription=name,
        SeriesNumber=number,
        WindowWidth=120,
        WindowCenter=60,
    )
    if name == "deflated":
        ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    elif name == "RLE":
        ds.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    elif name in ENCODED:
        uid, encode = ENCODED[name]
        ds = compressed(ds, uid, [encode(pixels)])
    elif name == "unknown":
        ds = compressed(ds, UNKNOWN, [b"\0" * 64])
    else:
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


NAMES = (PLAIN, "deflated", "RLE", *ENCODED)


@pytest.fixture
def opened(bench, tmp_path):
    """All packings as series of one study, listed in the window."""
    for number, name in enumerate((*NAMES, "unknown"), 1):
        (tmp_path / "study").mkdir(exist_ok=True)
        write(slice_of(name, number), tmp_path / "study" / f"{number}.dcm")
    bench.window.open_paths((tmp_path / "study",))
    bench.jobs.running("scan")[0].finish(catalogue(tmp_path / "study"))
    return {each.description: each for each in bench.session.catalogue.all_series()}


def series_rows(model, parent=None):
    """The rows of series in the list of studies, at whatever depth."""
    parent = QModelIndex() if parent is None else parent
    for place in range(model.rowCount(parent)):
        index = model.index(place, 0, parent)
        if index.data(SERIES):
            yield index
        yield from series_rows(model, index)


def look(bench, series):
    bench.app.library.show(series)
    job = bench.jobs.running("load_and_identify")[-1]
    volume = readers.load(Silent(), series)
    job.send(volume)
    job.finish(f"sha{series.uid}")
    frame = bench.frame()
    bench.session.maximised = None
    shot = bench.pane().grab().toImage()
    painted = np.frombuffer(shot.constBits(), np.uint8).reshape(shot.height(), -1).copy()
    middle = slice(shot.height() // 4, -shot.height() // 4)
    corner = " ".join(bench.pane().dress.corners.bottom_left)
    return Seen(frame.image, painted[middle], bench.app.viewing.window("main"), corner)


def test_a2_compressed_files_are_equal_and_only_lossy_ones_say_so(bench, opened, tmp_path):
    seen = {name: look(bench, opened[name]) for name in NAMES}
    plain = seen[PLAIN]
    assert np.unique(plain.pixels).size > 30
    for name in NAMES[1:-1]:
        assert np.array_equal(seen[name].pixels, plain.pixels), name
        assert np.array_equal(seen[name].painted, plain.painted), name
        assert seen[name].window == plain.window, name
    assert {name for name in NAMES if "ossy" in seen[name].corner} == {"J2K"}
    away = np.abs(seen["J2K"].pixels.astype(int) - plain.pixels.astype(int))
    assert away.max() > 0
    assert away.mean() < 10
    assert bench.window.grab().save(str(tmp_path / "A2_packings.png"))


def test_a2_an_unknown_packing_is_marked_and_named_with_its_number(bench, opened):
    marked = {name for name, each in opened.items() if "SYNTAX_UNKNOWN" in codes(each)}
    assert marked == {"unknown"}
    warned = {
        index.data(0)
        for index in series_rows(bench.window.studies.tree.model())
        if index.data(WARNS) and index.data(SECOND).startswith("cannot be decoded")
    }
    assert len(warned) == 1
    series = opened["unknown"]
    bench.app.library.show(series)
    with pytest.raises(MedviewError) as refused:
        readers.load(Silent(), series)
    bench.jobs.running("load_and_identify")[-1].fail(refused.value)
    bench.settle()
    said = " ".join(bench.window.notes.texts())
    assert UNKNOWN in said
    assert "unknown transfer syntax" in said
