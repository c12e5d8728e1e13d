import csv
import errno
import json
import math
import os
from dataclasses import fields, replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from phantoms import geometry_of, phantom
from result_phantom import EPSILON, card, exam, head, prediction_on

from medview.domain.errors import Cancelled, ReadError, WriteError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import PassScore, Prediction, SlicePass, SliceScore, TracePoint
from medview.domain.progress import Silent
from medview.domain.volume import Note, Window
from medview.io import results
from medview.io.results import read_prediction, read_result, read_scores, write_prediction
from medview.io.seen import salted

JOB = Silent()


@pytest.fixture(scope="module")
def prediction() -> Prediction:
    passes = (PassScore(2, 1.9, 1e-3), PassScore(3, 1.834, 1.2e-3))
    slice_passes = (SlicePass(2, 4, 1 / 3), SlicePass(3, 4, 0.25))
    return replace(prediction_on(head()), passes=passes, slice_passes=slice_passes)


def small() -> Prediction:
    """A result with one tiny map: for tests that only ask whether it is written at all."""
    grid = geometry_of(shape=(2, 3, 4))
    shown = ScalarMap("score", np.arange(24, dtype=np.float32).reshape(2, 3, 4), grid)
    return replace(prediction_on(head()), maps=(shown,), findings=(), slices=())


def same(one: Prediction, other: Prediction) -> None:
    for field in fields(Prediction):
        if field.name not in ("maps", "slices"):
            assert getattr(one, field.name) == getattr(other, field.name), field.name
    for mine, theirs in zip(one.slices, other.slices, strict=True):
        np.testing.assert_equal(
            [getattr(mine, f.name) for f in fields(SliceScore)],
            [getattr(theirs, f.name) for f in fields(SliceScore)],
        )
    for mine, theirs in zip(one.maps, other.maps, strict=True):
        assert mine.array.dtype == theirs.array.dtype
        np.testing.assert_array_equal(mine.array, theirs.array)
        assert np.array_equal(mine.geometry.affine, theirs.geometry.affine)
        assert mine.geometry.frame_of_reference == theirs.geometry.frame_of_reference
        named = ("name", "kind", "unit", "range", "title", "labels")
        assert [getattr(mine, n) for n in named] == [getattr(theirs, n) for n in named]


def test_a_result_comes_back_with_the_same_values(tmp_path, prediction):
    body = write_prediction(JOB, prediction, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == body
    same(prediction, read_prediction(JOB, tmp_path / "out"))


@pytest.mark.parametrize("code", ["LPS", "PIR", "RAS"])
def test_any_orientation_comes_back_exactly(tmp_path, code):
    grid = geometry_of(code, (5, 6, 7), (2.5, 0.7, 1 / 3), (0.1, -20.3, 7 / 3))
    made = replace(small(), maps=(ScalarMap("score", np.ones(grid.shape, np.float32), grid),))
    write_prediction(JOB, made, tmp_path / "out")
    same(made, read_prediction(JOB, tmp_path / "out"))


def test_not_a_number_in_a_map_stays_so(tmp_path):
    made = small()
    array = made.maps[0].array.copy()
    array[0, 0, 0] = np.nan
    made = replace(made, maps=(replace(made.maps[0], array=array),))
    write_prediction(JOB, made, tmp_path / "out")
    same(made, read_prediction(JOB, tmp_path / "out"))


def test_what_the_values_of_a_map_stand_for_comes_back(tmp_path):
    grid = geometry_of(shape=(2, 3, 4))
    names = ("ventricle right", "ventricle left")
    shown = ScalarMap("regions", np.ones(grid.shape, np.uint8), grid, "labels", labels=names)
    body = write_prediction(JOB, replace(small(), maps=(shown,)), tmp_path / "out")
    assert body["maps"][0]["labels"] == {"1": names[0], "2": names[1]}
    assert read_prediction(JOB, tmp_path / "out").map("regions").labels == names
    told = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    told["maps"][0]["labels"] = dict(reversed(told["maps"][0]["labels"].items()))
    (tmp_path / "out" / "result.json").write_text(json.dumps(told), "utf-8")
    assert read_prediction(JOB, tmp_path / "out").map("regions").labels == names


def test_the_written_maps_obey_the_two_laws(tmp_path, prediction):
    write_prediction(JOB, prediction, tmp_path / "out")
    maps = {
        path.name.removesuffix(".nii.gz"): nib.load(path).get_fdata()
        for path in (tmp_path / "out" / "maps").iterdir()
    }
    assert set(maps) == {"score", "residual", "epistemic", "aleatoric", "total", "brain"}
    np.testing.assert_allclose(maps["total"], maps["epistemic"] + maps["aleatoric"], rtol=1e-4)
    np.testing.assert_allclose(
        maps["score"], maps["residual"] / (maps["total"] + EPSILON), rtol=1e-4
    )


def test_other_programs_find_the_maps_in_their_place(tmp_path, prediction):
    write_prediction(JOB, prediction, tmp_path / "out")
    image = nib.load(tmp_path / "out" / "maps" / "score.nii.gz")
    peak = np.unravel_index(np.argmax(image.get_fdata()), image.shape)
    ras = image.affine @ [*peak, 1]
    # The lesion lies at LPS (20, 30, 12), the voxels are 4 mm wide.
    np.testing.assert_allclose(ras[:3], (-20, -30, 12), atol=4)
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1


def test_masks_are_whole_numbers_on_disk_and_come_back_as_they_were(tmp_path, prediction):
    write_prediction(JOB, prediction, tmp_path / "out")
    on_disk = nib.load(tmp_path / "out" / "maps" / "brain.nii.gz").get_data_dtype()
    assert on_disk == np.int16
    back = read_prediction(JOB, tmp_path / "out").map("brain")
    assert back is not None
    assert back.array.dtype == np.uint8


def test_the_table_of_slices_has_the_columns_of_the_contract(tmp_path, prediction):
    write_prediction(JOB, prediction, tmp_path / "out")
    with (tmp_path / "out" / "slices.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    contract = ["slice", "position_mm", "score", "residual", "epistemic", "aleatoric"]
    assert rows[0] == [*contract, "explained"]
    assert rows[1] == ["0", "-70.0", "", "", "", "", ""]  # no brain there
    assert len(rows) == 1 + 36
    assert float(rows[20][2]) == prediction.slices[19].score


def test_the_hours_of_a_stay_come_back_with_what_is_not_known_of_them(tmp_path):
    trace = (TracePoint(0.5, 1 / 3), TracePoint(1.0, 0.4, 0.3, 0.5, 0.25))
    made = replace(small(), trace=trace)
    write_prediction(JOB, made, tmp_path / "out")
    assert read_prediction(JOB, tmp_path / "out").trace == trace
    rows = (tmp_path / "out" / "trace.csv").read_text().splitlines()
    assert rows[0] == "hour,mortality,low,high,observed_share"
    assert rows[1] == f"0.5,{1 / 3!r},,,"
    write_prediction(JOB, small(), tmp_path / "without")
    tables = sorted(path.name for path in (tmp_path / "without").glob("*.csv"))
    assert tables == ["slices.csv"]


@pytest.mark.parametrize(
    ("array", "kind", "stored"),
    [
        (np.full((2, 3, 4), 40_000, np.uint16), "anomaly", np.float32),
        (np.full((2, 3, 4), 3000, np.uint16), "anomaly", np.int16),
        (np.full((2, 3, 4), 3, np.float32), "labels", np.int16),
        (np.full((2, 3, 4), 3, np.float32), "anomaly", np.float32),
        (np.full((2, 3, 4), 1.5, np.float32), "mask", np.float32),
    ],
)
def test_values_are_stored_whole_only_where_that_is_exact(array, kind, stored, tmp_path):
    grid = geometry_of(shape=array.shape)
    made = replace(small(), maps=(ScalarMap("m", array, grid, kind),))
    write_prediction(JOB, made, tmp_path / "out")
    assert nib.load(tmp_path / "out" / "maps" / "m.nii.gz").get_data_dtype() == stored
    same(made, read_prediction(JOB, tmp_path / "out"))


def test_scores_alone_are_read_without_the_maps(tmp_path):
    made = small()
    write_prediction(JOB, made, tmp_path / "out")
    (tmp_path / "out" / "maps" / "score.nii.gz").unlink()
    assert read_scores(tmp_path / "out") == made.scores
    (tmp_path / "out" / "result.json").write_text('{"schema": "medview.result/1"}')
    with pytest.raises(ReadError, match="not a result of this program"):
        read_scores(tmp_path / "out")


def test_a_table_of_slices_of_an_earlier_version_is_read(tmp_path, prediction):
    write_prediction(JOB, prediction, tmp_path / "out")
    table = tmp_path / "out" / "slices.csv"
    lines = [line.rpartition(",")[0] for line in table.read_text().splitlines()]
    table.write_text("\n".join(lines) + "\n")
    back = read_prediction(JOB, tmp_path / "out").slices
    assert back[19].score == prediction.slices[19].score
    assert all(math.isnan(each.explained) for each in back)


def test_the_image_and_the_examination_come_back_but_not_who_it_is(tmp_path):
    volume = replace(
        phantom(modality="MR"),
        windows=(Window(400.0, 200.0, "SIGMOID", "soft"),),
        padding=(-5.0, 0.0),
        missing_slices=(3,),
        lossy=True,
        warnings=(Note("LOSSY", "compressed"),),
    )
    write_prediction(JOB, small(), tmp_path / "out", volume, exam())
    back = read_result(JOB, tmp_path / "out")
    assert back.image is not None
    np.testing.assert_array_equal(back.image.array, volume.array)
    assert back.image.array.dtype == np.int16
    named = (
        *("quantity", "modality", "windows", "padding", "missing_slices", "lossy"),
        *("inverted", "warnings"),
    )
    assert [getattr(back.image, n) for n in named] == [getattr(volume, n) for n in named]
    assert back.exam == exam().without_identity()
    everything = b"".join(p.read_bytes() for p in (tmp_path / "out").iterdir() if p.is_file())
    for secret in (b"Doe", b"Jane", b"ANON-0110", b"1964", b"4471"):
        assert secret not in everything


def test_the_card_of_the_weights_comes_back_with_the_result(tmp_path):
    known = salted(card())
    write_prediction(JOB, small(), tmp_path / "with", None, None, known)
    assert read_result(JOB, tmp_path / "with").card == known
    write_prediction(JOB, small(), tmp_path / "without")
    assert read_result(JOB, tmp_path / "without").card is None


def test_two_writings_of_one_result_are_equal_to_the_byte(tmp_path, prediction):
    for name in ("one", "two"):
        write_prediction(JOB, prediction, tmp_path / name)
    files = [p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*")]
    assert len(files) == 9
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_an_earlier_result_is_replaced_and_foreign_files_stay(tmp_path):
    out = tmp_path / "out"
    write_prediction(JOB, replace(small(), seed=1), out)
    (out / "notes.txt").write_text("mine")
    write_prediction(JOB, replace(small(), seed=2), out)
    assert read_prediction(JOB, out).seed == 2
    assert (out / "notes.txt").read_text() == "mine"


def test_a_full_disk_leaves_nothing_new(tmp_path, monkeypatch):
    def full(item: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(results.nifti, "write", full)
    with pytest.raises(WriteError, match=r"^out: the disk is full\. Free some space"):
        write_prediction(JOB, small(), tmp_path / "new" / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="out: may not be written here"):
        write_prediction(JOB, small(), tmp_path / "out")


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(WriteError, match=r"out: is a file\. Name a folder instead\."):
        write_prediction(JOB, small(), tmp_path / "out")


def test_a_stop_in_the_middle_leaves_nothing(tmp_path):
    class Stopped(Silent):
        def check(self) -> None:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        write_prediction(Stopped(), small(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("result.json", b"{", "result.json: is damaged"),
        pytest.param("result.json", b"[" * 100_000, "result.json: is damaged", id="nested"),
        ("result.json", b'{"schema":"medview.info/1"}', "is not a result of this program"),
        ("slices.csv", b"a,b\n1,2\n", "slices.csv: is not a table of slices"),
        ("maps/score.nii.gz", b"nothing", "score.nii.gz: is missing or no NIfTI"),
    ],
)
def test_what_is_damaged_is_named(tmp_path, file, content, sentence):
    write_prediction(JOB, small(), tmp_path / "out")
    (tmp_path / "out" / file).write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_prediction(JOB, tmp_path / "out")
    assert sentence in str(caught.value)


def test_a_folder_without_a_result_is_named(tmp_path):
    with pytest.raises(ReadError, match=r'holds no result\.json\. Choose a folder that "medview'):
        read_prediction(JOB, tmp_path)


def test_a_map_that_was_moved_is_refused(tmp_path):
    write_prediction(JOB, small(), tmp_path / "out")
    file = tmp_path / "out" / "result.json"
    body = json.loads(file.read_text())
    body["maps"][0]["grid"]["affine_lps"][0][3] += 1.0
    file.write_text(json.dumps(body))
    with pytest.raises(ReadError, match=r"does not lie where result\.json says"):
        read_prediction(JOB, tmp_path / "out")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../../secret"),  # leads out of the folder
        ("kind", "dose"),  # nobody knows how it is drawn
        ("kind", None),
    ],
)
def test_a_map_that_cannot_be_kept_or_drawn_is_refused(tmp_path, key, value):
    write_prediction(JOB, small(), tmp_path / "out")
    file = tmp_path / "out" / "result.json"
    body = json.loads(file.read_text())
    body["maps"][0][key] = value
    file.write_text(json.dumps(body))
    with pytest.raises(ReadError, match="is not a result of this program"):
        read_prediction(JOB, tmp_path / "out")
