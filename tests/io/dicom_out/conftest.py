"""What objects of a result are made from: its images, the result, the model's card."""

import pytest
from result_phantom import card, prediction_on
from throwaway import save_dicom, small_head

from medview.domain.progress import Silent
from medview.io.dicom_out.origin import Origin, read_source
from medview.io.readers import load, scan


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A head of 24 images with a result of three findings, one of them hidden."""
    folder = tmp_path_factory.mktemp("study")
    who = {"PatientName": "Doe^Jane", "PatientID": "ID7", "FrameOfReferenceUID": "1.2.3.9"}
    save_dicom(small_head(), folder / "study", **who)
    (series,) = scan(Silent(), (folder / "study",)).all_series()
    volume = load(Silent(), series)
    return Origin(read_source(series), prediction_on(volume), card())
