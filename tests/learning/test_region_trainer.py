"""The training loop: it learns, goes on where it stopped, and refuses another recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from region_heads import training_case

from medview.domain.errors import DataError
from medview.learning import region_trainer
from medview.learning.region_augment import RegionCase
from medview.learning.region_groups import CLASSES, UNKNOWN
from medview.learning.region_trainer import RegionRecipe, RegionTrainer, in_cells, losses
from medview.models.region_net import RegionOptions

RECIPE = RegionRecipe(epochs=2, steps=2, batch=1, bfloat16=False)
SMALL = RegionOptions(widths=(8, 8))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> tuple[RegionCase, ...]:
    return (training_case(Path(tmp_path_factory.mktemp("head"))),)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Going on does not know how large the parts are that are learnt from."""
    monkeypatch.setattr(region_trainer, "PART", (16, 16, 16))


@pytest.mark.usefixtures("small_parts")
def test_a_resumed_run_has_the_same_curve(cases: tuple[RegionCase, ...], tmp_path: Path) -> None:
    whole = RegionTrainer(RECIPE, cases, folder=tmp_path / "a", options=SMALL)
    straight = [report.value("train", "loss") for report in whole.fit()]
    first = RegionTrainer(RECIPE, cases, folder=tmp_path / "b", options=SMALL)
    next(iter(first.fit()))
    again = RegionTrainer(RECIPE, cases, folder=tmp_path / "b", options=SMALL)
    again.resume(tmp_path / "b")
    rest = [report.value("train", "loss") for report in again.fit()]
    assert rest == pytest.approx(straight[1:], abs=1e-6)
    text = (tmp_path / "b" / "history.csv").read_text()
    assert text == (tmp_path / "a" / "history.csv").read_text()


@pytest.mark.usefixtures("small_parts")
def test_another_recipe_cannot_go_on(cases: tuple[RegionCase, ...], tmp_path: Path) -> None:
    trainer = RegionTrainer(RECIPE, cases, folder=tmp_path, options=SMALL)
    next(iter(trainer.fit()))
    other = RegionTrainer(replace(RECIPE, rate=1e-3), cases, folder=tmp_path, options=SMALL)
    with pytest.raises(DataError, match="another recipe"):
        other.resume(tmp_path)


def test_the_loss_falls_where_it_is_right_and_knows_absent_classes() -> None:
    truth = torch.tensor([0, 1, 1, 2])
    right = torch.nn.functional.one_hot(truth, CLASSES).float() * 20
    wrong = right.roll(1, 1)
    for good, bad in zip(losses(right, truth), losses(wrong, truth), strict=True):
        assert good < 0.05 < 0.5 < bad


def test_voxels_of_no_region_teach_nothing() -> None:
    truth = torch.tensor([0, 1, 2, UNKNOWN])
    logits = torch.randn(4, CLASSES, requires_grad=True)
    both = losses(logits, truth)
    for whole, part in zip(both, losses(logits[:3], truth[:3]), strict=True):
        assert whole.item() == pytest.approx(part.item(), abs=1e-6)
    sum(both).backward()
    assert not logits.grad[3].any()
    assert logits.grad[:3].any()


def test_voxels_lie_in_cells_as_the_network_has_them() -> None:
    regions = torch.arange(64).reshape(4, 4, 4)
    cells = in_cells(regions)
    assert cells.shape == (2, 2, 2, 8)
    assert cells[1, 0, 1].tolist() == regions[2:, :2, 2:].flatten().tolist()


def test_a_recipe_is_refused_for_what_it_does_not_know() -> None:
    assert RegionRecipe.of({"epochs": 3, "augment": {"noise": 0.0}}).augment.noise == 0.0
    with pytest.raises(DataError, match="no setting called speed"):
        RegionRecipe.of({"speed": 1})
    with pytest.raises(DataError, match="table augment"):
        RegionRecipe.of({"augment": {"speed": 1}})
    with pytest.raises(DataError, match="nothing to train on"):
        RegionTrainer(RECIPE, ())
