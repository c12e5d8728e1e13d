from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pikepdf
import pytest
from result_phantom import card, exam, head, prediction_on

from medview.domain.errors import WeightsError
from medview.domain.prediction import InputRef, Prediction, RunRequest, Score
from medview.domain.progress import Silent
from medview.io import nifti, readers
from medview.io.cards import write_card
from medview.io.hashing import file_sha256, volume_sha256
from medview.io.pdf import write_report
from medview.services import verifying
from medview.services.analysis import PREDICT
from medview.services.report_material import Material, Outcome
from medview.services.reporting import build_report
from medview.services.verifying import Again, verify

JOB = Silent()


class Model:
    """Stands for the model: says what it is told to say and remembers what it was asked."""

    def __init__(self, answer: Prediction | WeightsError) -> None:
        self.answer = answer
        self.requests: list[RunRequest] = []

    def __call__(self, lane: str, work: str, *args: object) -> object:
        if work == PREDICT:
            self.requests += [each for each in args if isinstance(each, RunRequest)]
            if isinstance(self.answer, WeightsError):
                raise self.answer
            return self.answer
        module, _, function = work.partition(":")
        return getattr(import_module(module), function)(JOB, *args)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    nifti.write(head(), folder / "t1.nii.gz")
    return folder


@pytest.fixture(scope="module")
def said(study) -> Prediction:
    (series,) = readers.scan(JOB, (study,)).all_series()
    digest = volume_sha256(readers.load(JOB, series))
    about = InputRef("t1", series.study_uid, series.uid, series.stack, digest, series.size)
    return replace(prediction_on(head()), inputs=(about,))


def printed(said: Prediction, folder: Path, **fields: object) -> Path:
    material = Material(exam(), None, (Outcome(said, card()),))
    path = folder / "r.pdf"
    write_report(JOB, build_report(replace(material, **fields)), path)
    return path


@pytest.fixture(scope="module")
def report(said, tmp_path_factory) -> Path:
    return printed(said, tmp_path_factory.mktemp("report"))


def test_without_the_study_only_the_file_is_checked(report, said):
    model = Model(said)
    verdict = verify(model, report)
    assert (verdict.holds, verdict.hash_ok, verdict.rerun) == (True, True, False)
    assert model.requests == []


def test_with_the_study_the_model_is_asked_the_same_again(report, study, said):
    model = Model(said)
    verdict = verify(model, report, study, Again("cpu", 2, "w.safetensors"))
    assert (verdict.holds, verdict.hash_ok, verdict.rerun) == (True, True, True)
    (request,) = model.requests
    assert (request.model, request.samples, request.alpha, request.seed) == ("anomaly", 5, 0.5, 7)
    assert (request.device, request.threads, request.precision) == ("cpu", 2, "float32")
    assert request.weights == "w.safetensors"
    assert volume_sha256(request.volumes["t1"]) == said.inputs[0].sha256
    assert request.inputs == said.inputs


def test_without_a_result_there_is_nothing_to_run_again(study, tmp_path):
    path = tmp_path / "r.pdf"
    write_report(JOB, build_report(Material(exam(), None)), path)
    verdict = verify(Model(WeightsError("is not asked")), path, study)
    assert (verdict.holds, verdict.rerun) == (True, False)


def test_the_age_and_precision_that_were_given_are_given_again(said, study, tmp_path):
    given = {**said.parameters, "age_years": 61.5, "sex": ""}
    aged = replace(said, parameters=given, dtype="bfloat16")
    model = Model(aged)
    assert verify(model, printed(aged, tmp_path), study).holds
    (request,) = model.requests
    assert (request.age_years, request.sex, request.precision) == (61.5, None, "bfloat16")


@pytest.fixture
def stay(tmp_path) -> tuple[Prediction, Path]:
    """A result that was made from a table alone, and the folder that the table lies in."""
    folder = tmp_path / "stays" / "one"
    folder.mkdir(parents=True)
    (folder / "other.csv").write_text("Hours,HR\n1,81\n")
    (folder / "stay.csv").write_text("Hours,HR\n1,80\n")
    about = InputRef("series", "", "2.25.1", 0, file_sha256(folder / "stay.csv"), (2, 1, 1))
    said = Prediction(
        **{
            **{f: getattr(prediction_on(head()), f) for f in _KEPT},
            "model": "icu",
            "inputs": (about,),
            "scores": (Score("mortality", 0.2, 0.1, 0.3),),
            "parameters": {"samples": 8, "sex": "M", "site": "Bonn", "film_hour": 12.5},
        }
    )
    return said, folder.parent


_KEPT = ("version", "weights_sha256", "code", "device", "dtype", "mode", "seed", "seconds")
_KEPT = (*_KEPT, "peak_memory_mb", "made_at")


def test_a_table_is_found_by_its_bytes_and_all_that_was_given_is_given_again(stay, tmp_path):
    said, folder = stay
    model = Model(said)
    verdict = verify(model, printed(said, tmp_path), folder)
    assert (verdict.holds, verdict.rerun) == (True, True)
    (request,) = model.requests
    assert request.volumes == {}
    assert request.tables == {"series": str(folder / "one" / "stay.csv")}
    assert (request.sex, request.site, request.film_hour) == ("M", "Bonn", 12.5)


def test_the_table_itself_may_be_named_as_the_study(stay, tmp_path):
    said, folder = stay
    assert verify(Model(said), printed(said, tmp_path), folder / "one" / "stay.csv").holds


def test_a_changed_table_makes_it_answer_no(stay, tmp_path):
    said, folder = stay
    (folder / "one" / "stay.csv").write_text("Hours,HR\n1,82\n")
    model = Model(said)
    verdict = verify(model, printed(said, tmp_path), folder)
    assert (verdict.holds, verdict.rerun, model.requests) == (False, False, [])
    (difference,) = verdict.differences
    assert (difference["input"], difference["now"]) == ("series", None)


def test_another_score_is_a_difference(report, study, said):
    other = replace(said, scores=(replace(said.scores[0], value=1.9), *said.scores[1:]))
    verdict = verify(Model(other), report, study)
    assert not verdict.holds
    assert verdict.hash_ok
    assert verdict.rerun
    assert verdict.differences == ({"score": "anomaly", "printed": 1.834, "now": 1.9},)


@pytest.mark.parametrize(
    ("score", "holds"),
    [
        (Score("anomaly", 1.83401, 1.61, 2.1), True),  # the last digit of another thread count
        (Score("anomaly", 1.834, 1.5, 2.1), False),
        (Score("anomaly", 1.834, 1.61, 2.2), False),
        (Score("anomaly", 1.834), False),
        (Score("anomaly", None), False),
    ],
)
def test_value_and_interval_must_agree(report, study, said, score, holds):
    other = replace(said, scores=(score, *said.scores[1:]))
    assert verify(Model(other), report, study).holds is holds


@pytest.mark.parametrize(
    ("devices", "value", "now", "agree"),
    [
        (("cpu", "cpu"), 2.0, 2.0001, True),
        (("cpu", "cpu"), 2.0, 2.001, False),
        (("cuda:0", "cuda:1"), 2.0, 2.001, False),
        (("cpu", "cuda:0"), 2.0, 2.01, True),
        (("cuda:0", "cpu"), 2.0, 2.1, False),
        (("cpu", "cpu"), 0.0, 5e-7, True),
        (("cpu", "cpu"), 0.0, 1e-4, False),
    ],
)
def test_another_device_may_change_more_digits_than_another_thread(
    said, devices, value, now, agree
):
    one, other = (
        replace(said, device=device, scores=(Score("anomaly", each),))
        for device, each in zip(devices, (value, now), strict=True)
    )
    assert (verifying._score_differences(one, other) == []) is agree


def test_a_score_that_is_missing_now_is_a_difference(report, study, said):
    verdict = verify(Model(replace(said, scores=said.scores[:1])), report, study)
    assert verdict.differences[0]["score"] == "anomaly_percentile"
    assert verdict.differences[0]["now"] is None


def test_other_weights_are_a_difference(report, study, said):
    verdict = verify(Model(replace(said, weights_sha256="00" * 32)), report, study)
    assert verdict.differences[0]["weights"] == "anomaly"
    assert verdict.differences[0]["now"] == "00" * 32


def test_damaged_weights_make_it_answer_no(report, study):
    damaged = Model(WeightsError("one byte differs", file="weights.safetensors"))
    verdict = verify(damaged, report, study)
    assert (verdict.holds, verdict.rerun) == (False, False)
    assert "one byte differs" in verdict.differences[0]["what"]


def test_one_voxel_makes_it_answer_no(report, said, tmp_path):
    array = head().array.copy()
    array[3, 3, 3] += 1
    nifti.write(replace(head(), array=array), tmp_path / "t1.nii.gz")
    model = Model(said)
    verdict = verify(model, report, tmp_path)
    assert (verdict.holds, verdict.rerun) == (False, False)
    assert verdict.differences[0]["input"] == "t1"
    assert model.requests == []


def test_a_series_of_that_name_with_other_pixels_is_not_run(report, study, said, monkeypatch):
    found = (None, head(), "f" * 64)
    monkeypatch.setattr(verifying, "find_input", lambda call, catalogue, wanted: found)
    model = Model(said)
    verdict = verify(model, report, study)
    assert (verdict.holds, verdict.rerun, model.requests) == (False, False, [])
    assert verdict.differences == (
        {"input": "t1", "printed": said.inputs[0].sha256, "now": "f" * 64},
    )


def test_a_changed_file_answers_no_also_without_the_study(report, said, tmp_path):
    with pikepdf.open(report) as pdf:
        pdf.pages[0].MediaBox = [0, 0, 500, 500]
        pdf.save(tmp_path / "r.pdf")
    verdict = verify(Model(said), tmp_path / "r.pdf")
    assert (verdict.holds, verdict.hash_ok, verdict.rerun) == (False, False, False)


def test_a_private_report_finds_its_pixels_without_names(study, said, tmp_path):
    path = printed(said, tmp_path, private=True)
    verdict = verify(Model(said), path, study)
    assert (verdict.holds, verdict.rerun) == (True, True)


def test_a_changed_file_answers_no_without_running_anything(report, study, said, tmp_path):
    with pikepdf.open(report) as pdf:
        pdf.pages[0].MediaBox = [0, 0, 500, 500]
        pdf.save(tmp_path / "r.pdf")
    model = Model(said)
    verdict = verify(model, tmp_path / "r.pdf", study)
    assert (verdict.holds, verdict.hash_ok, verdict.rerun) == (False, False, False)
    assert model.requests == []


@pytest.fixture
def own_version(said, tmp_path, monkeypatch):
    """A version of the user's own with the weights of the result."""
    folder = tmp_path / "models" / "anomaly" / "mine"
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"x")
    write_card(replace(card(), version="mine"), folder / "card.json")
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path))
    return folder / "weights.safetensors"


def test_weights_of_an_own_version_are_found_by_their_hash(report, study, said, own_version):
    model = Model(said)
    assert verify(model, report, study).holds
    assert [each.weights for each in model.requests] == [str(own_version)]


def test_of_several_results_each_gets_its_own_weights(study, said, own_version, tmp_path):
    other = replace(said, weights_sha256="cd" * 32)
    material = Material(exam(), None, (Outcome(said, card()), Outcome(other, card())))
    path = tmp_path / "two.pdf"
    write_report(JOB, build_report(material), path)
    model = Model(said)
    verdict = verify(model, path, study)
    assert [each.weights for each in model.requests] == [str(own_version), None]
    (difference,) = verdict.differences
    assert (difference["printed"], difference["now"]) == ("cd" * 32, said.weights_sha256)
    named = Again(weights=str(own_version))
    verify(model, path, study, named)
    assert [each.weights for each in model.requests[2:]] == [str(own_version)] * 2


def test_of_several_results_one_whose_image_is_gone_makes_it_answer_no(study, said, tmp_path):
    lost = replace(
        said, inputs=(replace(said.inputs[0], sha256="f" * 64, series="9", size=(1, 1, 1)),)
    )
    material = Material(exam(), None, (Outcome(lost, card()), Outcome(said, card())))
    path = tmp_path / "two.pdf"
    write_report(JOB, build_report(material), path)
    model = Model(said)
    verdict = verify(model, path, study)
    assert (verdict.holds, verdict.rerun, len(model.requests)) == (False, False, 1)
    assert [each["printed"] for each in verdict.differences] == ["f" * 64]


def test_where_the_file_of_the_weights_is_gone_the_shipped_ones_are_asked(
    report, study, said, monkeypatch
):
    gone = SimpleNamespace(card=card(), chosen=None)
    monkeypatch.setattr(verifying, "versions", lambda model: (gone,))
    model = Model(said)
    verify(model, report, study)
    assert [each.weights for each in model.requests] == [None]


def test_a_weights_file_of_another_model_is_not_used(report, study, said, tmp_path):
    write_card(replace(card(), id="cxr"), tmp_path / "card.json")
    model = Model(said)
    verify(model, report, study, Again(weights=str(tmp_path / "weights.safetensors")))
    assert model.requests[0].weights is None


def test_where_numbers_differ_another_code_is_named(report, study, said):
    newer = replace(said, code="0.4.0+gffffff")
    assert verify(Model(newer), report, study).holds
    score = replace(said.scores[0], value=9.9)
    verdict = verify(Model(replace(newer, scores=(score, *said.scores[1:]))), report, study)
    assert verdict.differences[-1] == {
        "code": "anomaly", "printed": said.code, "now": "0.4.0+gffffff",
    }  # fmt: skip
