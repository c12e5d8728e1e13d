"""Training as a loop that yields: one report an epoch, resumable, the same curve for a seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medview.domain.errors import DataError
from medview.domain.training import Method
from medview.learning.augment import NONE, Augmentation, Brain, batch_of, cut
from medview.learning.checkpoint import (
    EpochReport,
    of_method,
    plain_dict,
    read_checkpoint,
    refuse_not_finite,
    snapshot,
    write_checkpoint,
    write_history,
)
from medview.learning.finetune_method import restrict
from medview.learning.ranks import ALONE, Ranks
from medview.models.anomaly_vae import LATENT, AnomalyVae, VaeOptions
from medview.models.blocks import SpatialAttention, channels_last
from medview.models.losses import gaussian_nll, kl_standard_normal

ACTIVE = 0.01
"""A latent unit counts as active when its mean varies more than this over the batch."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the anomaly model is trained; ``resources/recipes/anomaly.toml`` holds the shipped one.

    Sizes are counted in steps of `batch` slices; an epoch is `steps` of them. Learning rates of
    the wide latent layers are a fraction of `rate`: with 16,384 inputs a step of Adam moves
    them that much further. For the first `plain` share of epochs the variance is fixed, so that
    the mean learns before the variance can excuse it. The two small attention blocks work from
    the start; the two with 1,024 and 4,096 positions, which cost four times the rest on a CPU,
    are switched on after the share `attention_from` of epochs, then with batches of
    `attention_batch`. All start as if they were not there. `beta`
    rises from `beta_start` to `beta_end` over the first `beta_share`. A share `disturb_share`
    of the slices is given with smooth noise of strength `disturb` added (knots every 19 mm) and
    the plain slice is what is wanted back: the network learns to undo what is not anatomy, as
    denoising autoencoders do (not in the paper; 0 trains without).
    """

    epochs: int = 20
    steps: int = 25
    batch: int = 32
    attention_batch: int = 12
    rate: float = 2e-3
    latent_share: float = 0.04
    code_share: float = 0.4
    weight_decay: float = 1e-5
    clip: float = 1.0
    plain: float = 0.3
    attention_from: float = 0.4
    beta_start: float = 0.1
    beta_end: float = 1.0
    beta_share: float = 0.33
    patience: int = 0
    val_slices: int = 96
    folds: int = 0
    disturb: float = 0.2
    disturb_share: float = 0.7
    bfloat16: bool = True
    network: VaeOptions = field(default_factory=VaeOptions)
    augment: Augmentation = field(default_factory=Augmentation)

    @classmethod
    def of(cls, values: dict[str, object]) -> Recipe:
        """Make a recipe from plain values, refusing names it does not know.

        Raises
        ------
        DataError
            A key that no recipe has, or a value of the wrong kind.
        """
        parts = {"network": VaeOptions, "augment": Augmentation}
        made: dict[str, object] = {}
        for name, value in values.items():
            if name not in {f.name for f in fields(cls)}:
                raise DataError(
                    f"the recipe has no setting called {name}",
                    do=f"Known are: {', '.join(f.name for f in fields(cls))}.",
                    code="MV-DAT-020",
                )
            try:
                made[name] = parts[name](**value) if name in parts else value  # type: ignore[arg-type]  # a table of the recipe
            except TypeError as error:
                raise DataError(
                    f"the recipe has a table {name} that cannot be used",
                    do=f"Known are: {', '.join(f.name for f in fields(parts[name]))}.",
                    code="MV-DAT-020",
                ) from error
        return cls(**made)  # type: ignore[arg-type]  # names are checked above


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
    _optimiser: torch.optim.Optimizer = field(init=False)
    _schedule: torch.optim.lr_scheduler.LRScheduler = field(init=False)
    _weights: NDArray[np.float64] = field(init=False)
    _fixed: tuple[Tensor, Tensor] = field(init=False)

    def _begin(self) -> None:
        """Network, optimiser and schedule as they are before the first step."""
        self._network = self.ranks.spread(self.model)
        self._optimiser = self._make_optimiser()
        total = self.recipe.epochs * self.recipe.steps
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            [group["lr"] for group in self._optimiser.param_groups],
            total_steps=max(total, 2),
            pct_start=0.1,
        )

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
        self.model.train()
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
        self.model.train()
        # The schedule would end with the epochs of the recipe.
        self._schedule = torch.optim.lr_scheduler.ConstantLR(self._optimiser, 1.0)
        for group in self._optimiser.param_groups:
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
        with torch.autocast(kind, torch.bfloat16, enabled=self.recipe.bfloat16):
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
        refuse_not_finite(loss, self.epoch + 1)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation for it
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self._optimiser.step()
        self._schedule.step()
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
        if self.folder is not None and self.ranks.leads:
            write_history(self.folder / "history.csv", self._history)
            self._save_checkpoint(self.folder)

    def _save_checkpoint(self, folder: Path) -> None:
        write_checkpoint(
            folder,
            {
                "epoch": self.epoch,
                "model": self.model.state_dict(),
                "best_state": self.best_state,
                "best_epoch": self.best_epoch,
                "best_value": self.best_value,
                "optimiser": self._optimiser.state_dict(),
                "schedule": self._schedule.state_dict(),
                "noise": self._noise.get_state(),
                "rng": str(self._rng.bit_generator.state),
                "history": self._history,
                "recipe": of_method(same_run(self.recipe), self._method),
            },
        )

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of an interrupted run of the same recipe and data.

        Raises
        ------
        DataError
            No checkpoint there, a damaged one, or one of another recipe or method.
        """
        run = of_method(same_run(self.recipe), self._method)
        kept = read_checkpoint(folder, names=_KEPT, run=run)
        self.model.load_state_dict(kept["model"])
        self.best_state, self.best_epoch = kept["best_state"], kept["best_epoch"]
        self.best_value, self.epoch = kept["best_value"], kept["epoch"]
        self._optimiser.load_state_dict(kept["optimiser"])
        self._schedule.load_state_dict(kept["schedule"])
        self._noise.set_state(kept["noise"])
        self._rng.bit_generator.state = plain_dict(kept["rng"])
        self._history = [tuple(row) for row in kept["history"]]


HEALTH = (
    *("active_units", "kl_per_dimension", "kl_per_active_unit", "epistemic", "aleatoric"),
    "attention_entropy",
)
"""Figures that say whether a part of the model has collapsed; in history.csv of every epoch."""
HEALTH_SLICES = 24
"""So many training slices tell of the health of a run without validation."""
KNOTS = 10
"""Knots of the disturbing noise along each side of a slice."""
_KEPT = (
    *("epoch", "model", "best_state", "best_epoch", "best_value", "optimiser"),
    *("schedule", "noise", "rng", "history", "recipe"),
)
PLAIN_LOG_VARIANCE = -4.6
"""Fixed variance of the first epochs: a standard deviation of 0.1, of the size of the errors."""


def same_run(recipe: Recipe) -> str:
    """What two runs must share so that one can go on from the other's checkpoint."""
    values = {name: value for name, value in asdict(recipe).items() if name != "folds"}
    if not recipe.network.deterministic:  # unknown to older checkpoints, which are not
        values["network"].pop("deterministic")
    return str(values)


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


@torch.no_grad()
def health(model: AnomalyVae, x: Tensor, mask: Tensor) -> dict[str, float]:
    """ELBO terms and the figures that name a collapse, on slices (n, 1, 128, 128).

    ``active_units``: latent units whose mean varies over slices; ``epistemic``: mean variance
    over 5 draws; ``attention_entropy``: mean over blocks, 1 is uniform.
    """
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = model.encode(channels_last(x))
    kl = kl_standard_normal(mean, log_variance)
    noise = torch.randn(len(x), LATENT, generator=generator).to(x.device)
    picture, s = model.decode(mean + torch.exp(0.5 * log_variance) * noise)
    nll = gaussian_nll(x, picture, s, mask)
    pixels = mask.sum((1, 2, 3)).mean()
    few, spread = x[:8], torch.exp(0.5 * log_variance[:8])
    draws = torch.stack(
        [
            model.decode(
                mean[:8] + spread * torch.randn(spread.shape, generator=generator).to(x.device)
            )[0]
            for _ in range(5)
        ]
    )
    inside = mask[:8]
    error = ((x - picture) ** 2 * mask).sum() / mask.sum()
    return {
        "loss": float(nll + kl.sum(1).mean() / pixels),
        "nll": float(nll),
        "kl": float(kl.sum(1).mean()),
        "rmse": float(error.sqrt()),
        "active_units": float((mean.var(0) > ACTIVE).sum()),
        "kl_per_dimension": float(kl.mean()),
        "kl_per_active_unit": float(kl.mean(0).sum() / max(1, int((mean.var(0) > ACTIVE).sum()))),
        "epistemic": float((draws.var(0, correction=0) * inside).sum() / inside.sum()),
        "aleatoric": float((s[: len(few)].exp() * inside).sum() / inside.sum()),
        "attention_entropy": attention_entropy(model, few),
    }


@torch.no_grad()
def attention_entropy(model: AnomalyVae, x: Tensor) -> float:
    """Entropy of the attention rows over log(keys), averaged over the blocks; NaN without any."""
    seen: list[float] = []

    def note(part: nn.Module, given: tuple[Tensor, ...]) -> None:
        if isinstance(part, SpatialAttention):
            rows = part.weights(given[0][:1]).clamp_min(1e-12)
            entropy = -(rows * rows.log()).sum(-1).mean() / np.log(rows.shape[-1])
            seen.append(float(entropy))

    parts = [p for p in model.modules() if isinstance(p, SpatialAttention)]
    hooks = [part.register_forward_pre_hook(note) for part in parts]
    mean, _ = model.encode(channels_last(x[:1]))
    model.decode(mean)
    for hook in hooks:
        hook.remove()
    return float(np.mean(seen)) if seen else float("nan")


def health_words(figures: dict[str, float]) -> list[dict[str, object]]:
    """The health figures with a verdict: KL, uncertainty and attention collapse by name."""
    checks: tuple[tuple[str, Callable[[float], bool], str], ...] = (
        ("active_units", lambda v: v >= 5, "KL collapse: the code ignores the picture"),
        ("epistemic", lambda v: v > 1e-6, "uncertainty collapse: all draws are the same"),
        ("attention_entropy", lambda v: not v > 0.999, "attention collapse: it looks everywhere"),
        ("kl_per_dimension", lambda v: v > 1e-3, "KL collapse: the code is the prior"),
    )
    return [
        {"name": name, "value": figures[name], "ok": ok, "text": "" if ok else trouble}
        for name, good, trouble in checks
        if name in figures
        for ok in (bool(good(figures[name])),)
    ]


def shorter(recipe: Recipe, epochs: int | None) -> Recipe:
    """The recipe with another number of epochs."""
    return replace(recipe, epochs=epochs) if epochs else recipe
