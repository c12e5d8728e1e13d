"""The loop that trains the region network: one report an epoch, resumable by its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from medview.domain.errors import DataError
from medview.learning.checkpoint import (
    EpochReport,
    all_but_folds,
    keep_run,
    read_checkpoint,
)
from medview.learning.devices import multiplies_bfloat16
from medview.learning.learner import KEPT, Learner
from medview.learning.recipe_values import recipe_of
from medview.learning.region_augment import (
    RegionAugmentation,
    RegionCase,
    atlas_of,
    random_part,
    varied,
)
from medview.learning.region_grid import SHAPE
from medview.learning.region_groups import CLASSES, UNKNOWN
from medview.models.region_net import FOLD, RegionNet, RegionOptions, places_of

_KEPT = ("epoch", "history", "recipe", *KEPT)
PART = (SHAPE[0] // 2, SHAPE[1] // 2 + 4, SHAPE[2] // 2)
"""Sides of the parts that are learnt from, multiples of 8."""
_NEAR_CELLS = 2
"""Cells (4 mm) round the brain that belong to it here."""
_LEARNT_NEAR, _LEARNT_FAR = 0.4, 0.05
"""Shares of the cells near the brain and of the others that a step learns from: neighbours say
much the same, and the answer and the loss of a voxel cost as much as its convolutions."""


@dataclass(frozen=True, slots=True)
class RegionRecipe:
    """How the region network is trained; ``resources/recipes/region-net.toml`` holds it.

    A step is `batch` parts of heads, a half of the box along each axis (steps count more than
    voxels). `sets` names the sets that are learnt from; labelled sets of other names
    are measured only. `folds` networks are trained without some patients each, for the figures.
    """

    epochs: int = 480
    steps: int = 25
    batch: int = 2
    rate: float = 1e-2
    weight_decay: float = 1e-4
    clip: float = 1.0
    folds: int = 3
    sets: str = "ixi-t1,elderly-t1"
    bfloat16: bool = True
    augment: RegionAugmentation = field(default_factory=RegionAugmentation)

    @property
    def set_names(self) -> tuple[str, ...]:
        """The sets that are learnt from."""
        return tuple(name.strip() for name in self.sets.split(","))

    @classmethod
    def of(cls, values: dict[str, object]) -> RegionRecipe:
        """Make a recipe from plain values.

        Raises
        ------
        DataError
            A key that no recipe has.
        """
        return recipe_of(cls, values, {"augment": RegionAugmentation})


@dataclass(slots=True, eq=False)
class RegionTrainer:
    """One training run; iterate over ``fit()``.

    Parameters
    ----------
    recipe : RegionRecipe
        All settings.
    cases : tuple[RegionCase, ...]
        What is learnt from.
    seed : int
        Fixes first weights, order and augmentation.
    folder : Path | None
        Where checkpoint/ and history.csv go; None keeps nothing.
    """

    recipe: RegionRecipe
    cases: tuple[RegionCase, ...]
    seed: int = 0
    device: str = "cpu"
    folder: Path | None = None
    options: RegionOptions = field(default_factory=RegionOptions)
    model: RegionNet = field(init=False)
    epoch: int = field(init=False, default=0)
    stopped: str = field(init=False, default="epochs")
    _rng: np.random.Generator = field(init=False)
    _learner: Learner = field(init=False)
    _history: list[tuple[int, str, str, float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if not self.cases:
            raise DataError("there is nothing to train on", do="Add cases.", code="MV-DAT-021")
        torch.manual_seed(self.seed)
        self._rng = np.random.default_rng(self.seed)
        network = RegionNet(self.options).to(self.device)
        network.start_from(atlas_of(self.cases))
        self.model = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # torch does not annotate it
        recipe = self.recipe
        optimiser = torch.optim.AdamW(
            self.model.parameters(), recipe.rate, weight_decay=recipe.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            recipe.rate,
            total_steps=recipe.epochs * recipe.steps + 1,
            pct_start=0.1,
            div_factor=4,
        )
        self._learner = Learner(self.model, optimiser, schedule, self._rng, recipe.clip)

    def fit(self) -> Iterator[EpochReport]:
        """Train to the end of the recipe, one report an epoch."""
        while self.epoch < self.recipe.epochs:
            began = time.perf_counter()
            self.model.train()
            sums: dict[str, float] = {}
            for _ in range(self.recipe.steps):
                for name, value in self._step().items():
                    sums[name] = sums.get(name, 0.0) + value / self.recipe.steps
            self.epoch += 1
            self._record(sums)
            figures = {("train", name): value for name, value in sums.items()}
            seconds = time.perf_counter() - began
            yield EpochReport(self.epoch, self.recipe.epochs, figures, seconds, True)

    def _step(self) -> dict[str, float]:
        values, places, regions = self._batch()
        wanted = torch.stack([in_cells(one) for one in regions])
        chosen = torch.from_numpy(np.stack([_learnt(one, self._rng) for one in wanted.numpy()]))
        kind = self.device.split(":")[0]
        low = self.recipe.bfloat16 and multiplies_bfloat16(self.device)
        with torch.autocast(kind, torch.bfloat16, enabled=low):
            cells = self.model.cells(*(part.to(self.device) for part in (values, places, chosen)))
        truth = wanted[chosen].flatten().to(self.device)
        cross, dice = losses(cells.float().flatten(0, 1), truth)
        loss = cross + dice
        self._learner.learn(loss, self.epoch + 1)
        return {"loss": loss.item(), "cross_entropy": cross.item(), "dice": 1 - dice.item()}

    def _batch(self) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Parts of random heads: values, where they lie in the box, and their regions."""
        whole = places_of(torch.empty(1, 1, *SHAPE))[0]
        values, places, regions = [], [], []
        for _ in range(self.recipe.batch):
            case = self.cases[int(self._rng.integers(len(self.cases)))]
            part = random_part(PART, self._rng)
            picture, numbers = varied(case, self.recipe.augment, self._rng, part)
            values.append(picture)
            places.append(whole[(slice(None), *part)])
            regions.append(numbers)
        return torch.stack(values), torch.stack(places), regions

    def _record(self, figures: dict[str, float]) -> None:
        self._history += [(self.epoch, "train", name, v) for name, v in figures.items()]
        kept = {"epoch": self.epoch, "history": self._history, "recipe": self._run()}
        keep_run(self.folder, kept | self._learner.state())

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of an interrupted run of the same recipe and cases.

        Raises
        ------
        DataError
            No checkpoint there, a damaged one, or one of another recipe.
        """
        kept = read_checkpoint(folder, names=_KEPT, run=self._run())
        self._learner.load(kept)
        self._history = [tuple(row) for row in kept["history"]]
        self.epoch = kept["epoch"]

    def _run(self) -> str:
        """What two runs must share so that one can go on from the other's checkpoint."""
        return str((all_but_folds(self.recipe), [case.case for case in self.cases], self.seed))


def in_cells(regions: Tensor) -> Tensor:
    """Region numbers (D, H, W) in the order of the network's cells, (D/2, H/2, W/2, 8)."""
    d, h, w = (n // FOLD for n in regions.shape)
    blocks = regions.reshape(d, FOLD, h, FOLD, w, FOLD).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(d, h, w, FOLD**3)


def _learnt(wanted: NDArray[np.integer[Any]], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which cells (D, H, W) are learnt from this time; chance decides."""
    near = ndimage.binary_dilation((wanted > 0).any(axis=-1), iterations=_NEAR_CELLS)
    share = np.where(near, _LEARNT_NEAR, _LEARNT_FAR)
    return np.asarray(rng.random(near.shape) < share)


def losses(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and 1 - soft Dice (mean over the classes that are there).

    Milletari and others, 3DV 2016, for the Dice part. `logits` (n, classes), `truth` (n,);
    voxels that belong to no region teach nothing.
    """
    log_share = F.log_softmax(logits, dim=1)
    cross = F.nll_loss(log_share, truth, ignore_index=UNKNOWN)
    known = truth != UNKNOWN
    kept = truth[known]
    share = log_share.exp() * known[:, None]
    one = share.gather(1, truth.clamp_max(CLASSES - 1)[:, None])[:, 0][known]
    size = torch.bincount(kept, minlength=CLASSES).float()
    hit = torch.zeros(CLASSES, device=logits.device).index_add(0, kept, one)
    dice = (2 * hit + 1) / (share.sum(0) + size + 1)
    return cross, 1 - dice[size > 0].mean()
