"""Which part of a network learns when a version goes on training."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from medview.domain.errors import UsageError
from medview.domain.training import Method


def restrict(model: nn.Module, method: Method, head: Iterable[str]) -> None:
    """Let only the parts learn whose parameters' names begin with one of `head`.

    Raises
    ------
    UsageError
        If the model has no such part.
    """
    if method == "full":
        return
    begins = tuple(head)
    named = dict(model.named_parameters())
    if method != "head" or not any(name.startswith(begins) for name in named):
        raise UsageError(
            f"this model cannot be fine-tuned by {method}", do="Use --method full or head."
        )
    for name, parameter in named.items():
        parameter.requires_grad_(name.startswith(begins))
