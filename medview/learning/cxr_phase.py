"""One phase of the training of MDMT: delayed selection, early stopping, plateau, resumable."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.progress import Progress
from medview.domain.training import CHECKPOINTS, Method
from medview.learning.checkpoint import (
    Due,
    keep_run,
    of_method,
    plain_dict,
    read_checkpoint,
    refuse_not_finite,
)
from medview.learning.cxr_given import Given, answers
from medview.learning.cxr_recipe import CxrRecipe, same_run
from medview.learning.finetune_method import set_training
from medview.learning.ranks import ALONE, Ranks
from medview.models.mdmt import (
    Mdmt,
    task_losses,
    total_loss,
)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A trained network with its curve: lines (epoch, part, name, value)."""

    model: Mdmt
    best_epoch: int
    epochs: int
    stopped: str
    history: tuple[tuple[int, str, str, float], ...]


def chances(given: Given, chosen: NDArray[np.intp], task: str) -> NDArray[np.float64]:
    """How often each of the chosen films is drawn: patients alike, outcome classes alike."""
    labels = given.labels[task][torch.from_numpy(chosen)].numpy()
    known = np.isfinite(labels.reshape(len(chosen), -1)).all(1)
    patients = np.array([given.films.cases[n].patient for n in chosen])
    weight = np.zeros(len(chosen))
    for n in np.flatnonzero(known):
        weight[n] = 1 / (patients[known] == patients[n]).sum()
    if task == "prognosis":
        for value in (0, 1):
            here = known & (labels == value)
            weight[here] /= max(weight[here].sum(), 1e-9)
    return np.asarray(weight / max(weight.sum(), 1e-9), dtype=np.float64)


def shrinks(name: str) -> bool:
    """Whether a parameter is a weight of the outcome's head.

    A hundred patients are learnt by heart: these shrink more than the rest.
    """
    return name.startswith("heads.prognosis.") and name.endswith(".weight")


class Run:
    """One phase of training; ``to_end`` goes through its epochs."""

    def __init__(
        self,
        recipe: CxrRecipe,
        given: Given,
        parts: tuple[NDArray[np.intp], NDArray[np.intp]],
        model: Mdmt,
        phase: str,
        seed: int,
        folder: Path | None,
        ranks: Ranks = ALONE,
        learns: Method = "full",
    ) -> None:
        self.recipe, self.given, self.model, self.phase = recipe, given, model, phase
        self._same = of_method(same_run(recipe), learns)
        self.ranks, self._network = ranks, ranks.spread(model)
        self.train, self.val = parts
        self.folder = folder
        self.prefix = "" if phase == recipe.method else f"{phase}-"
        self.tasks = tuple(model.heads)
        self.epoch, self.best_epoch, self.best_value = 0, 0, float("inf")
        self.stopped = "epochs"
        self._due = Due()
        self.history: list[tuple[int, str, str, float]] = []
        self.best = copy.deepcopy(model.state_dict())
        self._rng = np.random.default_rng((seed, len(phase)))
        torch.manual_seed(seed + 1)
        self._chance = {task: chances(given, self.train, task) for task in self.tasks}
        self._optimiser = torch.optim.Adam(
            self._groups(), recipe.rate, betas=(0.9, 0.999), weight_decay=recipe.weight_decay
        )
        self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self._optimiser, factor=recipe.factor, patience=recipe.plateau,
            min_lr=recipe.least_rate,
        )  # fmt: skip

    @property
    def whole(self) -> nn.Module:
        """What of the best epoch comes back in the end."""
        return self.model

    @property
    def network(self) -> Mdmt:
        """What is trained, as it answers."""
        return self.model

    def _learnt(self) -> list[nn.Parameter]:
        """What the steps move."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def _groups(self) -> list[dict[str, Any]]:
        """What the steps move; the weights that shrink apart."""
        learnt = self._learnt()
        shrunk = {id(p) for name, p in self.model.named_parameters() if shrinks(name)}
        groups = ([p for p in learnt if (id(p) in shrunk) == apart] for apart in (False, True))
        decays = (self.recipe.weight_decay, self.recipe.shrinkage)
        return [
            {"params": group, "weight_decay": decay}
            for group, decay in zip(groups, decays, strict=True)
            if group
        ]

    def to_end(
        self,
        job: Progress,
        until: float = float("inf"),
        after: Callable[[int, Mdmt], None] | None = None,
    ) -> Fitted:
        """Train until the epochs, the patience or the time are over; the best network."""
        recipe = self.recipe
        # The only phase needs no name.
        front = f"{self.phase}: " if self.prefix else ""
        while self.epoch < recipe.epochs and not self._is_late:
            job.check()
            told = f"{front}epoch {self.epoch + 1} / {recipe.epochs}"
            job.report(self.epoch, recipe.epochs, told)
            self._one_epoch()
            if after is not None:
                after(self.epoch, self.network)
            if self._due.after_epoch():
                self.keep()
            if time.perf_counter() > until and self.epoch < recipe.epochs:
                self.stopped = "time"
                break
        self.keep()
        if self._is_late:
            self.stopped = "patience"
        if self.best_epoch:
            self.whole.load_state_dict(self.best)
        best = self.best_epoch or self.epoch
        return Fitted(self.network.eval(), best, self.epoch, self.stopped, tuple(self.history))

    @property
    def _is_late(self) -> bool:
        late = self.epoch - max(self.best_epoch, self.recipe.warmup)
        return bool(self.best_epoch) and late >= self.recipe.patience

    def _one_epoch(self) -> None:
        self._set_training()
        sums: dict[str, float] = {}
        for _ in range(self.recipe.steps):
            for name, value in self._step().items():
                sums[name] = sums.get(name, 0.0) + value / self.recipe.steps
        self.epoch += 1
        self.history += [(self.epoch, f"{self.prefix}train", n, v) for n, v in sums.items()]
        losses = self._validate()
        self.history += [(self.epoch, f"{self.prefix}val", n, v) for n, v in losses.items()]
        value = self._judged(losses)
        self._plateau.step(value)
        # Selection begins after the warm-up: until then the loss of few films says little.
        if self.epoch > min(self.recipe.warmup, self.recipe.epochs - 1) and value < self.best_value:
            self.best_value, self.best_epoch = value, self.epoch
            self.best = copy.deepcopy(self.whole.state_dict())

    def _judged(self, losses: Mapping[str, float]) -> float:
        """What the best epoch is chosen by: low is good; without validation the last is best."""
        if not losses:
            return -float(self.epoch)
        if self.recipe.select == "prognosis" and "prognosis" in losses:
            return losses["prognosis"]
        return sum(losses.values())

    def _set_training(self) -> None:
        set_training(self.model)
        if self.given.frozen > 0:  # few films: the statistics of ImageNet are the better ones
            for part in self.model.tail.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()

    def try_rate(self, rate: float) -> float:
        """One step at a rate; the loss."""
        self._set_training()
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        return self._step()["loss"]

    def _drawn(self) -> NDArray[np.intp]:
        """Films of a batch: as many by the chances of each task."""
        each = self.recipe.batch // len(self.tasks)
        drawn = [self._rng.choice(self.train, each, p=self._chance[t]) for t in self.tasks
                 if self._chance[t].sum() > 0]  # fmt: skip
        return np.concatenate(drawn)

    def _step(self) -> dict[str, float]:
        chosen = self._drawn()
        copies = self._rng.integers(self.given.films.squares.shape[1], size=len(chosen))
        losses = self._losses(chosen, copies)
        loss = total_loss(losses)
        refuse_not_finite(loss, self.epoch + 1)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation for it
        self._optimiser.step()
        return {"loss": loss.item(), **{task: value.item() for task, value in losses.items()}}

    def _losses(self, chosen: NDArray[np.intp], copies: NDArray[np.intp]) -> dict[str, Tensor]:
        mine = self.ranks.rows
        said = answers(self.model, self.given, chosen[mine], copies[mine], self._network)
        return task_losses(
            {task: self.ranks.whole(rows, len(chosen)) for task, rows in said.items()},
            self.given.targets(chosen, copies),
            prognosis_loss=self.recipe.prognosis_loss,  # type: ignore[arg-type]  # checked by the recipe
            reduction=self.recipe.reduction,  # type: ignore[arg-type]  # checked by the recipe
        )

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        if not len(self.val):
            return {}
        self.model.eval()
        plain = np.zeros(len(self.val), np.intp)
        targets = self.given.targets(self.val, plain)
        found = task_losses(answers(self.model, self.given, self.val, plain), targets)
        return {task: value.item() for task, value in found.items()}

    def keep(self) -> None:
        """Write the checkpoint of this phase and the curve."""
        if not self.ranks.leads:
            return
        kept = (
            {name: getattr(self, name) for name in _PLAIN_STATE}
            | self._own_state()
            | {
                "model": self.whole.state_dict(),
                "best": self.best,
                "optimiser": self._optimiser.state_dict(),
                "plateau": self._plateau.state_dict(),
                "torch": torch.get_rng_state(),
                "rng": str(self._rng.bit_generator.state),
                "recipe": self._same,
            }
        )
        keep_run(self.folder, kept, self._file)

    @property
    def _file(self) -> str:
        return f"{self.phase}.pt"

    def resume(self) -> None:
        """Go on from the checkpoint of this phase, if there is one of the same recipe.

        Raises
        ------
        DataError
            A damaged checkpoint, or one of another recipe or method.
        """
        if self.folder is None or not (self.folder / CHECKPOINTS / self._file).is_file():
            return
        kept = read_checkpoint(self.folder, names=_KEPT, run=self._same, name=self._file)
        for name in _PLAIN_STATE:
            setattr(self, name, kept[name])
        self.history = [tuple(line) for line in kept["history"]]
        self.whole.load_state_dict(kept["model"])
        self.best = kept["best"]
        self._optimiser.load_state_dict(kept["optimiser"])
        self._plateau.load_state_dict(kept["plateau"])
        torch.set_rng_state(kept["torch"])
        self._rng.bit_generator.state = plain_dict(kept["rng"])
        self._take_own(kept)

    def _own_state(self) -> dict[str, Any]:
        """What a kind of run keeps beside that."""
        return {}

    def _take_own(self, kept: Mapping[str, Any]) -> None:
        """Go on with what ``_own_state`` gave."""


_PLAIN_STATE = ("epoch", "best_epoch", "best_value", "history")
_KEPT = (*_PLAIN_STATE, "model", "best", "optimiser", "plateau", "torch", "rng", "recipe")
