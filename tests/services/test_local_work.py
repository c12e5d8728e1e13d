"""Cases from what was read here: found again, labelled by answers and regions, never by guess."""

from dataclasses import replace

import numpy as np
import pytest
from brains import head, write_nifti
from throwaway import save_dicom, small_head

from medview.domain.errors import InputRefused
from medview.domain.local_case import LocalWish
from medview.domain.measurement import Measurement
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import ZONE_GRADES, InputRef, Opinion, Prediction, Score
from medview.domain.progress import Silent
from medview.io.hashing import volume_sha256
from medview.io.readers import load, scan
from medview.io.result_index import Binding
from medview.io.result_store import ResultStore
from medview.learning.cases import find_subsets, prepare_case, values_on
from medview.learning.findings import regions
from medview.learning.images import read_image
from medview.learning.reader_labels import LESION, UNKNOWN
from medview.services.local_work import gather, write
from medview.services.workspace import Drawn, Workspace, hashed
from medview.services.workspace_files import write_workspace

AT = "2026-11-21T10:41:00+00:00"


class Room:
    """A folder of studies that were read, with the results and drawings that are kept of them."""

    def __init__(self, folder):
        self.folder, self.store = folder, ResultStore(folder / "results")
        self.studies = folder / "studies"

    def study(self, number, **elements):
        """A T1 series of a patient, in a folder of its own."""
        known = {"SeriesDescription": "T1 mprage", "PatientID": f"P{number}",
                 "PatientName": f"Name{number}", "PatientSex": "F", "StudyDate": "20261121",
                 "InstitutionName": "HH", "SeriesInstanceUID": f"1.2.{number}.1",
                 "StudyInstanceUID": f"1.2.{number}"}  # fmt: skip
        folder = self.studies / f"s{number}"
        save_dicom(small_head(), folder, **(known | elements))
        return self.series(folder)

    def series(self, path):
        (found,) = scan(Silent(), (path,)).all_series()
        return found

    def result(self, series, *verdicts, model="anomaly", scores=(), about="finding {n}"):
        """A result with two blobs as findings, and the answers to them."""
        volume = load(Silent(), series)
        values = np.zeros(volume.geometry.shape, np.float32)
        if model == "anomaly":
            values[10:13, 14:18, 10:14] = np.linspace(7, 9, 48).reshape(3, 4, 4)
            values[16:18, 20:23, 16:19] = np.linspace(6.5, 8, 18).reshape(2, 3, 3)
        shown = ScalarMap("score", values, volume.geometry, "anomaly", "1", (0, 18), "score")
        found = regions(shown, values > 6)
        k, j, i = volume.geometry.shape
        sha256 = volume_sha256(volume)
        made = Prediction(
            model, "1.0", "", "", "cpu", "float32", "batched", 0, {}, 1.0, 1.0,
            (InputRef("t1", series.study_uid, series.uid, 0, sha256, (i, j, k)),), tuple(scores),
            maps=(shown,), findings=tuple(replace(f, id=n) for n, f in enumerate(found, 1)),
            made_at=AT,
        )  # fmt: skip
        entry = self.store.add(Silent(), Binding(series.study_uid, series.key, sha256), made)
        self.store.judge(
            entry.id,
            [
                Opinion(about.format(n=n), verdict, "A. Reader", AT)
                for n, verdict in enumerate(verdicts, 1)
                if verdict
            ],
        )
        return volume

    def draw(self, series):
        """An ellipse of 24 by 24 mm on slice 12, kept with the study."""
        middle = load(Silent(), series).geometry.to_mm((12, 16, 14))
        points = tuple(tuple(middle + n * np.array([12.0, 12.0, 0])) for n in (-1, 1))
        drawn = Measurement(1, "ellipse", points, (1.0, 0, 0), (0, 1.0, 0))
        ruler = replace(drawn, id=2, kind="length")
        kept = Workspace(drawings=tuple(Drawn(hashed(series.key), one) for one in (drawn, ruler)))
        write_workspace(self.folder / "workspaces", hashed(series.study_key), kept)

    def wish(self, **fields):
        known = {"model": "anomaly", "paths": (self.studies,), "results": self.folder / "results",
                 "out": self.folder / "out", "workspaces": self.folder / "workspaces"}  # fmt: skip
        return LocalWish(**(known | fields))

    def gather(self, **fields):
        return {dict(one.cells)["patient"]: one for one in self.found(**fields)}

    def found(self, **fields):
        return gather(Silent(), self.wish(**fields)).cases


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_agreed_findings_are_lesions_in_the_grid_of_their_volume(room):
    series = room.study(1)
    volume = room.result(series, "agree", "rejected")
    (case,) = room.found()
    cells = dict(case.cells)
    assert case.is_labelled
    assert case.label == "abnormal: 1 of 2 findings agreed (A. Reader, 21 Nov 2026 10:41 UTC)"
    assert (cells["label"], cells["site"], cells["sex"]) == ("1", "HH", "F")
    mask = values_on(room.folder / "out" / "masks" / f"{case.case}.nii.gz", volume)
    assert np.argwhere(mask == LESION).min(0).tolist() == [10, 14, 10]
    assert np.argwhere(mask == LESION).max(0).tolist() == [12, 17, 13]
    assert not (mask == UNKNOWN).any()


def test_the_list_that_is_written_is_the_one_that_the_trainer_reads(room):
    room.result(room.study(1), "agree", "rejected")
    room.result(room.study(2, PatientID="P2"), "rejected", "rejected")
    cases = room.found()
    file = write(Silent(), room.folder / "out" / "cases.csv", cases)
    (subset,) = find_subsets((file,), "anomaly")
    assert [case.label for case in subset.cases] == [1, 0]
    assert len({case.patient for case in subset.cases}) == 2
    assert prepare_case(subset.cases[0]).truth.any()
    assert [case.label for case in subset.normal_part.cases] == [0]
    text = (room.folder / "out" / "cases.csv").read_text()
    assert "Name1" not in text
    assert "P1," not in text


def test_studies_of_one_patient_are_one_patient(room):
    room.study(1)
    room.study(2, PatientID="P1", PatientName="Name1")
    one, other = room.found()
    assert one.patient == other.patient
    assert one.case != other.case
    assert not one.is_labelled
    assert one.label == "no answer yet"
    assert one.shown == "P1 · 21 Nov 2026 · T1 mprage"


def test_open_and_unsure_findings_are_no_label(room):
    room.result(room.study(1), "rejected", "unsure")
    (case,) = room.found()
    assert not case.is_labelled
    assert case.label == "1 of 2 rejected, the others open"


def test_a_drawn_region_is_a_lesion_only_where_that_is_stated(room):
    series = room.study(1)
    room.draw(series)
    (case,) = room.found()
    assert not case.is_labelled
    assert case.label == "no answer yet; 1 drawn region, not known as lesions"
    (case,) = room.found(states=True)
    assert case.is_labelled
    assert "mask" in dict(case.cells)
    mask = values_on(room.folder / "out" / "masks" / f"{case.case}.nii.gz", load(Silent(), series))
    assert np.unique(np.argwhere(mask == LESION)[:, 0]).tolist() == [12]
    area_mm2 = (mask == LESION).sum() * 16.0
    assert area_mm2 == pytest.approx(np.pi * 12**2, rel=0.15)
    assert (mask[11] == UNKNOWN).all()


def test_regions_on_what_is_open_are_those_on_screen(room):
    series = room.study(1)
    room.draw(series)
    (case,) = room.found(states=True, drawings=((series.key, ()),))
    assert case.label == "no answer yet"


def test_pixels_that_nobody_answered_about_are_no_case(room):
    series = room.study(1)
    room.result(series, "agree", "agree")
    other = small_head()
    for n in series.files:
        n.unlink()
    changed = replace(other, array=other.array + 1)
    known = {"PatientID": "P1", "PatientName": "Name1", "SeriesInstanceUID": "1.2.1.1"}
    save_dicom(changed, room.studies / "again", StudyInstanceUID="1.2.1", **known)
    (case,) = room.found()
    assert not case.is_labelled
    assert case.wrong == (
        "the file holds other pixels than those that were answered about. "
        "Run the model on it again."
    )


def test_one_case_that_cannot_be_read_never_stops_the_others(room):
    series = room.study(1)
    room.result(series, "rejected", "rejected")
    room.result(room.study(2), "rejected", "rejected")
    entry = room.store.entries()[0]
    (room.folder / "results" / "data" / entry.id / "maps" / "score.nii.gz").write_bytes(b"x")
    found = room.found(paths=(room.folder / "gone", room.studies))
    assert sorted(case.is_labelled for case in found) == [False, True]
    assert [case.wrong for case in found if case.wrong] == [
        "is not the file that was stored. Run the model again."
    ]
    told = gather(Silent(), room.wish(paths=(room.folder / "gone", room.studies)))
    assert [name for name, _ in told.skipped] == ["gone"]


def test_a_series_among_others_is_copied_so_that_it_can_be_named(room):
    series = room.study(1)
    second = save_dicom(small_head(), room.studies / "t2", SeriesDescription="T2 tse",
                        PatientID="P1", SeriesInstanceUID="1.2.1.9")  # fmt: skip
    for path in second.iterdir():
        path.rename(room.studies / "s1" / f"t2-{path.name}")
    room.result(series, "rejected", "rejected")
    (case,) = room.found()
    path = room.folder / "out" / "images" / f"{case.case}.nii.gz"
    assert dict(case.cells)["t1"] == str(path)
    assert read_image(path).geometry.shape == (24, 32, 28)


def test_a_file_alone_is_named_where_it_lies(room):
    path = write_nifti(room.studies / "t1.nii.gz", head())
    room.result(room.series(path), "rejected", "rejected")
    (case,) = room.found()
    assert dict(case.cells)["t1"] == str(path)


def test_private_shows_pseudonyms_and_keeps_no_site(room):
    room.study(1)
    (case,) = room.found(private=True)
    assert case.shown == f"{case.patient} · 21 Nov 2026 · T1 mprage"
    assert dict(case.cells)["site"] == ""


@pytest.mark.parametrize("model", ["brain-age", "brain-age-armed", "icu"])
def test_models_that_learn_nothing_from_answers_say_why(room, model):
    with pytest.raises(InputRefused, match="gives this model no cases") as refused:
        gather(Silent(), room.wish(model=model))
    assert "case list" in refused.value.do


def test_nothing_read_here_is_said(room):
    room.studies.mkdir()
    with pytest.raises(InputRefused, match="no study that fits this model was read here"):
        room.found(paths=())


def test_an_outcome_is_a_label_only_where_the_reader_knew_it(room):
    film = write_nifti(room.studies / "film.nii.gz", np.zeros((64, 60), np.uint8) + 3)
    series = room.series(film)
    assert series.geometry.shape[0] == 1
    severe = Score("severe", 0.8)
    room.result(series, "rejected", model="cxr", scores=(severe,), about="score severe")
    (case,) = room.found(model="cxr")
    assert (case.is_labelled, case.label) == (False, "an answer, but not known as the outcome")
    (case,) = room.found(model="cxr", states=True)
    assert case.label.startswith("outcome MILD (A. Reader")
    assert dict(case.cells)["prognosis"] == "MILD"


def test_grades_of_all_six_zones_are_a_label_of_a_film(room):
    series = room.series(write_nifti(room.studies / "film.nii.gz", np.zeros((64, 60), np.uint8)))
    severe = Score("severe", 0.8)
    room.result(series, model="cxr", scores=(severe,))
    (entry,) = room.store.entries()
    grades = Opinion(ZONE_GRADES, "10-302", "A. Reader", AT)
    room.store.judge(entry.id, [grades])
    (case,) = room.found(model="cxr")
    assert (case.is_labelled, case.label) == (False, "not all six zones are graded")
    room.store.judge(
        entry.id, [replace(grades, verdict="102302"), Opinion("score severe", "agree")]
    )
    (case,) = room.found(model="cxr")
    assert case.label.startswith("zones 102302 (A. Reader")
    cells = dict(case.cells)
    assert cells["brixia"] == "102302"
    assert "prognosis" not in cells
    (case,) = room.found(model="cxr", states=True)
    assert dict(case.cells)["prognosis"] == "SEVERE"
    file = write(Silent(), room.folder / "cases.csv", (case,))
    (subset,) = find_subsets((file,), "cxr")
    assert subset.cases[0].cells["brixia"] == "102302"


def test_what_to_label_next_is_what_the_model_doubts_most(room):
    said = {1: (2.0, 1.9, 2.1), 2: (2.0, 1.0, 3.0), 4: (9.0, 8.0, 9.5)}
    for n in (1, 2, 3, 4):
        series = room.study(n)
        if n in said:
            verdicts = ("agree", "rejected") if n == 4 else ()
            room.result(series, *verdicts, scores=(Score("anomaly", *said[n]),))
    cases = room.found()
    assert [case.shown.split(" ")[0] for case in cases] == ["P4", "P2", "P1", "P3"]
    assert [case.doubt for case in cases] == [None, pytest.approx(2.0), pytest.approx(0.2), None]
    assert cases[1].why == "draws say 1.00 to 3.00"
    assert [bool(case.why) for case in cases] == [False, True, True, False]


def test_nothing_stays_of_answers_that_were_taken_back(room):
    room.result(room.study(1), "agree", "rejected")
    (case,) = room.found()
    mask = room.folder / "out" / "masks" / f"{case.case}.nii.gz"
    assert mask.is_file()
    room.store.judge(room.store.entries()[0].id, [])
    (case,) = room.found()
    assert (case.is_labelled, mask.exists()) == (False, False)
