"""The region networks to train: one for each fold and one of all heads, some of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medview.domain.progress import Progress
from medview.learning.checkpoint import CHECKPOINT, EpochReport
from medview.learning.region_augment import RegionCase
from medview.learning.region_trainer import RegionRecipe, RegionTrainer
from medview.learning.side_by_side import Terms, train_each


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """One network to train: its name in words, its folder, and what it learns from."""

    name: str
    folder: Path
    cases: tuple[RegionCase, ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """What all trainings share; `minutes` is for all of them together, None without end."""

    recipe: RegionRecipe
    seed: int = 0
    device: str = "cpu"
    resume: bool = False
    at_once: int = 1
    minutes: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Network:
    """A training with its habits, as ``side_by_side`` wants it."""

    training: Training
    habits: Habits

    @property
    def name(self) -> str:
        return self.training.name

    @property
    def folder(self) -> Path:
        return self.training.folder

    @property
    def epochs(self) -> int:
        return self.habits.recipe.epochs

    def begun(self, *, resume: bool) -> RegionTrainer:
        habits = self.habits
        trainer = RegionTrainer(
            habits.recipe, self.training.cases, habits.seed, habits.device, self.folder
        )
        if resume and (self.folder / CHECKPOINT).is_file():
            trainer.resume(self.folder)
        return trainer

    def after_epoch(self, trainer: RegionTrainer, report: EpochReport) -> None:
        pass


def train_all(job: Progress, trainings: Sequence[Training], habits: Habits) -> list[RegionTrainer]:
    """Train every network, so many at once; in the order given, as ``train_each`` does."""
    networks = [_Network(training, habits) for training in trainings]
    terms = Terms(habits.resume, habits.at_once, habits.minutes)
    return list(train_each(job, networks, terms))
