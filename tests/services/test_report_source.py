from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from phantoms import phantom
from result_phantom import card, exam, head, prediction_on

from medview.domain.errors import InputRefused, ReadError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import InputRef, Prediction
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.io import nifti, readers
from medview.io.hashing import volume_sha256
from medview.io.pdf import PrintedReport
from medview.io.record import read_table
from medview.io.results import write_prediction
from medview.io.seen import salted
from medview.services.report_source import (
    amending,
    card_for,
    find_input,
    gather,
    result_folders,
    with_words,
)
from medview.services.report_text import ReaderText
from medview.services.reporting import Material

JOB = Silent()


def call(lane: str, work: str, *args: object) -> object:
    """Do the work here instead of in a child."""
    module, _, function = work.partition(":")
    return getattr(import_module(module), function)(JOB, *args)


@pytest.fixture
def study(tmp_path) -> Path:
    """A folder with one NIfTI file of the made-up head."""
    folder = tmp_path / "study"
    folder.mkdir()
    nifti.write(head(), folder / "t1.nii.gz")
    return folder


def result_about(study: Path) -> Prediction:
    """A result that names the series in the folder."""
    (series,) = readers.scan(JOB, (study,)).all_series()
    volume = readers.load(JOB, series)
    about = InputRef(
        "t1", series.study_uid, series.uid, series.stack, volume_sha256(volume), series.size
    )
    return replace(prediction_on(head()), inputs=(about,))


def test_a_folder_alone_gives_image_and_examination_but_no_name(tmp_path):
    known = salted(card())
    write_prediction(JOB, prediction_on(head()), tmp_path / "out", head(), exam(), known)
    material = gather(call, tmp_path / "out")
    assert material.volume is not None
    np.testing.assert_array_equal(material.volume.array, head().array)
    assert material.exam == exam().without_identity()
    (outcome,) = material.outcomes
    assert outcome.prediction.model == "anomaly"
    assert outcome.card == known
    assert len(outcome.file_sha256) == 64


def test_a_folder_without_an_image_shows_what_the_model_saw(tmp_path):
    made = prediction_on(head())
    seen = ScalarMap("seen", head().array.astype(np.float32), head().geometry, "image")
    write_prediction(JOB, replace(made, maps=(*made.maps, seen)), tmp_path / "with")
    write_prediction(JOB, made, tmp_path / "without")
    material = gather(call, tmp_path / "with")
    assert material.volume is not None
    np.testing.assert_array_equal(material.volume.array, seen.array)
    assert gather(call, tmp_path / "without").volume is None


def test_the_study_gives_pixels_and_patient(tmp_path, study):
    write_prediction(JOB, result_about(study), tmp_path / "out")
    material = gather(call, tmp_path / "out", study)
    assert material.volume is not None
    assert volume_sha256(material.volume) == material.outcomes[0].prediction.inputs[0].sha256
    assert material.exam.series_description == "t1"


def test_another_study_is_refused(tmp_path, study):
    write_prediction(JOB, result_about(study), tmp_path / "out")
    other = tmp_path / "other"
    other.mkdir()
    nifti.write(phantom(), other / "t1.nii.gz")
    with pytest.raises(InputRefused, match=r"^other: is not the study that this result is about"):
        gather(call, tmp_path / "out", other)


def test_one_voxel_makes_it_another_study(tmp_path, study):
    write_prediction(JOB, result_about(study), tmp_path / "out")
    array = head().array.copy()
    array[10, 10, 10] += 1
    nifti.write(replace(head(), array=array), study / "t1.nii.gz")
    with pytest.raises(InputRefused, match="its pixels are other ones"):
        gather(call, tmp_path / "out", study)


def test_pixels_are_found_without_their_uid(study):
    wanted = replace(result_about(study).inputs[0], series="", study="")
    series, volume, digest = find_input(call, readers.scan(JOB, (study,)), wanted)
    assert series is not None
    assert isinstance(volume, Volume)
    assert digest == wanted.sha256
    series, volume, digest = find_input(
        call, readers.scan(JOB, (study,)), replace(wanted, sha256="00")
    )
    assert (series, volume, digest) == (None, None, "")


def test_results_of_one_study_make_one_report_and_of_two_none(tmp_path):
    made = prediction_on(head())
    for name in ("one", "two"):
        write_prediction(JOB, made, tmp_path / "out" / name)
    assert [f.name for f in result_folders(tmp_path / "out")] == ["one", "two"]
    named = tmp_path / "out" / "one" / "result.json"
    assert result_folders(named) == (named.parent,)
    assert len(gather(call, tmp_path / "out").outcomes) == 2
    other = replace(made, inputs=(replace(made.inputs[0], study="9.9"),))
    write_prediction(JOB, other, tmp_path / "out" / "three")
    with pytest.raises(InputRefused, match="holds results of 2 studies"):
        gather(call, tmp_path / "out")


def test_results_on_different_grids_are_told_by_folder_and_series(tmp_path):
    made = prediction_on(head())
    about = replace(exam(), series_number=7, series_description="T1 sag")
    write_prediction(JOB, made, tmp_path / "out" / "one", head(), about)
    grid = replace(made.maps[0].geometry, affine=made.maps[0].geometry.affine * 1.01)
    other = replace(made, maps=tuple(replace(each, geometry=grid) for each in made.maps))
    write_prediction(JOB, other, tmp_path / "out" / "two")
    with pytest.raises(InputRefused) as caught:
        gather(call, tmp_path / "out")
    assert caught.value.file == "out"
    size = " x ".join(str(n) for n in made.inputs[0].size)
    assert f'"one" (series 7 "T1 sag" {size}), "two" ({size})' in caught.value.what
    assert len(gather(call, tmp_path / "out" / "two").outcomes) == 1


def test_a_study_without_a_result_is_reported_with_its_images(study):
    material = gather(call, study)
    assert material.outcomes == ()
    assert material.volume is not None
    assert material.exam.series_description == "t1"


def test_a_folder_of_nothing_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises((InputRefused, ReadError)):
        gather(call, tmp_path)


def test_a_card_counts_only_for_its_own_weights():
    made, cards = prediction_on(head()), {"anomaly": card()}
    assert card_for(made, cards) == card()
    assert card_for(replace(made, weights_sha256="00" * 32), cards) is None
    assert card_for(replace(made, model="unheard-of"), cards) is None


def test_a_result_of_a_table_and_one_of_an_image_make_one_report(tmp_path):
    image = prediction_on(head())
    about = InputRef("series", "", "2.25.1", 0, "cd" * 32, (11, 48, 1))
    table = replace(image, model="icu", inputs=(about,), maps=(), findings=(), slices=())
    write_prediction(JOB, table, tmp_path / "out" / "a")
    write_prediction(JOB, image, tmp_path / "out" / "b", head(), exam(), card())
    material = gather(call, tmp_path / "out")
    assert [each.prediction.model for each in material.outcomes] == ["icu", "anomaly"]
    assert material.volume is not None
    assert material.exam == exam().without_identity()


@pytest.fixture
def stay(tmp_path) -> Path:
    """The table of a stay, and in the folder "out" a result about it."""
    path = tmp_path / "study" / "stay.csv"
    path.parent.mkdir()
    path.write_text("Hours,Heart Rate\n0.5,80\n1.0,90\n")
    _, about, _ = read_table(JOB, path)
    table = replace(prediction_on(head()), inputs=(about,), maps=(), findings=(), slices=())
    write_prediction(JOB, table, tmp_path / "out")
    return path


def test_a_result_of_a_table_alone_needs_no_image_in_the_study(tmp_path, stay):
    material = gather(call, tmp_path / "out", tmp_path)
    assert material.volume is None


@pytest.mark.parametrize("whole", [True, False], ids=["the folder", "the table"])
def test_the_record_of_a_stay_is_the_table_with_the_bytes_of_the_result(whole, tmp_path, stay):
    (stay.parent / "other.csv").write_text("Hours,Heart Rate\n0.5,60\n")
    stay.with_suffix(".txt").write_bytes(stay.read_bytes())  # no table, whatever it holds
    moved = stay.rename(stay.parent / "zzz.CSV")
    record = gather(call, tmp_path / "out", moved.parent if whole else moved).record
    assert [strip.values for strip in record.strips] == [(80.0, 90.0)]
    assert gather(call, tmp_path / "out").record is None
    moved.unlink()
    assert gather(call, tmp_path / "out", stay.parent).record is None


@pytest.mark.parametrize(
    ("name", "what"), [("other.csv", "is not the table that this result"), ("no.csv", "not exist")]
)
def test_another_table_is_refused_and_not_left_out_in_silence(name, what, tmp_path, stay):
    (stay.parent / "other.csv").write_text("Hours,Heart Rate\n0.5,60\n")
    with pytest.raises(InputRefused, match=what):
        gather(call, tmp_path / "out", stay.parent / name)
    write_prediction(JOB, replace(prediction_on(head()), maps=()), tmp_path / "image")
    with pytest.raises(InputRefused, match=what):
        gather(call, tmp_path / "image", stay.parent / name)


def test_what_is_neither_file_nor_folder_holds_no_result(tmp_path):
    assert result_folders(tmp_path / "nowhere") == ()
    (tmp_path / "result.json").mkdir()
    assert result_folders(tmp_path / "result.json") == ()


def test_pixels_under_the_uid_of_the_result_are_told_though_they_changed(study):
    catalogue = readers.scan(JOB, (study,))
    wanted = result_about(study).inputs[0]
    (series,) = catalogue.all_series()
    found = find_input(call, catalogue, replace(wanted, sha256="00"))
    assert (found[0], found[2]) == (series, wanted.sha256)


def test_of_a_study_without_a_result_the_series_of_most_slices_is_shown(study):
    nifti.write(phantom(), study / "a.nii.gz")
    sizes = {s.description: s.size for s in readers.scan(JOB, (study,)).all_series()}
    largest = max(sizes, key=lambda name: sizes[name][2])
    assert gather(call, study).exam.series_description == largest
    assert len({size[2] for size in sizes.values()}) == 2


@pytest.mark.parametrize(
    ("intact", "signed", "what"),
    [
        (True, True, None),
        (False, True, "was changed after it was written"),
        (True, False, "was never signed"),
    ],
)
def test_only_a_whole_report_that_was_signed_is_amended(intact, signed, what, tmp_path):
    manifest = {"signatures": [{"by": "Dr A", "at": "2026-11-21T10:41:00+00:00"}]}

    def printed(lane, work, path):
        return PrintedReport(manifest if signed else {}, intact, 2)

    bare = Material(exam(), None, (), ReaderText())
    if what is None:
        (earlier,) = amending(printed, bare, tmp_path / "r.pdf").history
        assert earlier.by == "Dr A"
        return
    with pytest.raises(InputRefused, match=rf"^r\.pdf: {what}"):
        amending(printed, bare, tmp_path / "r.pdf")


@pytest.mark.parametrize(("findings", "do"), [(3, "It has: 1, 2, 3"), (0, "It has no findings")])
def test_an_answer_to_a_finding_that_is_not_there_is_told(findings, do, tmp_path):
    made = prediction_on(head())
    made = replace(made, maps=(), findings=made.findings[:findings])
    write_prediction(JOB, made, tmp_path / "out")
    words = ReaderText(verdicts={9: "rejected"})
    with pytest.raises(InputRefused, match=rf"finding 9, .*{do}"):
        with_words(gather(call, tmp_path / "out"), words)


def test_the_words_of_a_reader_are_added_and_who_is_named_by_default(tmp_path):
    write_prediction(JOB, replace(prediction_on(head()), maps=()), tmp_path / "out")
    material = gather(call, tmp_path / "out")
    words = ReaderText(impression="normal")
    told = with_words(material, words, signer="Dr A", role="reader")
    assert (told.reader, told.signer, told.role, told.private) == (words, "Dr A", "reader", False)
    assert with_words(material, words, private=True).private
