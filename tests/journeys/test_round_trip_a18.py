"""A18: everything of a result leaves as DICOM, is read by others, and comes back where it was."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from phantoms import geometry_of
from result_phantom import LESION_LPS, card, head, prediction_on
from throwaway import save_dicom

from medview.cli import main
from medview.domain.geometry import Plane
from medview.domain.overlay import LayerStyle
from medview.domain.prediction import InputRef
from medview.domain.progress import Silent
from medview.imaging.frame import Layer, View, compose_frame, flatten
from medview.io.hashing import volume_sha256
from medview.io.pdf import read_report
from medview.io.readers import load, scan
from medview.io.results import write_prediction

WHO = {"PatientName": "Doe^Jane", "PatientID": "ID7", "FrameOfReferenceUID": "1.2.3.9"}
MAPS = ("score", "residual", "epistemic", "aleatoric", "total")
CAUTION = "RESEARCH USE ONLY"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def store(study, folder, its_card):
    """A result on the images of the study, as a run leaves it."""
    (series,) = scan(Silent(), (study,)).all_series()
    volume = load(Silent(), series)
    seen = InputRef("t1", series.study_uid, series.uid, 0, volume_sha256(volume), series.size)
    made = replace(
        prediction_on(volume),
        inputs=(seen,),
        weights_sha256=its_card.weights_sha256,
        version=its_card.version,
        parent=its_card.parent,
    )
    write_prediction(Silent(), made, folder, volume, card=its_card)
    return made, volume


def leave(folder, name):
    """Write the report and then all objects, as the command line does."""
    out, pdf = folder / f"{name}-dicom", folder / f"{name}.pdf"
    study = ("--study", str(folder / "study"), "--json")
    with redirect_stdout(io.StringIO()) as said:
        assert main(["report", str(folder / name), "--out", str(pdf), *study]) == 0
        said.truncate(said.seek(0))
        words = ("export", str(folder / name), "--report", str(pdf), "--out", str(out))
        assert main([*words, *study]) == 0
    return out, json.loads(said.getvalue())["objects"]


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    folder = tmp_path_factory.mktemp("round-trip")
    # Three different spacings and sizes, first slice at the top: a transposition would show.
    volume = head(geometry_of("LPS", (22, 30, 26), (5.0, 6.0, 7.0)))
    study = save_dicom(volume, folder / "study", SeriesDescription="T1", **WHO)
    prediction, volume = store(study, folder / "result", card())
    return folder, prediction, volume, *leave(folder, "result")


def model_of(found):
    """The equipment that the model is, beside the library that wrote the object."""
    (made_by,) = (
        each
        for each in found.ContributingEquipmentSequence
        if card().title in each.get("ManufacturerModelName", "")
    )
    return made_by


def numbers_in(report):
    """All measurements of a structured report, in whatever depth."""
    found = []

    def visit(_, element):
        if element.keyword == "NumericValue":
            found.append(float(element.value))

    report.walk(visit)
    return found


def drawn(volume, *layers):
    """What three panes show through the lesion."""
    planes = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)
    views = (View(plane=plane, point_lps=LESION_LPS) for plane in planes)
    return [flatten(compose_frame(volume, layers, view), (200, 200)) for view in views]


def test_all_leaves_is_read_by_others_and_comes_back_where_it_was(left):
    folder, prediction, volume, out, told = left
    names = {f"{name}_pm.dcm" for name in MAPS}
    names |= {"findings_seg.dcm", "scores_sr.dcm", "key_images_ko.dcm", "report_pdf.dcm"}
    assert {path.name for path in out.iterdir()} == {each["file"] for each in told} == names
    image = pydicom.dcmread(folder / "study" / "0.dcm")
    devices = set()
    for path in out.iterdir():
        found = pydicom.dcmread(path)
        assert found.StudyInstanceUID == image.StudyInstanceUID
        assert found.get("FrameOfReferenceUID", "1.2.3.9") == "1.2.3.9"
        assert found.SeriesDescription.startswith(CAUTION)
        made_by = model_of(found)
        assert made_by.SoftwareVersions[0] == card().version
        devices.add(str(made_by.DeviceUID))
    assert len(devices) == 1

    # The report lies inside and still holds.
    document = pydicom.dcmread(out / "report_pdf.dcm")
    whole = bytes(document.EncapsulatedDocument)[: document.EncapsulatedDocumentLength]
    assert whole == (folder / "result.pdf").read_bytes()
    copy = folder / "copy.pdf"
    copy.write_bytes(whole)
    assert read_report(Silent(), copy).intact
    numbers = numbers_in(hd.sr.srread(out / "scores_sr.dcm"))
    for score in prediction.scores:
        assert any(value == pytest.approx(score.value) for value in numbers)
    assert hd.seg.segread(out / "findings_seg.dcm").number_of_segments >= 2
    named = pydicom.dcmread(out / "key_images_ko.dcm").CurrentRequestedProcedureEvidenceSequence
    slices = {pydicom.dcmread(path).SOPInstanceUID for path in (folder / "study").iterdir()}
    shown = named[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert {each.ReferencedSOPInstanceUID for each in shown} <= slices

    # Opened here again, every map draws the very same overlay in three planes.
    catalogue = scan(Silent(), (folder / "study", out))
    assert len({each.study_uid for each in catalogue.all_series()}) == 1
    plain = drawn(volume)
    for name in MAPS:
        (series,) = [each for each in catalogue.all_series() if each.description.endswith(name)]
        back, before = load(Silent(), series), prediction.map(name)
        assert back.array.dtype == np.float32
        assert np.array_equal(back.array, before.array)
        again = replace(before, array=np.asarray(back.array), geometry=back.geometry)
        style = LayerStyle(visible=True, range=before.range, threshold=sum(before.range) / 4)
        one, other = (drawn(volume, Layer(each, style)) for each in (before, again))
        assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))
        assert not any(np.array_equal(*pair) for pair in zip(one, plain, strict=True))
    segments = [each for each in catalogue.all_series() if each.modality == "SEG"]
    found = next(each for each in segments if each.description.endswith("Finding 1"))
    middle = found.geometry.to_mm(np.argwhere(load(Silent(), found).array > 0)).mean(axis=0)
    assert np.abs(middle - prediction.findings[0].centroid_lps).max() <= 7.0


def test_a_fine_tuned_version_is_another_device(left):
    folder, _, _, out, _ = left
    tuned = replace(card(), version="1.3", parent=card().weights_sha256, weights_sha256="ab" * 32)
    store(folder / "study", folder / "tuned", tuned)
    other, _ = leave(folder, "tuned")
    first, second = (model_of(pydicom.dcmread(folder / "score_pm.dcm")) for folder in (out, other))
    assert first.DeviceUID != second.DeviceUID
    assert second.SoftwareVersions[0] == "1.3"
    inside = bytes(pydicom.dcmread(other / "report_pdf.dcm").EncapsulatedDocument)
    assert read_text(inside).count("fine-tuned from") == 1


def read_text(pdf):
    from pypdf import PdfReader

    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
