"""Train ages with site effects: an epoch at a time, resumable by its checkpoint.

All networks of a training (members of the ensemble, of every fold, with and without site effects)
are copies of one stack and learn in the same steps; see `armed_stack`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from medview.domain.training import Method
from medview.learning.armed_age_ensemble import Ensemble, fresh
from medview.learning.armed_age_recipe import LEARNS, AgeRecipe
from medview.learning.armed_age_table import AgeTable, Plan
from medview.learning.armed_rules import Resting
from medview.learning.armed_stack import Stack, StackBatch, StackTrainer, Steps
from medview.learning.checkpoint import (
    Due,
    EpochReport,
    HistoryRow,
    keep_run,
    of_method,
    plain_dict,
    read_checkpoint,
    refuse_not_finite,
)
from medview.learning.site_effects import EFFECTS
from medview.models.armed import LossWeights

_KEPT = ("recipe", "epoch", "trainer", "dice", "order", "torch", "history")


@dataclass(slots=True, eq=False)
class AgeTrainer:
    """All networks of a training. `folder` None keeps nothing on disk."""

    recipe: AgeRecipe
    table: AgeTable
    plans: Sequence[Plan]
    seed: int
    folder: Path | None = None
    method: Method = "full"
    epoch: int = 0
    stopped: str = "epochs"
    history: list[HistoryRow] = field(default_factory=list)
    _trainer: StackTrainer = field(init=False)
    _order: np.random.Generator = field(init=False)
    _dice: torch.Generator = field(init=False)
    _x: Tensor = field(init=False)
    _y: Tensor = field(init=False)
    _due: Due = field(init=False, default_factory=Due)
    _resting: Resting = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        self._order = np.random.default_rng(self.seed)
        self._dice = torch.Generator().manual_seed(self.seed)
        recipe, table = self.recipe, self.table
        models = [fresh(recipe, len(table.names), len(table.sites)) for _ in self._whose]
        twins = len(self._whose) // self.twins
        weights = LossWeights(
            *(
                torch.tensor([with_sites] * twins + [without] * (len(models) - twins))
                for with_sites, without in (
                    (recipe.mixed, 0.0),
                    (recipe.fixed, 1.0),
                    (recipe.adversary, 0.0),
                    (recipe.kl, 0.0),
                )
            )
        )
        steps = Steps(recipe.rate, recipe.rate, 1e-8, recipe.decay, LEARNS[self.method])
        self._trainer = StackTrainer(Stack(models, weights), steps, self._dice)
        self._resting = Resting((), ())
        self._x = torch.from_numpy(np.stack([p.scale.inputs(table.x) for p in self.plans]))
        self._y = torch.from_numpy(np.stack([p.scale.target(table.age) for p in self.plans]))

    @property
    def twins(self) -> int:
        """2 where every network has a twin without site effects."""
        return 2 if self.recipe.compare else 1

    @property
    def _whose(self) -> list[int]:
        """The plan of each copy: by twin, plan, member."""
        return [n for n in range(len(self.plans)) for _ in range(self.recipe.members)] * self.twins

    @property
    def steps(self) -> int:
        """Steps in an epoch: one pass over the rows of the smallest plan."""
        return max(1, min(plan.train.size for plan in self.plans) // self._batch_size)

    @property
    def _batch_size(self) -> int:
        return min(self.recipe.batch, *(plan.train.size for plan in self.plans))

    def fit(self) -> Iterator[EpochReport]:
        """Train to the end, one report an epoch; close the iterator to stop."""
        self._trainer.stack.skeleton.train()
        while self.epoch < self.recipe.epochs:
            began = time.perf_counter()
            found = [self._step(batch, self._share(n)) for n, batch in self._batches()]
            self.epoch += 1
            figures = {
                ("train", name): float(np.mean([float(one[name].mean()) for one in found]))
                for name in found[0]
            }
            refuse_not_finite(figures["train", "main"], self.epoch)
            self.history += [(self.epoch, *name, value) for name, value in figures.items()]
            last = self.epoch == self.recipe.epochs
            if self._due.after_epoch() or last:
                self.keep()
            took = time.perf_counter() - began
            yield EpochReport(self.epoch, self.recipe.epochs, figures, took, last)

    def _step(self, batch: StackBatch, share: float) -> dict[str, Tensor]:
        told = self._trainer.step(batch, share)
        self._resting.put_back()
        return told

    def try_rate(self, rate: float) -> float:
        """One step of all copies at a rate; their mean loss."""
        self._trainer.stack.skeleton.train()
        _, batch = next(iter(self._batches()))
        return float(self._trainer.step(batch, rate / self.recipe.rate)["main"].mean())

    def _share(self, step: int) -> float:
        """The rate rises for a tenth of the steps and falls to zero as a cosine."""
        done = (self.epoch * self.steps + step) / (self.recipe.epochs * self.steps)
        return min(1.0, done / 0.1 + 0.02) * 0.5 * (1 + math.cos(math.pi * done))

    def _batches(self) -> Iterator[tuple[int, StackBatch]]:
        wanted, whose = self.steps * self._batch_size, self._whose
        alike = whose[: len(whose) // self.twins]
        orders = [self._order.permutation(self.plans[n].train)[:wanted] for n in alike]
        rows = torch.from_numpy(np.stack(orders * self.twins))
        plan, site = torch.tensor(whose)[:, None], torch.from_numpy(self.table.site)
        for number, here in enumerate(torch.split(rows, self._batch_size, dim=1)):
            yield number, StackBatch(self._x[plan, here], self._y[plan, here], site[here])

    # -- keeping -----------------------------------------------------------------------------

    def keep(self) -> None:
        """Write the checkpoint and the curve."""
        kept = {
            "recipe": self._run,
            "epoch": self.epoch,
            "trainer": self._trainer.state(),
            "dice": self._dice.get_state(),
            "order": str(self._order.bit_generator.state),
            "torch": torch.get_rng_state(),
            "history": self.history,
        }
        keep_run(self.folder, kept)

    @property
    def _run(self) -> str:
        shape = (len(self.table.age), len(self.table.names), len(self.table.sites))
        return of_method(f"{asdict(self.recipe)} {shape} seed {self.seed}", self.method)

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint in a folder, to the same curve as without a break.

        Raises
        ------
        DataError
            No checkpoint, a damaged one, or one of another recipe, data, seed or method.
        """
        kept = read_checkpoint(folder, names=_KEPT, run=self._run)
        self.epoch = int(kept["epoch"])
        self._trainer.load(kept["trainer"])
        self._dice.set_state(kept["dice"])
        self._order.bit_generator.state = plain_dict(kept["order"])
        torch.set_rng_state(kept["torch"])
        self.history = [(int(e), str(p), str(n), float(v)) for e, p, n, v in kept["history"]]

    @torch.no_grad()
    def begin_with(self, start: Ensemble) -> None:
        """Start every copy from the member of `start` in its place.

        Its sites are the first ones of the table; those that it does not know keep their start,
        and so does the adversary, if there are such. Those without rows rest.
        """
        parameters = self._trainer.stack.parameters
        for copy in range(len(self._whose)):
            state = start.models[copy % len(start.models)].state_dict()
            for name, value in parameters.items():
                if name.startswith(EFFECTS):
                    value[copy, : len(state[name])] = state[name]
                elif value[copy].shape == state[name].shape:
                    value[copy] = state[name]
        without = set(range(len(self.table.sites))) - set(self.table.site.tolist())
        self._resting = Resting(parameters.items(), without, along=1)

    # -- asking ------------------------------------------------------------------------------

    def members(self, plan: int, *, twin: bool = False) -> Ensemble:
        """The networks of one plan, ready to predict; `twin` the ones without site effects."""
        members = self.recipe.members
        first = (len(self.plans) if twin else 0) * members + plan * members
        made = []
        for index in range(first, first + members):
            model = fresh(self.recipe, len(self.table.names), len(self.table.sites))
            self._trainer.stack.copy(index, model)
            made.append(model)
        return Ensemble(made).eval()
