from dataclasses import replace

import numpy as np
import pytest
import torch
from phantoms import geometry_of, phantom
from services.stubs import result_about

from medview.domain.errors import OUT_OF_MEMORY, ModelInputError
from medview.domain.overlay import ScalarMap
from medview.domain.prediction import RunRequest, Score, SliceScore
from medview.domain.progress import Silent
from medview.domain.volume import Note, Volume
from medview.learning import predict
from medview.services.session_values import VolumeId

asked: list[RunRequest] = []
memory_for = {"batch": 0, "cpu": True}


def hungry(job, request):
    """Runs out of memory as a GPU does, unless asked for little enough."""
    asked.append(request)
    on_gpu = request.device != "cpu"
    if (on_gpu and (request.batch or 4) > memory_for["batch"]) or not (on_gpu or memory_for["cpu"]):
        raise torch.OutOfMemoryError("CUDA out of memory")
    return replace(result_about(VolumeId("1.1#0", "abc")), scores=(Score("anomaly", 1.0),))


class Heard(Silent):
    def __init__(self):
        self.texts = []

    def report(self, done, total, text=""):
        self.texts.append(text)


@pytest.fixture(autouse=True)
def _hungry_model(monkeypatch):
    monkeypatch.setattr(predict, "choose_device", lambda wanted: wanted)  # GPUs, here or not
    monkeypatch.setitem(predict.RUNNERS, "hungry", f"{__name__}:hungry")
    monkeypatch.setattr(predict, "import_module", lambda name: __import__("sys").modules[__name__])
    asked.clear()
    memory_for.update(batch=0, cpu=True)


def request():
    return RunRequest("hungry", {"t1": phantom()}, (), device="cuda")


def test_with_enough_memory_nothing_is_changed_and_nothing_said():
    memory_for["batch"] = 4
    made = predict.run(Silent(), request())
    assert (made.mode, made.warnings, len(asked)) == ("batched", (), 1)


def test_what_headers_say_against_the_input_is_told_and_puts_scores_in_doubt():
    memory_for["batch"] = 4
    note = Note("OUTSIDE_TRAINING", "another part of the body")
    made = predict.run(Silent(), replace(request(), notes=(note,)))
    assert made.warnings == (note,)
    assert {score.status for score in made.scores} == {"extrapolating"}


def test_smaller_batches_come_first_and_the_result_names_them():
    memory_for["batch"] = 1
    heard = Heard()
    made = predict.run(heard, request())
    assert [(each.device, each.batch) for each in asked] == [("cuda", None), ("cuda", 1)]
    assert made.mode == "one slice at a time"
    assert made.warnings[0].code == "STEPPED_DOWN"
    assert "memory ran out: one slice at a time" in heard.texts


def test_then_the_cpu_takes_over():
    made = predict.run(Silent(), request())
    assert [each.device for each in asked] == ["cuda", "cuda", "cpu"]
    assert made.mode == "CPU after the GPU's memory ran out"
    assert "made with the CPU" in made.warnings[0].text
    assert np.array_equal(made.maps[0].array, result_about(VolumeId("1.1#0", "abc")).maps[0].array)


def test_too_little_even_so_is_refused_in_words():
    memory_for["cpu"] = False
    with pytest.raises(ModelInputError, match="memory of this machine is too small"):
        predict.run(Silent(), request())


def test_on_a_cpu_there_is_no_second_try_on_the_cpu_and_a_torch_error_is_understood():
    memory_for["cpu"] = False
    with pytest.raises(ModelInputError) as caught:
        predict.run(Silent(), replace(request(), device="cpu"))
    assert caught.value.code == OUT_OF_MEMORY
    assert [each.batch for each in asked] == [None, 1]
    memory_for.update(batch=1, cpu=True)
    words = "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: 9 bytes"
    assert predict._says_memory(RuntimeError(words))
    mapped = "unable to mmap 16 bytes from file <weights>: Cannot allocate memory (12)"
    assert predict._says_memory(RuntimeError(mapped))
    assert not predict._says_memory(RuntimeError("shapes differ"))


def test_less_at_once_by_wish_is_named_too():
    memory_for["batch"] = 1
    made = predict.run(Silent(), replace(request(), batch=1))
    assert (made.mode, made.warnings) == ("one slice at a time", ())


def test_a_model_is_given_background_in_place_of_padding():
    memory_for.update(batch=4)
    array = np.int16([[[-2000, 10], [20, 30]]])
    padded = Volume(array, geometry_of("LPS", array.shape, (1, 1, 1)), padding=(-2000, -2000))
    made = predict.run(Silent(), RunRequest("hungry", {"t1": padded, "t2": phantom()}, ()))
    (request,) = asked
    assert request.volumes["t1"].array.ravel().tolist() == [10, 10, 20, 30]
    assert made.preparation[0] == "t1: padding replaced by background"
    assert not any(step.startswith("t2") for step in made.preparation)


def with_gap(*missing):
    head = phantom()
    array = np.array(head.array)
    array[list(missing)] = 0
    return replace(head, array=array, missing_slices=missing)


@pytest.mark.parametrize(("missing", "status"), [((3,), "ok"), ((2, 3, 4), "extrapolating")])
def test_a_model_is_given_neighbours_in_place_of_missing_slices_and_says_nothing_there(
    monkeypatch, missing, status
):
    volume = with_gap(*missing)
    share = 1.5 / volume.geometry.shape[0]  # one slice is little, three are much
    monkeypatch.setattr(predict, "_MUCH_MISSING", share)

    def answered(job, request):
        asked.append(request)
        shown = request.volumes["t1"]
        ones = np.ones(shown.geometry.shape, np.float32)
        made = result_about(VolumeId("1.1#0", "abc"))
        return replace(
            made,
            inputs=(replace(made.inputs[0], role="t1"),),
            scores=(Score("anomaly", 1.0),),
            maps=(ScalarMap("score", ones, shown.geometry),),
            slices=tuple(SliceScore(k, 0.0, 1, 1, 1, 1) for k in range(6)),
        )

    monkeypatch.setattr(
        predict, "_within_memory", lambda job, work, request: answered(job, request)
    )
    made = predict.run(Silent(), RunRequest("hungry", {"t1": volume}, ()))
    given = asked[0].volumes["t1"].array
    assert all(given[k].max() > 0 for k in missing)
    assert made.preparation[0] == "t1: missing slices made of their neighbours"
    shown = made.map("score").array
    assert not shown[list(missing)].any()
    assert shown.sum() == shown.size - shown[0].size * len(missing)
    assert [one.slice for one in made.slices] == [k for k in range(6) if k not in missing]
    assert made.score("anomaly").status == status
    assert any("slices are missing" in note.text for note in made.warnings) is (status != "ok")


@pytest.mark.parametrize(("codes", "axial"), [("LPS", True), ("RAI", True), ("PSR", False)])
def test_figures_of_slices_are_of_the_missing_ones_in_axial_volumes_only(codes, axial):
    assert predict._is_axial(geometry_of(codes, (4, 5, 6), (2, 1, 1))) is axial
