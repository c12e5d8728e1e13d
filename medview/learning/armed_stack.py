"""Train many copies of a network with random effects at once: seeds, folds and variants.

All copies have one shape; their parameters lie stacked in one tensor each, so that a step of a
hundred small networks costs little more than that of one. Adam works value by value, so the
copies do not touch each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

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
    """How the copies learn. `decay` is AdamW's, of the network's weights alone."""

    rate: float = 1e-3
    adversary_rate: float = 1e-3
    eps: float = 1e-7
    decay: float = 0.0


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

    def parted(self) -> tuple[list[Tensor], list[Tensor]]:
        """Parameters of the main step, and of the adversary's."""
        main = [v for n, v in self.parameters.items() if not n.startswith(ADVERSARY)]
        return main, [v for n, v in self.parameters.items() if n.startswith(ADVERSARY)]

    @torch.no_grad()
    def copy(self, index: int, into: nn.Module) -> None:
        """Put the parameters of one copy into a model of its shape."""
        into.load_state_dict(
            {name: value[index] for name, value in (self.parameters | self.buffers).items()}
        )


def train_stack(
    stack: Stack,
    batches: Iterable[StackBatch],
    steps: Steps,
    *,
    rate_of: Callable[[int], float] | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[dict[str, Tensor]]:
    """Step all copies once for each batch; yields the losses of each, (copies,).

    Each batch first steps the adversary alone, on activations as they are, then everything else
    with the adversary as it is. `rate_of` gives the share of the rate at a step.
    """
    main, against = stack.parted()
    learn = torch.optim.AdamW(main, lr=steps.rate, eps=steps.eps, weight_decay=steps.decay)
    resist = torch.optim.Adam(against, lr=steps.adversary_rate, eps=steps.eps)
    clusters, units = stack.skeleton.options.clusters, stack.skeleton.units
    for number, batch in enumerate(batches):
        share = rate_of(number) if rate_of else 1.0
        for group in learn.param_groups:
            group["lr"] = steps.rate * share
        z = F.one_hot(batch.cluster, clusters).to(batch.inputs.dtype)
        noise = torch.randn(stack.copies, clusters, units, generator=generator)
        fixed, mixed, seen, kl = stack.outputs(batch.inputs, z, noise)
        guessed = _per_copy(stack.guesses(seen.detach()), batch.cluster)
        resist.zero_grad()
        torch.autograd.backward(guessed.sum())
        resist.step()
        whole = _main(stack, batch, (fixed, mixed, seen, kl))
        learn.zero_grad()
        torch.autograd.backward(whole.sum())
        learn.step()
        yield {"main": whole.detach(), "adversary": guessed.detach()}


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


def _per_copy(guess: Tensor, cluster: Tensor) -> Tensor:
    """Cross-entropy of each copy, (copies,)."""
    each = F.cross_entropy(guess.transpose(1, 2), cluster, reduction="none")
    return each.mean(1)
