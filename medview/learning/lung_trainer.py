"""The loop that trains the lung network: one report an epoch, resumable by its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medview.learning.checkpoint import (
    Due,
    EpochReport,
    HistoryRow,
    all_but_folds,
    keep_run,
    read_checkpoint,
)
from medview.learning.learner import KEPT, Learner
from medview.learning.subset import TrainCase
from medview.models.blocks import channels_last
from medview.models.lung_net import LungNet

_KEPT = ("epoch", "history", "recipe", *KEPT)


@dataclass(frozen=True, slots=True)
class LungRecipe:
    """How the lung network is trained; lateral films are given with an empty mask.

    `laterals` is their share in each batch.
    """

    epochs: int = 24
    batch: int = 16
    rate: float = 3e-3
    laterals: float = 0.15
    folds: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class LungFilm:
    """A film and its lungs as the network sees them: (64, 64) each; no lungs when lateral."""

    case: TrainCase
    grey: NDArray[np.float32]
    small: Tensor
    mask: Tensor
    truth: NDArray[np.bool_]

    @property
    def is_lateral(self) -> bool:
        """True for a film without a lung mask."""
        return self.case.mask is None


@dataclass(slots=True, eq=False)
class LungTrainer:
    """One network on some films; iterate over ``fit()``.

    `folder` is where checkpoint/ and history.csv go; None keeps nothing.
    """

    recipe: LungRecipe
    films: Sequence[LungFilm]
    seed: int = 0
    folder: Path | None = None
    model: LungNet = field(init=False)
    epoch: int = field(init=False, default=0)
    stopped: str = field(init=False, default="epochs")
    history: list[HistoryRow] = field(init=False, default_factory=list)
    _learner: Learner = field(init=False)
    _due: Due = field(init=False, default_factory=Due)

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        network = LungNet()
        network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own signature leaves it out
        self.model = network
        recipe = self.recipe
        optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=1e-4)
        steps = -(-len(self._lungs) // recipe.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, recipe.rate, total_steps=recipe.epochs * steps, pct_start=0.15
        )
        self._learner = Learner(network, optimiser, schedule, np.random.default_rng(self.seed))

    @property
    def _lungs(self) -> list[LungFilm]:
        return [film for film in self.films if not film.is_lateral]

    def fit(self) -> Iterator[EpochReport]:
        """Train to the end of the recipe, one report an epoch."""
        while self.epoch < self.recipe.epochs:
            began = time.perf_counter()
            loss = self._one_epoch()
            self.epoch += 1
            self.history.append((self.epoch, "train", "loss", loss))
            if self._due.after_epoch() or self.epoch == self.recipe.epochs:
                self.keep()
            figures = {("train", "loss"): loss}
            seconds = time.perf_counter() - began
            yield EpochReport(self.epoch, self.recipe.epochs, figures, seconds, True)

    def _one_epoch(self) -> float:
        recipe, lungs, rng = self.recipe, self._lungs, self._learner.rng
        laterals = [film for film in self.films if film.is_lateral]
        extra = round(recipe.laterals * recipe.batch) if laterals else 0
        order, losses = rng.permutation(len(lungs)), []
        for first in range(0, len(lungs), recipe.batch):
            chosen = [lungs[n] for n in order[first : first + recipe.batch]]
            if extra:
                chosen += [laterals[n] for n in rng.integers(len(laterals), size=extra)]
            x, y = augmented(chosen, rng)
            loss = _loss(self.model(channels_last(x)), y)
            self._learner.learn(loss, self.epoch + 1)
            losses.append(loss.item())
        return float(np.mean(losses))

    def finished(self) -> LungNet:
        """The network with weights as they are stored (float16), ready to predict."""
        state = self.model.state_dict()
        stored = {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
        self.model.load_state_dict(stored)
        return self.model.eval()

    def keep(self) -> None:
        """Write the checkpoint and the curve."""
        kept = {"epoch": self.epoch, "history": self.history, "recipe": self._run}
        keep_run(self.folder, kept | self._learner.state())

    @property
    def _run(self) -> str:
        """What two runs must share so that one can go on from the other's checkpoint."""
        return str((all_but_folds(self.recipe), [film.case.case for film in self.films], self.seed))

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of an interrupted run of the same recipe and films.

        Raises
        ------
        DataError
            No checkpoint there, a damaged one, or one of another recipe.
        """
        kept = read_checkpoint(folder, names=_KEPT, run=self._run)
        self._learner.load(kept)
        self.history = [tuple(row) for row in kept["history"]]
        self.epoch = kept["epoch"]


def _loss(logit: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy and one minus the Dice of the films that have lungs."""
    p = torch.sigmoid(logit)
    both, sizes = (p * y).sum((1, 2, 3)), p.sum((1, 2, 3)) + y.sum((1, 2, 3))
    has = y.amax((1, 2, 3)) > 0
    dice = (2 * both[has] + 1) / (sizes[has] + 1)
    return F.binary_cross_entropy_with_logits(logit, y) + 1 - dice.mean()


def augmented(films: Sequence[LungFilm], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Films and masks (n, 1, 64, 64), shifted, turned, scaled, mirrored, brighter or darker."""
    n = len(films)
    x = torch.stack([film.small for film in films])[:, None]
    y = torch.stack([film.mask for film in films])[:, None]
    turn = rng.normal(0, 0.09, n)
    scale = np.exp(rng.normal(0, 0.1, (n, 2)))
    scale[:, 1] *= np.where(rng.random(n) < 0.5, -1, 1)
    matrix = np.zeros((n, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(turn) * scale[:, 1], -np.sin(turn)
    matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(turn), np.cos(turn) * scale[:, 0]
    matrix[:, :, 2] = rng.normal(0, 0.08, (n, 2))
    grid = F.affine_grid(torch.from_numpy(matrix), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    y = F.grid_sample(y, grid, mode="nearest", align_corners=False)
    gamma = torch.from_numpy(np.exp(rng.normal(0, 0.3, (n, 1, 1, 1)))).float()
    noise = torch.from_numpy(rng.normal(0, 0.02, x.shape)).float()
    return (x.clamp(0, 1) ** gamma + noise).clamp(0, 1), y
