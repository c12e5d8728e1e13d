"""Train many copies of a network with random effects at once: seeds, folds and variants.

All copies have one shape; their parameters lie stacked in one tensor each, so that a step of a
hundred small networks costs little more than that of one. Adam works value by value, so the
copies do not touch each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from medview.models.armed import Armed, ArmedOutput, LossWeights, main_loss

ADVERSARY = "adversary."


@dataclass(frozen=True, slots=True, eq=False)
class StackBatch:
    """One step's rows of each copy: `inputs` (copies, n, d), `truth` and `cluster` (copies, n)."""

    inputs: Tensor
    truth: Tensor
    cluster: Tensor


@dataclass(frozen=True, slots=True)
class Steps:
    """How the copies learn. `decay` is AdamW's; the adversary has none.

    `only` names the beginnings of what the main step learns; nothing named is everything.
    """

    rate: float = 1e-3
    adversary_rate: float = 1e-3
    eps: float = 1e-7
    decay: float = 0.0
    only: tuple[str, ...] = ("",)


class Stack:
    """Copies of one `Armed`, with their parameters stacked along the first axis.

    Parameters
    ----------
    models : list[Armed]
        The copies, each with its own start.
    weights : LossWeights
        Floats, or tensors (copies,).
    """

    def __init__(self, models: list[Armed], weights: LossWeights) -> None:
        self.skeleton = models[0]
        self.copies = len(models)
        stacked, self.buffers = stack_module_state(models)
        self.parameters: dict[str, Tensor] = {
            name: value.detach().clone().requires_grad_() for name, value in stacked.items()
        }
        self.weights = (
            self._for_each(weights.mixed),
            self._for_each(weights.fixed),
            self._for_each(weights.adversary),
            self._for_each(weights.kl),
        )

    def _for_each(self, weight: float | Tensor) -> Tensor:
        return torch.as_tensor(weight, dtype=torch.float32).expand(self.copies)

    def outputs(
        self, inputs: Tensor, z: Tensor, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """`fixed`, `mixed`, `seen` and `kl` of each copy, for inputs (copies, n, d)."""

        def one(
            parameters: dict[str, Tensor], x: Tensor, z: Tensor, noise: Tensor | None
        ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            out: ArmedOutput = functional_call(self.skeleton, parameters, ((x,), z, noise))
            return out.fixed, out.mixed, out.seen, out.kl

        in_dims = (0, 0, 0, None if noise is None else 0)
        found: tuple[Tensor, Tensor, Tensor, Tensor] = vmap(
            one, in_dims=in_dims, randomness="different"
        )(self.parameters | self.buffers, inputs, z, noise)
        return found

    def guesses(self, seen: Tensor) -> Tensor:
        """What each copy's adversary makes of its activations, (copies, n, clusters)."""
        own = {
            name.removeprefix(ADVERSARY): value
            for name, value in self.parameters.items()
            if name.startswith(ADVERSARY)
        }

        def one(parameters: dict[str, Tensor], seen: Tensor) -> Tensor:
            logits: Tensor = functional_call(self.skeleton.adversary, parameters, (seen,))
            return logits

        found: Tensor = vmap(one)(own, seen)
        return found

    def parted(self, only: tuple[str, ...] = ("",)) -> tuple[list[Tensor], list[Tensor]]:
        """Parameters of the main step whose names begin so, and those of the adversary's."""
        named = self.parameters.items()
        against = [value for name, value in named if name.startswith(ADVERSARY)]
        main = [v for n, v in named if not n.startswith(ADVERSARY) and n.startswith(only)]
        return main, against

    @torch.no_grad()
    def copy(self, index: int, into: nn.Module) -> None:
        """Put the parameters of one copy into a model of its shape."""
        into.load_state_dict(
            {name: value[index] for name, value in (self.parameters | self.buffers).items()}
        )


class StackTrainer:
    """Steps all copies of a stack at once.

    Each step first moves the adversaries alone, on activations as they are, then everything else
    with the adversaries as they are.
    """

    def __init__(
        self, stack: Stack, steps: Steps, generator: torch.Generator | None = None
    ) -> None:
        self.stack, self.steps = stack, steps
        self._generator = generator
        main, against = stack.parted(steps.only)
        self._learn = torch.optim.AdamW(
            main, lr=steps.rate, eps=steps.eps, weight_decay=steps.decay
        )
        self._resist = torch.optim.Adam(against, lr=steps.adversary_rate, eps=steps.eps)

    def step(self, batch: StackBatch, share: float = 1.0) -> dict[str, Tensor]:
        """Learn from one batch at a `share` of the rate; figures of each copy, (copies,)."""
        stack = self.stack
        for group in self._learn.param_groups:
            group["lr"] = self.steps.rate * share
        clusters, units = stack.skeleton.options.clusters, stack.skeleton.units
        z = F.one_hot(batch.cluster, clusters).to(batch.inputs.dtype)
        noise = torch.randn(stack.copies, clusters, units, generator=self._generator)
        said = stack.outputs(batch.inputs, z, noise)
        guess = stack.guesses(said[2].detach())
        each = F.cross_entropy(guess.transpose(1, 2), batch.cluster, reduction="none").mean(1)
        self._resist.zero_grad()
        torch.autograd.backward(each.sum())
        self._resist.step()
        whole = _main(stack, batch, said)
        self._learn.zero_grad()
        torch.autograd.backward(whole.sum())
        self._learn.step()
        right = (guess.argmax(2) == batch.cluster).float().mean(1)
        return {"main": whole.detach(), "adversary": each.detach(), "adversary_accuracy": right}

    def state(self) -> dict[str, Any]:
        """What is needed to go on: parameters and both optimisers."""
        return {
            "parameters": {n: v.detach().clone() for n, v in self.stack.parameters.items()},
            "learn": self._learn.state_dict(),
            "resist": self._resist.state_dict(),
        }

    @torch.no_grad()
    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        for name, value in self.stack.parameters.items():
            value.copy_(state["parameters"][name])
        self._learn.load_state_dict(state["learn"])
        self._resist.load_state_dict(state["resist"])


def train_stack(
    stack: Stack,
    batches: Iterable[StackBatch],
    steps: Steps,
    *,
    generator: torch.Generator | None = None,
) -> Iterator[dict[str, Tensor]]:
    """Step all copies once for each batch; yields the figures of each copy."""
    trainer = StackTrainer(stack, steps, generator)
    for batch in batches:
        yield trainer.step(batch)


def _main(stack: Stack, batch: StackBatch, said: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    head = stack.skeleton.options.head

    def one(
        said: tuple[Tensor, Tensor, Tensor, Tensor],
        guess: Tensor,
        truth: Tensor,
        cluster: Tensor,
        weights: tuple[Tensor, Tensor, Tensor, Tensor],
    ) -> Tensor:
        return main_loss(head, ArmedOutput(*said), guess, truth, cluster, LossWeights(*weights))

    guess = stack.guesses(said[2])
    whole: Tensor = vmap(one)(said, guess, batch.truth, batch.cluster, stack.weights)
    return whole
