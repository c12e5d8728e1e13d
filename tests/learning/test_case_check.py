"""Every case is read once before a training: which is wrong, what of it works, what to do."""

import numpy as np
import pytest
from brains import head, write_nifti

from medview.domain.case_check import Fault, Tried
from medview.domain.errors import Cancelled
from medview.domain.progress import Silent
from medview.learning import case_check
from medview.learning.case_check import check, fault_of
from medview.learning.subset import TrainCase


class Job(Silent):
    def __init__(self, stop_at=None):
        self.parts, self.reports, self.stop_at = [], [], stop_at

    def report(self, done, total, text=""):
        self.reports.append((done, total))

    def partial(self, payload):
        self.parts.append(payload)

    def check(self):
        if self.stop_at is not None and len(self.parts) >= self.stop_at:
            raise Cancelled("stopped")


def write_cases(folder, **broken):
    """Five brains; what `broken` names by "file" is written as these bytes."""
    rows = []
    for n in range(5):
        write_nifti(folder / f"c{n}.nii.gz", head(seed=n))
        write_nifti(folder / f"m{n}.nii.gz", np.zeros((40, 48, 40), np.uint8))
        rows.append(f"c{n},p{n},HH,c{n}.nii.gz,m{n}.nii.gz,0")
    for name, content in broken.items():
        (folder / f"{name}.nii.gz").write_bytes(content)
    path = folder / "cases.csv"
    path.write_text("\n".join(["case,patient,site,t1,mask,label", *rows]) + "\n")
    return (str(path),)


def test_sound_cases_are_counted_as_before_and_each_is_handed_over(tmp_path):
    job = Job()
    found = check(job, "anomaly", write_cases(tmp_path))
    assert (found["cases"], found["patients"], found["skipped"]) == (5, 5, [])
    assert found["by_site"] == {"HH": 5}
    assert [part.is_over for part in job.parts] == [False, True] * 5
    assert job.reports[-1] == (4, 5)


def test_a_bad_file_is_named_and_the_others_can_be_used(tmp_path):
    data = write_cases(tmp_path, c1=b"no image", m3=b"no mask")
    found = check(Job(), "anomaly", data)
    assert (found["cases"], found["patients"]) == (3, 3)
    said = dict(found["skipped"])
    assert said["c1"].startswith("c1.nii.gz: ")
    assert "The image itself can be read." in said["m3" if "m3" in said else "c3"]
    assert said["c3"].startswith("m3.nii.gz: ")


def test_a_mask_on_another_grid_is_told_before_anything_runs(tmp_path):
    data = write_cases(tmp_path)
    write_nifti(tmp_path / "m2.nii.gz", np.zeros((20, 24, 20), np.uint8))
    ((case, words),) = check(Job(), "anomaly", data)["skipped"]
    assert case == "c2"
    assert words == (
        "m2.nii.gz: the mask lies on another grid than its image. The image itself can be read. "
        "Resample the mask onto the image."
    )


def test_whatever_a_decoder_raises_is_one_case(tmp_path, monkeypatch):
    def broken(path, *_):
        raise ValueError("inner words")

    monkeypatch.setattr(case_check, "read_image", broken)
    case = TrainCase("a", "p", {"film": tmp_path / "a.dcm"}, "film")
    fault = fault_of("cxr", case)
    assert fault.text == "a.dcm: it cannot be read (ValueError). Take it out of the cases."


def test_a_film_beside_a_table_is_read_too(tmp_path):
    film = tmp_path / "film.png"
    film.write_bytes(b"x")
    fault = fault_of("icu-armed", TrainCase("a", "p", {"film": film}, "series"))
    assert fault.still == "Its table can be read"
    assert fault_of("brain-age", TrainCase("a", "p", {}, "smri")) is None


def test_a_check_goes_on_behind_what_was_tried(tmp_path):
    data = write_cases(tmp_path, c4=b"x")
    job = Job()
    fault = Fault("cases/c0", "c0", "the program that reads it ended at this file")
    found = check(job, "anomaly", data, ("cases/c0", "cases/c1"), (fault,))
    assert [part.case for part in job.parts if not part.is_over] == ["c2", "c3", "c4"]
    assert [case for case, _ in found["skipped"]] == ["c0", "c4"]
    assert found["cases"] == 3


def test_a_check_can_be_stopped_between_two_cases(tmp_path):
    job = Job(stop_at=4)
    with pytest.raises(Cancelled):
        check(job, "anomaly", write_cases(tmp_path))
    assert job.parts[-1] == Tried("cases/c1", "c1", is_over=True)
