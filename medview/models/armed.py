"""ARMED: an adversary against clusters and random effects of clusters, round any network.

A cluster is whatever groups the rows: a site, a scanner, a hospital. The wrapped network knows
nothing of it: its layers are watched and, in one form, scaled from outside. Source: Nguyen et
al., Adversarially-regularized mixed effects deep learning, IEEE TPAMI 2023, sections 3.1-3.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Form = Literal["linear", "hidden", "scale"]
Link = Literal["logit", "prob"]
Head = Literal["gaussian", "binary"]
ZMode = Literal["zero", "soft", "argmax", "average"]
Z_MODES: tuple[ZMode, ...] = ("zero", "soft", "argmax", "average")

LEAST_SD = 1e-5
RHO_START = (-5.94, -2.97)
"""Where rho starts, uniformly: standard deviations of 0.003 to 0.05."""


@dataclass(frozen=True, slots=True)
class ArmedOptions:
    """What is put round a network.

    Parameters
    ----------
    clusters : int
        Number of clusters, K.
    watched : tuple[str, ...]
        Names of the layers whose outputs the adversary reads (``nn.Module.named_modules``).
        A layer that is called twice in a pass is read the second time.
    form : Form
        What the random slopes u(z) multiply: "linear" the input, ``f(x) + sum u_j x_j + b``;
        "hidden" the output of the layer `slopes_of`, ``sum u_j h_j + b + f(x)``; "scale" scales
        that layer, ``out(h * (1 + u)) + b``, by a second pass through the network.
    slopes_of : str
        Layer of the forms "hidden" and "scale".
    head : Head
        "binary" (logits) or "gaussian" (means).
    link : Link
        What is added in the form "hidden" of a binary head: the logit of the fixed part, or its
        probability, as the authors' program does.
    adversary : tuple[int, ...]
        Widths of the adversary's hidden layers.
    prior_slope, prior_intercept : float
        Standard deviations of the priors N(0, sd^2), which stay as they are.
    start_slope, start_intercept : float
        Standard deviations from which the posterior means start.
    """

    clusters: int
    watched: tuple[str, ...]
    form: Form = "hidden"
    slopes_of: str = ""
    head: Head = "binary"
    link: Link = "logit"
    adversary: tuple[int, ...] = (4, 4)
    prior_slope: float = 0.3
    prior_intercept: float = 0.1
    start_slope: float = 0.3
    start_intercept: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class ArmedOutput:
    """What the wrapped network says, before the link of its head.

    `fixed` (n,) is the network alone, `mixed` (n,) with the effects of the clusters, `seen`
    (n, a) what the adversary reads, `kl` () the divergence of all effects from their priors.
    """

    fixed: Tensor
    mixed: Tensor
    seen: Tensor
    kl: Tensor


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the terms of the main step: lambda_ME, lambda_FE, lambda_g and that of the KL.

    Tensors stand for many models trained at once.
    """

    mixed: float | Tensor = 1.0
    fixed: float | Tensor = 1.0
    adversary: float | Tensor = 0.5
    kl: float | Tensor = 1e-5


class RandomEffects(nn.Module):
    """A Bayesian layer without bias: u(z) = z U, each weight of U with a posterior N(mu, s^2).

    s = 1e-5 + softplus(rho). U is (clusters, units).
    """

    def __init__(self, clusters: int, units: int, prior: float, start: float) -> None:
        super().__init__()
        self.prior = prior
        self.mu = nn.Parameter(torch.randn(clusters, units) * start)
        self.rho = nn.Parameter(torch.empty(clusters, units).uniform_(*RHO_START))

    @property
    def sd(self) -> Tensor:
        """Standard deviations of the posterior, (clusters, units)."""
        return LEAST_SD + F.softplus(self.rho)

    def forward(self, z: Tensor, noise: Tensor | None = None) -> Tensor:
        """Effects (n, units) of clusters `z` (n, clusters), which may be soft or all zero.

        `noise` (clusters, units), standard normal, draws one set of weights for all rows; None
        takes the posterior means.
        """
        weights = self.mu if noise is None else self.mu + self.sd * noise
        return z @ weights

    def kl(self) -> Tensor:
        """Divergence of the posterior from the prior, summed over all weights."""
        return kl_to_prior(self.mu, self.sd, self.prior)


def kl_to_prior(mu: Tensor, sd: Tensor, prior: float) -> Tensor:
    """KL(N(mu, sd^2) || N(0, prior^2)) in closed form, summed."""
    ratio = sd / prior
    return (-torch.log(ratio) + (ratio**2 + (mu / prior) ** 2 - 1) / 2).sum()


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths with ReLU between them, as Keras starts them."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        linear = nn.Linear(inner, outer)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@contextmanager
def watching(network: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of named layers while the block runs the network."""
    seen: dict[str, Tensor] = {}

    def keep(name: str, _layer: nn.Module, _inputs: object, output: Tensor) -> None:
        seen[name] = output

    handles = [
        network.get_submodule(name).register_forward_hook(partial(keep, name)) for name in names
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def scaling(network: nn.Module, name: str, effects: Tensor) -> Iterator[None]:
    """Multiply the output (n, units, ...) of a layer by 1 + effects (n, units) in the block."""

    def scale(_layer: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return output * (1 + effects.reshape(*effects.shape, *[1] * (output.dim() - 2)))

    handle = network.get_submodule(name).register_forward_hook(scale)
    try:
        yield
    finally:
        handle.remove()


def _only_column(output: Any) -> Tensor:
    return cast(Tensor, output).squeeze(-1)


class Armed(nn.Module):
    """A network with an adversary and random effects round it.

    Parameters
    ----------
    base : nn.Module
        Any network. Nothing in it is changed; it is called as ``base(*inputs)``.
    options : ArmedOptions
        What is put round it.
    example : tuple[Tensor, ...]
        Inputs of at least one row, from which the widths of the watched layers are taken.
    read : Callable[[Any], Tensor]
        Turns what `base` returns into its logit or mean, (n,).
    """

    def __init__(
        self,
        base: nn.Module,
        options: ArmedOptions,
        example: tuple[Any, ...],
        read: Callable[[Any], Tensor] = _only_column,
    ) -> None:
        super().__init__()
        self.base, self.options, self.read = base, options, read
        seen, slopes = _widths(base, options, example)
        k = options.clusters
        self.adversary = perceptron((seen, *options.adversary, k))
        self.slopes = RandomEffects(k, slopes, options.prior_slope, options.start_slope)
        self.intercept = RandomEffects(k, 1, options.prior_intercept, options.start_intercept)

    @property
    def units(self) -> int:
        """Number of random effects of a cluster: slopes and one intercept."""
        return self.slopes.mu.shape[1] + 1

    def forward(
        self, inputs: tuple[Any, ...], z: Tensor, noise: Tensor | None = None
    ) -> ArmedOutput:
        """Ask the network and add the effects of the clusters `z` (n, clusters).

        `noise` (clusters, units) draws one set of effects for all rows; None takes their means.
        """
        names = dict.fromkeys((*self.options.watched, self.options.slopes_of))
        with watching(self.base, [name for name in names if name]) as layers:
            fixed = self.read(self.base(*inputs))
        seen = torch.cat([layers[name].flatten(1) for name in self.options.watched], 1)
        effects = self.slopes(z, None if noise is None else noise[:, :-1])
        shift = self.intercept(z, None if noise is None else noise[:, -1:]).squeeze(-1)
        mixed = self._mixed(inputs, layers, fixed, effects) + shift
        return ArmedOutput(fixed, mixed, seen, self.slopes.kl() + self.intercept.kl())

    def _mixed(
        self,
        inputs: tuple[Any, ...],
        layers: dict[str, Tensor],
        fixed: Tensor,
        effects: Tensor,
    ) -> Tensor:
        options = self.options
        if options.form == "scale":
            with scaling(self.base, options.slopes_of, effects):
                return self.read(self.base(*inputs))
        if options.form == "linear":
            return fixed + (effects * torch.cat(inputs, 1)).sum(1)
        added = (effects * layers[options.slopes_of].flatten(1)).sum(1)
        by_probability = options.head == "binary" and options.link == "prob"
        return added + (torch.sigmoid(fixed) if by_probability else fixed)

    def main_parameters(self) -> list[nn.Parameter]:
        """What the main step learns: everything but the adversary."""
        return [p for name, p in self.named_parameters() if not name.startswith("adversary.")]


def _widths(base: nn.Module, options: ArmedOptions, example: tuple[Any, ...]) -> tuple[int, int]:
    """How many activations the adversary reads, and how many slopes a cluster has."""
    if options.form != "linear" and not options.slopes_of:
        raise ValueError(f"the form {options.form} needs the name of a layer")
    names = [name for name in (*options.watched, options.slopes_of) if name]
    with torch.no_grad(), watching(base, names) as layers:
        base(*example)
    seen = sum(layers[name].flatten(1).shape[1] for name in options.watched)
    if options.form == "linear":
        return seen, sum(each.shape[1] for each in example)
    slopes = layers[options.slopes_of]
    return seen, slopes.shape[1] if options.form == "scale" else slopes.flatten(1).shape[1]


def data_loss(head: Head, predictor: Tensor, truth: Tensor) -> Tensor:
    """Mean cross-entropy of logits, or half the mean squared error of means."""
    if head == "binary":
        return F.binary_cross_entropy_with_logits(predictor, truth)
    return F.mse_loss(predictor, truth) / 2


def main_loss(
    head: Head,
    output: ArmedOutput,
    guess: Tensor,
    truth: Tensor,
    cluster: Tensor,
    weights: LossWeights,
) -> Tensor:
    """The loss of the main step (section 3.4), by which the adversary must not be stepped.

    `guess` (n, clusters) is what the adversary makes of ``output.seen``, `truth` (n,) what is
    predicted and `cluster` (n,) a whole number.
    """
    return (
        weights.mixed * data_loss(head, output.mixed, truth)
        + weights.fixed * data_loss(head, output.fixed, truth)
        - weights.adversary * F.cross_entropy(guess, cluster)
        + weights.kl * output.kl
    )


class ClusterPredictor(nn.Module):
    """Guesses the cluster of a row from its inputs, for rows of unknown clusters.

    `temperature` divides the logits; it is fitted after training, on rows left out.
    """

    def __init__(self, inputs: int, clusters: int, hidden: tuple[int, ...] = (8, 8, 4)) -> None:
        super().__init__()
        self.net = perceptron((inputs, *hidden, clusters))
        self.temperature: Tensor
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, clusters) of rows `x` (n, inputs)."""
        return cast(Tensor, self.net(x)) / self.temperature

    def soft(self, x: Tensor) -> Tensor:
        """Shares (n, clusters) that add up to 1."""
        return F.softmax(self(x), dim=1)


def z_of(mode: ZMode, soft: Tensor) -> Tensor:
    """What is put in for clusters that are not known, from a guess `soft` (n, K).

    "zero" is the fixed effects alone, "soft" the guess, "argmax" its highest one.

    Raises
    ------
    ValueError
        For "average", which is no single z.
    """
    if mode == "zero":
        return torch.zeros_like(soft)
    if mode == "soft":
        return soft
    if mode == "argmax":
        return F.one_hot(soft.argmax(1), soft.shape[1]).to(soft.dtype)
    raise ValueError("the average over clusters is no single z")
