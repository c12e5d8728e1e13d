"""Which part of a network learns when a version goes on training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn
from torch.nn.utils import parametrize

from medview.domain.errors import UsageError
from medview.domain.training import Method
from medview.learning.adapters import add_adapters

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_NO_ADAPTERS = ": its networks are too small to gain by adapters"


def refuse_other(model: str, method: Method, offered: Sequence[Method]) -> None:
    """Refuse a method that a model does not offer, by its name and with the reason.

    Raises
    ------
    UsageError
        If it is not among the `offered`.
    """
    if method not in offered:
        why = _NO_ADAPTERS if method == "adapter" else ""
        raise UsageError(
            f"{model} cannot be fine-tuned by {method}{why}",
            do=f"Choose the method {' or '.join(offered)}.",
        )


def restrict(model: nn.Module, method: Method, head: Iterable[str], *, seed: int = 0) -> None:
    """Let only the parts learn whose parameters' names begin with one of `head`, or adapters.

    Adapters are new parameters: call it before the optimiser is made.

    Raises
    ------
    UsageError
        If the model has no such part.
    """
    if method == "full":
        return
    if method == "adapter":
        if not add_adapters(model, seed=seed):
            raise UsageError(
                "no layer of this model is wide enough for adapters", do="Choose the method full."
            )
        return
    begins = tuple(head)
    named = dict(model.named_parameters())
    if method != "head" or not any(name.startswith(begins) for name in named):
        raise UsageError(
            f"this model cannot be fine-tuned by {method}",
            do="Choose the method full, head or adapter.",
        )
    for name, parameter in named.items():
        parameter.requires_grad_(name.startswith(begins))


def set_training(model: nn.Module) -> None:
    """Let a network learn; batch norms that do not keep their running means and variances.

    Beside adapters they go on counting: that is what adapts them to other images.
    """
    model.train()
    if any(parametrize.is_parametrized(part) for part in model.modules()):
        return
    for part in model.modules():
        if isinstance(part, _NORMS) and not any(p.requires_grad for p in part.parameters()):
            part.eval()
