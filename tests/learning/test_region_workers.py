"""Region networks trained beside each other: the same as alone, stopped and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from region_heads import training_case

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning import region_trainer, side_by_side
from medview.learning.region_augment import RegionCase
from medview.learning.region_trainer import RegionRecipe
from medview.learning.region_workers import Habits, Training, train_all

RECIPE = RegionRecipe(epochs=2, steps=1, batch=1, bfloat16=False)


class Asked(Silent):
    """Progress that is asked to stop after some reports."""

    def __init__(self, most: int = 99) -> None:
        self.most, self.heard, self.shares = most, list[str](), list[float]()

    def report(self, done: int, total: int, text: str = "") -> None:
        self.heard.append(text)
        self.shares.append(done / total)
        if len(self.heard) > self.most:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> RegionCase:
    return training_case(Path(tmp_path_factory.mktemp("head")))


def _two(case: RegionCase, folder: Path) -> list[Training]:
    return [Training(name, folder / name, (case,)) for name in ("one", "two")]


def _weights(trainings: list[Training], habits: Habits) -> list[torch.Tensor]:
    return [t.model.head.weight.detach() for t in train_all(Silent(), trainings, habits)]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a head are small; of a child of its own they would not be."""
    monkeypatch.setattr(region_trainer, "PART", (16, 16, 16))


@pytest.mark.usefixtures("small_parts")
def test_one_after_the_other_each_in_its_folder(case: RegionCase, tmp_path: Path) -> None:
    told = Asked()
    made = train_all(told, _two(case, tmp_path), Habits(RECIPE))
    assert [trainer.epoch for trainer in made] == [2, 2]
    assert told.heard[:2] == ["one: learning", "one: epoch 1 / 2"]
    assert told.heard[-1] == "two: epoch 2 / 2"
    assert told.shares == [0, 0.25, 0.5, 0.5, 0.75, 1.0]
    assert (tmp_path / "two" / "history.csv").is_file()
    # All is done: going on changes nothing.
    again = train_all(Silent(), _two(case, tmp_path), Habits(RECIPE, resume=True))
    assert torch.equal(again[0].model.head.weight, made[0].model.head.weight)


@pytest.mark.usefixtures("small_parts")
def test_time_is_shared_and_said_when_it_is_up(case: RegionCase, tmp_path: Path) -> None:
    made = train_all(Silent(), _two(case, tmp_path), Habits(RECIPE, minutes=0.0))
    assert [(t.epoch, t.stopped) for t in made] == [(1, "time"), (1, "time")]


@pytest.mark.slow
def test_side_by_side_they_become_the_same(case: RegionCase, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    alone = _weights(_two(case, tmp_path / "a"), Habits(RECIPE))
    habits = Habits(RECIPE, at_once=2)
    beside = _weights(_two(case, tmp_path / "b"), habits)
    for one, other in zip(alone, beside, strict=True):
        assert torch.equal(one, other)
    with pytest.raises(DataError, match="another recipe"):
        train_all(Silent(), _two(case, tmp_path / "b"), replace(habits, seed=1, resume=True))


@pytest.mark.slow
def test_stopped_children_go_and_leave_their_checkpoints(case: RegionCase, tmp_path: Path) -> None:
    habits = Habits(replace(RECIPE, epochs=50), at_once=2)
    with pytest.raises(KeyboardInterrupt):
        train_all(Asked(most=3), _two(case, tmp_path), habits)  # two of them before an epoch
    assert not side_by_side.multiprocessing.active_children()
    assert any((tmp_path / name / "checkpoint" / "last.pt").is_file() for name in ("one", "two"))
