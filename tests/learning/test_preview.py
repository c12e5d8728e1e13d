"""Weights that a training leaves on the way: loadable by the run, few, and no reason to fail."""

from dataclasses import replace

import pytest
from brains import write_ixi
from chest_phantom import case_list
from throwaway import small_head, throwaway_weights

from medview.domain.errors import ModelInputError, WriteError
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.io.cards import CARD, WEIGHTS, read_card
from medview.learning import anomaly_training, cxr_evidence, cxr_training, preview
from medview.learning.cxr_weights import load_cxr
from medview.learning.predict import run
from medview.learning.preview import KEPT, PREVIEW, Previews
from medview.learning.weights import load_anomaly
from medview.services.recipes import read_recipe

TINY = (
    *("epochs=2", "steps=1", "batch=2", "attention_batch=2", "val_slices=3", "bfloat16=false"),
    *("network.attention=false",),
)


pytestmark = pytest.mark.usefixtures("narrow")


@pytest.fixture(scope="module")
def parent(tmp_path_factory, narrow):
    return throwaway_weights(tmp_path_factory.mktemp("parent"))


def asked(parent, out, **more):
    return TrainRequest(("d",), str(out), {}, init=str(parent), preview=True, **more)


def test_they_stand_whole_with_their_parent_and_only_the_newest_stay(parent, tmp_path):
    model, card, _ = load_anomaly(parent)
    previews = Previews.of(asked(parent, tmp_path))
    for epoch in range(1, KEPT + 3):
        previews.leave(epoch, model)
    left = sorted(path.name for path in (tmp_path / PREVIEW).iterdir())
    assert left == ["00003", "00004", "00005"]
    _, kept, settings = load_anomaly(tmp_path / PREVIEW / "00005" / WEIGHTS)
    assert kept.parent == card.weights_sha256
    assert kept.version == f"{card.version} epoch 5"
    assert settings == load_anomaly(parent)[2]


def test_nobody_looks_or_nothing_to_compare_with_leaves_nothing(parent, tmp_path):
    assert Previews.of(replace(asked(parent, tmp_path), preview=False)) is None
    assert Previews.of(replace(asked(parent, tmp_path), init=None)) is None


def test_a_full_disk_does_not_stop_the_training(parent, tmp_path, monkeypatch):
    def full(*given, **more):
        raise WriteError("the disk is full", file="x")

    monkeypatch.setattr(preview, "save", full)
    Previews.of(asked(parent, tmp_path)).leave(1, load_anomaly(parent)[0])
    assert list(tmp_path.rglob("*.safetensors")) == []


def test_the_anomaly_training_leaves_one_after_each_epoch(parent, tmp_path):
    write_ixi(tmp_path / "ixi-t1", "IXI012-HH-1211")
    request = replace(
        asked(parent, tmp_path / "out", threads=1),
        data=(str(tmp_path / "ixi-t1"),),
        recipe=read_recipe("anomaly", None, TINY),
    )
    anomaly_training.fit(Silent(), request)
    left = sorted((tmp_path / "out" / PREVIEW).iterdir())
    assert [path.name for path in left] == ["00001", "00002"]
    hashes = {read_card(path / CARD).weights_sha256 for path in left}
    assert len(hashes | {read_card(parent.with_name(CARD)).weights_sha256}) == 3


def test_the_chest_training_leaves_whole_networks(tmp_path, monkeypatch):
    monkeypatch.setattr(cxr_evidence, "FILMS", 1)
    path = case_list(tmp_path, 12)
    recipe = {"size": 96, "copies": 1, "epochs": 2, "steps": 1, "batch": 8, "warmup": 0}
    first = TrainRequest((str(path),), str(tmp_path / "first"), recipe)
    cxr_training.fit(Silent(), replace(first, recipe={**recipe, "epochs": 1}))
    weights = tmp_path / "first" / WEIGHTS
    again = replace(first, out=str(tmp_path / "out"), init=str(weights), preview=True)
    cxr_training.fit(Silent(), again)
    left = sorted((tmp_path / "out" / PREVIEW).iterdir())
    assert [folder.name for folder in left] == ["00001", "00002"]
    _, card, _ = load_cxr(left[-1] / WEIGHTS)
    assert card.parent == read_card(weights.with_name(CARD)).weights_sha256


def on_slice(weights, index, head=None):
    ref = InputRef("t1", "1.2", "1.2.3", 0, "", (1, 1, 1))
    volumes = {"t1": head or small_head()}
    return RunRequest(
        "anomaly", volumes, (ref,), device="cpu", weights=str(weights), slice=index, threads=1
    )


def test_one_slice_alone_is_as_in_a_run_of_all(parent):
    index = 12
    whole = run(Silent(), replace(on_slice(parent, index), slice=None))
    alone = run(Silent(), on_slice(parent, index))
    axis = small_head().geometry.axis_of[2]
    for name in ("score", "residual", "epistemic", "aleatoric"):
        found, wanted = (made.map(name).array.take(index, axis) for made in (alone, whole))
        assert found == pytest.approx(wanted, rel=1e-4, abs=1e-7)
    assert whole.map("score").array.any(axis=(1, 2)).sum() > 12
    assert alone.map("score").array.any(axis=(1, 2)).sum() < 12


def test_a_slice_without_brain_is_refused_in_words(parent):
    with pytest.raises(ModelInputError, match="no brain in this slice"):
        run(Silent(), on_slice(parent, 0))
