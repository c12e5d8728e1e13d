"""The eighteen shared backbones of MDMT by name: six built in, the others where libraries are.

The others need torchvision and timm of the matching torch (optional extra ``backbones``). Neither
is a dependency: the torchvision of package indexes does not load beside a torch for CPUs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module

import torch
from torch import Tensor, nn

from medview.domain.errors import UsageError
from medview.models import small_nets

DEFAULT = "efficientnet_lite0"
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_LITE = ((0.498, 0.498, 0.498), (0.502, 0.502, 0.502))
TORCHVISION = (
    "densenet121", "densenet161", "densenet169", "densenet201", "googlenet", "resnet50",
    "resnet101", "wide_resnet50_2",
)  # fmt: skip
TIMM = ("efficientnet_b0", "efficientnet_b1_pruned", "efficientnet_es", "efficientnet_es_pruned")
_BUILT_IN: dict[str, tuple[Callable[[], nn.Sequential], int]] = {
    DEFAULT: (small_nets.efficientnet_lite0, 1280),
    "mobilenet_v2": (small_nets.mobilenet_v2, 1280),
    "resnet18": (partial(small_nets.resnet, (2, 2, 2, 2)), 512),
    "resnet34": (partial(small_nets.resnet, (3, 4, 6, 3)), 512),
    "shufflenet_v2_x0_5": (partial(small_nets.shufflenet_v2, 48), 1024),
    "shufflenet_v2_x1_0": (partial(small_nets.shufflenet_v2, 116), 1024),
}
BUILT_IN = tuple(_BUILT_IN)
NAMES = tuple(sorted((*BUILT_IN, *TORCHVISION, *TIMM)))


@dataclass(frozen=True, slots=True, eq=False)
class Backbone:
    """An encoder: ``stages`` in a row give a map (B, `features`, h, w).

    `mean` and `sd` are those of its ImageNet pictures in 0..1.
    """

    name: str
    stages: nn.Sequential
    features: int
    mean: tuple[float, float, float]
    sd: tuple[float, float, float]

    def normalised(self, grey: Tensor) -> Tensor:
        """Grey pictures (B, H, W) in 0..1 as (B, 3, H, W), as the encoder was trained."""
        mean, sd = (
            torch.tensor(v, device=grey.device)[:, None, None] for v in (self.mean, self.sd)
        )
        return (grey[:, None] - mean) / sd


def make_backbone(name: str) -> Backbone:
    """An encoder by its name, with random weights.

    Raises
    ------
    UsageError
        No such backbone, or its library is not there.
    """
    if name in _BUILT_IN:
        make, features = _BUILT_IN[name]
        return Backbone(name, make(), features, *(_LITE if name == DEFAULT else _IMAGENET))
    if name not in NAMES:
        raise UsageError(f"there is no backbone called {name}", do=f"Known: {', '.join(NAMES)}.")
    stages = _from_library(name)
    with torch.no_grad():
        features = stages.eval()(torch.zeros(1, 3, 64, 64)).shape[1]
    mean, sd = _IMAGENET
    return Backbone(name, stages.train(), features, mean, sd)


def _from_library(name: str) -> nn.Sequential:
    library = "torchvision.models" if name in TORCHVISION else "timm"
    try:
        module = import_module(library)
    except (ImportError, RuntimeError) as error:
        raise UsageError(
            f"the backbone {name} needs {library.partition('.')[0]}, which cannot be loaded here",
            do=f'Install the extra "backbones", or choose one of: {", ".join(BUILT_IN)}.',
        ) from error
    if library == "timm":
        whole = module.create_model(name, pretrained=False, num_classes=0, global_pool="")
        return nn.Sequential(whole)
    return _without_classifier(name, getattr(module, name)(weights=None))


def _without_classifier(name: str, whole: nn.Module) -> nn.Sequential:
    """The stages of a torchvision network that give its last map."""
    if name.startswith("densenet"):
        return nn.Sequential(*whole.get_submodule("features").children(), nn.ReLU())
    dropped = {"avgpool", "fc", "dropout", "aux1", "aux2"}
    return nn.Sequential(*(part for key, part in whole.named_children() if key not in dropped))
