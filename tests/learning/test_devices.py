"""Where networks run, and what that takes."""

from importlib import import_module

import pytest

from medview.domain.errors import ModelInputError
from medview.domain.evaluation import EvaluateRequest
from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning import evaluate, predict
from medview.learning.devices import (
    choose_device,
    multiplies_bfloat16,
    peak_memory_mb,
    precision_here,
)
from medview.services.recipes import read_recipe
from medview.services.training import TRAINERS


def test_a_gpu_that_is_not_there_is_told():
    with pytest.raises(ModelInputError, match="no GPU"):
        choose_device("cuda:77")
    assert choose_device("cpu") == "cpu"


@pytest.mark.parametrize("model", TRAINERS)
def test_no_training_takes_the_cpu_for_a_gpu_that_is_not_there(model, tmp_path):
    module, _, function = TRAINERS[model].partition(":")
    request = TrainRequest(
        (str(tmp_path),), str(tmp_path / "out"), read_recipe(model), device="cuda:77"
    )
    with pytest.raises(ModelInputError, match="no GPU"):
        getattr(import_module(module), function)(Silent(), request)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("model", predict.RUNNERS)
def test_no_model_takes_the_cpu_for_a_gpu_that_is_not_there(model, tmp_path):
    with pytest.raises(ModelInputError, match="no GPU"):
        predict.run(Silent(), RunRequest(model, {}, (), device="cuda:77"))
    request = EvaluateRequest(model, (str(tmp_path),), str(tmp_path / "out"), device="cuda:77")
    with pytest.raises(ModelInputError, match="no GPU"):
        evaluate.evaluate(Silent(), request)


@pytest.mark.parametrize(
    ("told", "has"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"neon": True, "bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": False, "avx2": True}, False),
        ({}, False),
    ],
)
def test_bfloat16_is_for_devices_that_have_products_of_it(told, has, monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: told, raising=False)
    assert multiplies_bfloat16("cpu") is has
    assert precision_here("bfloat16", "cpu") == ("bfloat16" if has else "float32")
    assert multiplies_bfloat16("cuda:0")
    assert precision_here("float32", "cuda:0") == "float32"


def test_a_torch_that_cannot_tell_computes_in_float32(monkeypatch):
    monkeypatch.delattr("torch.cpu.get_capabilities", raising=False)
    assert precision_here("bfloat16", "cpu") == "float32"


def test_the_peak_of_memory_never_falls():
    before = peak_memory_mb()
    held = bytearray(200_000_000)
    most = peak_memory_mb()
    del held
    assert most >= max(before, 200)
    assert peak_memory_mb() >= most
