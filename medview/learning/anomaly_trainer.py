"""Training as a loop that yields: one report an epoch, resumable, the same curve for a seed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.errors import DataError
from medview.domain.training import Method
from medview.learning.anomaly_health import HEALTH, health
from medview.learning.anomaly_recipe import Recipe, same_run
from medview.learning.augment import NONE, Brain, batch_of, cut
from medview.learning.checkpoint import (
    EpochReport,
    keep_run,
    of_method,
    read_checkpoint,
    snapshot,
)
from medview.learning.devices import multiplies_bfloat16
from medview.learning.finetune_method import restrict, set_training
from medview.learning.learner import KEPT, Learner
from medview.learning.ranks import ALONE, Ranks
from medview.models.anomaly_vae import LATENT, AnomalyVae, VaeOptions
from medview.models.blocks import SpatialAttention, channels_last
from medview.models.losses import gaussian_nll, kl_standard_normal


@dataclass(slots=True)
class Trainer:
    """One training run of the anomaly model; iterate over ``fit()``.

    Parameters
    ----------
    recipe : Recipe
        All settings.
    train, val : tuple[Brain, ...]
        Brains of different patients; `val` may be empty, then the last epoch is the best.
    seed : int
        Fixes first weights, order, cuts and noise.
    device : str
        "cpu" or "cuda[:N]".
    folder : Path | None
        Where checkpoint/ and history.csv go; None keeps nothing on disk.
    ranks : Ranks
        Which of the processes that train together this is; only the first one writes.
    """

    recipe: Recipe
    train: tuple[Brain, ...]
    val: tuple[Brain, ...]
    seed: int = 0
    device: str = "cpu"
    folder: Path | None = None
    ranks: Ranks = ALONE
    model: AnomalyVae = field(init=False)
    best_state: dict[str, Tensor] = field(init=False)
    best_epoch: int = field(init=False, default=0)
    best_value: float = field(init=False, default=float("inf"))
    stopped: str = field(init=False, default="epochs")
    epoch: int = field(init=False, default=0)
    _history: list[tuple[int, str, str, float]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        if not self.train:
            raise DataError("there is nothing to train on", do="Add cases.", code="MV-DAT-021")
        torch.manual_seed(self.seed)
        self._rng = np.random.default_rng(self.seed)
        self._noise = torch.Generator().manual_seed(self.seed)
        self.model = first_model(self.recipe.network)
        self.model.to(self.device)
        self.best_state = snapshot(self.model)
        self._begin()
        self._weights = one_vote_each(self.train)
        self._fixed = self.fixed_slices()

    _network: nn.Module = field(init=False)
    _method: Method = field(init=False, default="full")
    _rng: np.random.Generator = field(init=False)
    _noise: torch.Generator = field(init=False)
    _learner: Learner = field(init=False)
    _weights: NDArray[np.float64] = field(init=False)
    _fixed: tuple[Tensor, Tensor] = field(init=False)

    def _begin(self) -> None:
        """Network, optimiser and schedule as they are before the first step."""
        self._network = self.ranks.spread(self.model)
        optimiser = self._make_optimiser()
        total = self.recipe.epochs * self.recipe.steps
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            [group["lr"] for group in optimiser.param_groups],
            total_steps=max(total, 2),
            pct_start=0.1,
        )
        self._learner = Learner(self.model, optimiser, schedule, self._rng, self.recipe.clip)

    def restrict(self, method: Method, head: Sequence[str]) -> None:
        """Let only the head or adapters learn; call it before ``fit`` and ``resume``."""
        restrict(self.model, method, head, seed=self.seed)
        self._method = method
        if method == "adapter":  # they are new parameters
            self._begin()

    def _make_optimiser(self) -> torch.optim.Optimizer:
        recipe, model = self.recipe, self.model
        latent = [*model.to_mean.parameters(), *model.to_log_variance.parameters()]
        code = list(model.from_latent.parameters())
        special = {id(p) for p in latent + code}
        groups = [
            {"params": [p for p in model.parameters() if id(p) not in special], "lr": recipe.rate},
            {"params": latent, "lr": recipe.rate * recipe.latent_share},
            {"params": code, "lr": recipe.rate * recipe.code_share},
        ]
        return torch.optim.AdamW(groups, recipe.rate, weight_decay=recipe.weight_decay)

    def fixed_slices(self) -> tuple[Tensor, Tensor]:
        """Slices and masks (n, 1, 128, 128) that are always the same, unaugmented.

        Of the validation brains; of the training brains where there are none.
        """
        rng = np.random.default_rng(12345)
        brains = self.val or self.train
        most = self.recipe.val_slices if self.val else min(self.recipe.val_slices, HEALTH_SLICES)
        each = max(1, most // len(brains))
        pairs = [
            cut(brain, height, NONE, rng)
            for brain in brains
            for height in np.linspace(0.12, 0.92, each)
        ]
        slices, masks = zip(*pairs, strict=True)
        return torch.stack(slices).to(self.device), torch.stack(masks).to(self.device)

    def fit(self) -> Iterator[EpochReport]:
        """Train to the end of the recipe, one report an epoch; close the iterator to stop."""
        while self.epoch < self.recipe.epochs and not self._is_late:
            began = time.perf_counter()
            figures = {("train", n): v for n, v in self._train_epoch().items()}
            figures |= self._validate()
            self.epoch += 1
            best = self._keep_best(figures)
            self._record(figures)
            yield EpochReport(
                self.epoch, self.recipe.epochs, figures, time.perf_counter() - began, best
            )
        if self._is_late:
            self.stopped = "patience"

    @property
    def _is_late(self) -> bool:
        patience = self.recipe.patience
        return bool(patience) and self.epoch - self.best_epoch >= patience

    def _train_epoch(self) -> dict[str, float]:
        set_training(self.model)
        size = self.recipe.attention_batch if self._switch_attention() else self.recipe.batch
        sums: dict[str, float] = {}
        for step in range(self.recipe.steps):
            x, mask = batch_of(self.train, size, self.recipe.augment, self._rng, self._weights)
            terms = self._step(x.to(self.device), mask.to(self.device), step)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value / self.recipe.steps
        return sums

    def try_rate(self, rate: float) -> float:
        """One step at a rate; that of the latent layers stays its share of it. The loss."""
        set_training(self.model)
        # The schedule would end with the epochs of the recipe.
        optimiser = self._learner.optimiser
        self._learner.schedule = torch.optim.lr_scheduler.ConstantLR(optimiser, 1.0)
        for group in optimiser.param_groups:
            group["lr"] = group["max_lr"] * rate / self.recipe.rate
        size = self.recipe.attention_batch if self._switch_attention() else self.recipe.batch
        x, mask = batch_of(self.train, size, self.recipe.augment, self._rng, self._weights)
        return self._step(x.to(self.device), mask.to(self.device), 0)["loss"]

    def _share(self, step: int = 0) -> float:
        return (self.epoch + step / self.recipe.steps) / self.recipe.epochs

    def _switch_attention(self) -> bool:
        on = self._share() >= self.recipe.attention_from
        costly = self.model.costly_attention()
        for part in costly:
            part.on = on
        return on and bool(costly)

    def _beta(self, step: int) -> float:
        recipe = self.recipe
        risen = min(1.0, self._share(step) / max(recipe.beta_share, 1e-9))
        return recipe.beta_start + (recipe.beta_end - recipe.beta_start) * risen

    def _disturbed(self, x: Tensor, mask: Tensor) -> Tensor:
        """Most slices with smooth noise added inside the brain; the others as they are."""
        strength = self.recipe.disturb
        if strength <= 0:
            return x
        field = torch.randn(len(x), 1, KNOTS, KNOTS, generator=self._noise) * strength
        wide = nn.functional.interpolate(field, x.shape[2:], mode="bicubic", align_corners=True)
        chosen = torch.rand(len(x), 1, 1, 1, generator=self._noise) < self.recipe.disturb_share
        return (x + (wide * chosen).to(x.device)).clamp(0, 1) * mask

    def _step(self, x: Tensor, mask: Tensor, step: int) -> dict[str, float]:
        noise = torch.randn(len(x), LATENT, generator=self._noise).to(self.device)
        kind = self.device.split(":")[0]
        low = self.recipe.bfloat16 and multiplies_bfloat16(self.device)
        with torch.autocast(kind, torch.bfloat16, enabled=low):
            mine = self.ranks.rows
            given = self._disturbed(x, mask)[mine]
            picture, s, mean, log_variance = self._network(channels_last(given), noise[mine])
        picture, s, mean, log_variance = (t.float() for t in (picture, s, mean, log_variance))
        if self._share(step) < self.recipe.plain:
            s = torch.full_like(s, PLAIN_LOG_VARIANCE) + 0 * s
        kl = kl_standard_normal(mean, log_variance)
        # The likelihood is a mean over brain pixels, so the KL is divided by their number too.
        pixels = mask.sum((1, 2, 3)).mean()
        # Of several processes each has a part of the batch, and their mean is the whole; alone
        # both weights are 1.
        weight = mask[mine].sum() / mask.sum() * self.ranks.world
        share = len(kl) / len(x) * self.ranks.world
        reconstruction = gaussian_nll(x[mine], picture, s, mask[mine]) * weight
        divergence = kl.sum(1).mean() * share
        loss = reconstruction + self._beta(step) * divergence / pixels
        self._learner.learn(loss, self.epoch + 1)
        error = ((x[mine] - picture) ** 2 * mask[mine]).sum() / mask.sum() * self.ranks.world
        told = {"loss": loss, "nll": reconstruction, "kl": divergence, "mse": error}
        whole = self.ranks.mean({name: value.item() for name, value in told.items()})
        rmse = {"rmse": whole.pop("mse") ** 0.5}
        return {**whole, **rmse, "beta": self._beta(step)}

    @torch.no_grad()
    def _validate(self) -> dict[tuple[str, str], float]:
        """ELBO terms and health of the held-out slices; health of training slices without any."""
        self.model.eval()
        if self.val:
            return {("val", n): v for n, v in health(self.model, *self._fixed).items()}
        found = health(self.model, *self._fixed)
        return {("train", n): v for n, v in found.items() if n in HEALTH}

    def _keep_best(self, figures: dict[tuple[str, str], float]) -> bool:
        """Best by validation ELBO once the variance is learnt; without validation the last."""
        value = figures.get(("val", "loss"), -float(self.epoch))
        settled = max(self.recipe.attention_from, self.recipe.plain, self.recipe.beta_share)
        ready = self._share() > settled or self.epoch >= self.recipe.epochs
        if not ready or (value >= self.best_value and self.best_epoch > 0):
            return False
        self.best_value, self.best_epoch = value, self.epoch
        self.best_state = snapshot(self.model)
        return True

    def _record(self, figures: dict[tuple[str, str], float]) -> None:
        self._history += [(self.epoch, part, name, v) for (part, name), v in figures.items()]
        if self.ranks.leads:
            keep_run(self.folder, self._state())

    def told_last(self, part: str) -> dict[str, float]:
        """The figures of the last epoch on a part ("train", "val"); none before the first."""
        last = (self.epoch, part)
        return {name: v for epoch, each, name, v in self._history if (epoch, each) == last}

    def _state(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "best_state": self.best_state,
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
            "noise": self._noise.get_state(),
            "history": self._history,
            "recipe": of_method(same_run(self.recipe), self._method),
            **self._learner.state(),
        }

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of an interrupted run of the same recipe and data.

        Raises
        ------
        DataError
            No checkpoint there, a damaged one, or one of another recipe or method.
        """
        run = of_method(same_run(self.recipe), self._method)
        kept = read_checkpoint(folder, names=_KEPT, run=run)
        self._learner.load(kept)
        self.best_state, self.best_epoch = kept["best_state"], kept["best_epoch"]
        self.best_value, self.epoch = kept["best_value"], kept["epoch"]
        self._noise.set_state(kept["noise"])
        self._history = [tuple(row) for row in kept["history"]]


HEALTH_SLICES = 24
"""So many training slices tell of the health of a run without validation."""
KNOTS = 10
"""Knots of the disturbing noise along each side of a slice."""
_KEPT = (
    *("epoch", "best_state", "best_epoch", "best_value", "noise", "history", "recipe"),
    *KEPT,
)
PLAIN_LOG_VARIANCE = -4.6
"""Fixed variance of the first epochs: a standard deviation of 0.1, of the size of the errors."""


def first_model(options: VaeOptions) -> AnomalyVae:
    """A fresh network.

    The latent log variance starts small and even, or the KL explodes. Attention starts at zero
    through its last projection, with a gain of one: a gain of zero learns too slowly to matter.
    """
    model = AnomalyVae(options)
    nn.init.normal_(model.to_log_variance.weight, std=1e-4)
    nn.init.constant_(model.to_log_variance.bias, -2.0)
    for part in model.modules():
        if isinstance(part, SpatialAttention):
            nn.init.ones_(part.gain)
            nn.init.zeros_(part.out.weight)
            if part.out.bias is not None:
                nn.init.zeros_(part.out.bias)
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            part.weight.data = channels_last(part.weight.data)
    return model


def one_vote_each(brains: tuple[Brain, ...]) -> NDArray[np.float64]:
    """Chances that give every patient the same share, however many versions there are."""
    count: dict[str, int] = {}
    for brain in brains:
        count[brain.patient] = count.get(brain.patient, 0) + 1
    votes = np.array([1 / count[brain.patient] for brain in brains])
    return np.asarray(votes / votes.sum(), dtype=np.float64)
