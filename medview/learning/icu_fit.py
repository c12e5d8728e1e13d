"""Train one fusion network on encoded stays: an epoch at a time, resumable.

Of several processes each asks the network of its share of a batch's stays; what is drawn and the
loss are those of the whole batch in every process (``ranks``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.training import Method
from medview.learning.checkpoint import refuse_not_finite
from medview.learning.finetune_method import restrict
from medview.learning.icu_asked import AskedHours
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_unmeasured import Unmeasured
from medview.learning.icu_weighing import BY_GRADIENT, Asked, learn_by_gradient
from medview.learning.metrics import roc_auc
from medview.learning.ranks import ALONE, Ranks, refuse_several
from medview.models.fusion import FILM, SERIES, FusionNet
from medview.models.label_loss import LabelLoss

FEWEST_STEPS = 10
"""Of the schedule; its rise is a fifth of them and must not be a single one."""
EARLIEST = 6
"""Hours before this are not asked in training: too little is known."""


@dataclass(frozen=True, slots=True, eq=False)
class StaySet:
    """Encoded stays.

    Parameters
    ----------
    series : Tensor
        (N, T, columns), zeros after a stay's end.
    lengths : Tensor
        Bins of each stay, (N,).
    present : Tensor
        Which of series and film there is, (N, 2).
    labels : Tensor
        (N, K), NaN where unknown.
    film : Tensor | None
        Features of the films (N, F), zeros where there is none.
    cluster : Tensor | None
        Number of the unit of each stay, (N,), where effects of units are learnt (``icu_armed``).
    unmeasured : Unmeasured | None
        What the columns say of variables that were never measured, where some may be hidden.
    """

    series: Tensor
    lengths: Tensor
    present: Tensor
    labels: Tensor
    film: Tensor | None = None
    cluster: Tensor | None = None
    unmeasured: Unmeasured | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    def only(self, rows: NDArray[np.intp] | Tensor) -> StaySet:
        """Some of the stays."""
        at = torch.as_tensor(rows)
        film = None if self.film is None else self.film[at]
        cluster = None if self.cluster is None else self.cluster[at]
        given = (self.series[at], self.lengths[at], self.present[at], self.labels[at])
        return StaySet(*given, film, cluster, self.unmeasured)


@dataclass(slots=True, eq=False)
class Fit:
    """One training; ``epoch()`` does one round, ``state()`` and ``restore()`` make it resumable.

    `blank` are columns that the network is not shown.
    """

    recipe: IcuRecipe
    train: StaySet
    val: StaySet | None
    seed: int
    ranks: Ranks = ALONE
    blank: tuple[int, ...] = ()

    net: FusionNet = None  # type: ignore[assignment]  # made below
    loss: LabelLoss = None  # type: ignore[assignment]  # made below
    done: int = 0
    best: float = -1.0
    best_epoch: int = 0
    best_state: dict[str, Tensor] | None = None
    _network: nn.Module = None  # type: ignore[assignment]  # made below
    _optimiser: torch.optim.Optimizer = None  # type: ignore[assignment]  # made below
    _schedule: torch.optim.lr_scheduler.LRScheduler = None  # type: ignore[assignment]  # below

    def __post_init__(self) -> None:
        torch.manual_seed(self.seed)
        recipe, labels = self.recipe, self.train.labels
        if recipe.loss in BY_GRADIENT:
            refuse_several(f"loss = {recipe.loss}", "it looks at the gradient of every label")
        outputs = labels.shape[1]
        options = recipe.network(self.train.series.shape[2], outputs)
        self.net = FusionNet(replace(options, blank=self.blank))
        prevalence = torch.nanmean(labels, 0).nan_to_num(0.0)
        known = labels.isfinite().sum(0).tolist()
        self.loss = LabelLoss(outputs, recipe.loss, prevalence.tolist(), known)
        with torch.no_grad():
            self.net.head.bias.copy_(torch.logit(prevalence.clamp(0.01, 0.99)))
        self._put_round()
        self._begin()

    def _put_round(self) -> None:
        """Put what is learnt beside the network round it."""

    @property
    def whole(self) -> nn.Module:
        """All that is learnt and kept."""
        return self.net

    def asked(self, stays: StaySet) -> NDArray[np.float64]:
        """Probabilities (N, K) after the last hour."""
        return probabilities(self.net, stays)

    def _begin(self) -> None:
        """Optimiser and schedule as they are before the first step."""
        recipe = self.recipe
        self._network = self.ranks.spread(AskedHours(self.net, recipe.rungs))
        groups = [
            {"params": self._learnt(), "lr": recipe.rate},
            {"params": list(self.loss.parameters()), "lr": recipe.loss_rate, "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
        steps = recipe.epochs * -(-len(self.train) // recipe.batch)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            [recipe.rate, recipe.loss_rate],
            total_steps=max(steps, FEWEST_STEPS),
            pct_start=0.2,
        )

    def _learnt(self) -> list[nn.Parameter]:
        """What the main step moves, beside the weights of the labels."""
        return list(self.net.parameters())

    def go_on_from(self, state: Mapping[str, Tensor], method: Method, head: Sequence[str]) -> None:
        """Begin with given weights, and let all of them, the head or adapters learn."""
        self.whole.load_state_dict(state)
        restrict(self.whole, method, head, seed=self.seed)
        self._begin()

    @property
    def finished(self) -> bool:
        """All epochs are done, or the patience is at its end."""
        late = self.recipe.patience and self.done - self.best_epoch >= self.recipe.patience
        return self.done >= self.recipe.epochs or bool(late and self.val is not None)

    def epoch(self, check: Callable[[], None]) -> dict[tuple[str, str], float]:
        """Train one round; figures by (part, name). `check` may raise to stop it."""
        self.net.train()
        order = torch.randperm(len(self.train))
        sums = {"loss": 0.0, "gradient_norm": 0.0}
        for rows in torch.split(order, self.recipe.batch):
            check()
            loss, norm = self._step(self.train.only(rows))
            sums["loss"] += loss * len(rows) / len(order)
            sums["gradient_norm"] += norm * len(rows) / len(order)
        self.done += 1
        self.loss.end_epoch()
        figures = {("train", name): value for name, value in sums.items()}
        s = self.loss.s.detach()
        figures["train", "s_mean"] = float(s.mean())
        figures["train", "s_widest"] = float(s.abs().max())
        if self.val is not None:
            figures["val", "roc_auc"] = self._validate(self.val)
        return figures

    def try_rate(self, rate: float) -> float:
        """One step at a rate on stays that are drawn; the loss."""
        self.net.train()
        # The schedule would end with the epochs of the recipe.
        self._schedule = torch.optim.lr_scheduler.ConstantLR(self._optimiser, 1.0)
        self._optimiser.param_groups[0]["lr"] = rate
        rows = torch.randperm(len(self.train))[: self.recipe.batch]
        return self._step(self.train.only(rows))[0]

    def _step(self, batch: StaySet) -> tuple[float, float]:
        batch = self._disturbed(batch)
        self._optimiser.zero_grad(set_to_none=True)
        loss = self._learn(batch)
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
        self._optimiser.step()
        self._schedule.step()
        return float(loss), float(norm)

    def _learn(self, batch: StaySet) -> Tensor:
        """The loss of a batch, its gradients in the parameters."""
        asked = self._asked(batch)
        if self.recipe.loss in BY_GRADIENT:
            return learn_by_gradient(self.loss, asked, self.net)
        shared = [share * self.loss(logits, labels) for share, logits, labels in asked]
        loss: Tensor = torch.stack(shared).sum()
        refuse_not_finite(loss, self.done + 1)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation for it
        return loss.detach()

    def _asked(self, batch: StaySet) -> list[Asked]:
        """Logits of the last hour and of earlier ones, of all processes' stays."""
        mine = self.ranks.rows
        film = None if batch.film is None else batch.film[mine]
        last, before = self._network(
            batch.series[mine], film, batch.present[mine], batch.lengths[mine],
            lambda: self._earlier(batch)[mine],
        )  # fmt: skip
        asked: list[Asked] = [(1.0, self.ranks.whole(last, len(batch)), batch.labels)]
        if before is not None:
            logits = self.ranks.whole(before, len(batch)).flatten(0, 1)
            labels = batch.labels.repeat_interleave(self.recipe.rungs, 0)
            asked.append((self.recipe.rungs_share, logits, labels))
        return asked

    def _earlier(self, batch: StaySet) -> Tensor:
        """Hours of each stay, drawn anew, (B, rungs): every hour shall have a meaning."""
        share = torch.rand(len(batch), self.recipe.rungs)
        first = torch.minimum(batch.lengths, torch.tensor(EARLIEST))[:, None]
        return first + (share * (batch.lengths[:, None] - first)).long()

    def _disturbed(self, batch: StaySet) -> StaySet:
        """Variables and columns blanked for a whole stay, films and series hidden; never both."""
        recipe, rows = self.recipe, len(batch)
        series = batch.series
        if recipe.hidden_variables and batch.unmeasured is not None:
            series = batch.unmeasured.drawn(series, recipe.hidden_variables)
        if recipe.column_dropout:
            kept = torch.rand(rows, 1, series.shape[2]) >= recipe.column_dropout
            series = series * kept
        present = batch.present.clone()
        if batch.film is not None:
            both = present.all(1)
            chance = torch.rand(rows)
            present[both & (chance < recipe.film_dropout), FILM] = False
            present[both & (chance > 1 - recipe.series_hidden), SERIES] = False
        return replace(batch, series=series, present=present)

    def _validate(self, val: StaySet) -> float:
        """Mean AUROC over the labels of the validation stays; keeps the best network."""
        scores = self.asked(val)
        labels = val.labels.numpy()
        areas = [
            roc_auc(labels[known, k] == 1, scores[known, k])
            for k in range(labels.shape[1])
            for known in (np.isfinite(labels[:, k]),)
        ]
        value = float(np.nanmean(areas)) if np.isfinite(areas).any() else 0.0
        if value > self.best:
            self.best, self.best_epoch = value, self.done
            self.best_state = {k: v.detach().clone() for k, v in self.whole.state_dict().items()}
        return value

    def network_state(self) -> dict[str, Tensor]:
        """The best network by validation, or the last one without any."""
        state = self.whole.state_dict() if self.best_state is None else self.best_state
        return {name: value.detach().clone() for name, value in state.items()}

    def state(self) -> dict[str, Any]:
        """All that is needed to go on as if nothing had happened."""
        return {
            "net": self.whole.state_dict(),
            "loss": self.loss.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
            "done": self.done,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_state": self.best_state,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from ``state()``."""
        self.whole.load_state_dict(kept["net"])
        self.loss.load_state_dict(kept["loss"])
        self._optimiser.load_state_dict(kept["optimiser"])
        self._schedule.load_state_dict(kept["schedule"])
        torch.set_rng_state(kept["random"])
        self.done, self.best = kept["done"], kept["best"]
        self.best_epoch, self.best_state = kept["best_epoch"], kept["best_state"]


@torch.no_grad()
def probabilities(net: FusionNet, stays: StaySet, block: int = 256) -> NDArray[np.float64]:
    """Probabilities (N, K) after the last hour."""
    net.eval()
    found = []
    for rows in torch.split(torch.arange(len(stays)), block):
        part = stays.only(rows)
        found.append(torch.sigmoid(net(part.series, part.film, part.present, part.lengths)))
    return torch.cat(found).double().numpy()
