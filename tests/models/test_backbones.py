import importlib
import warnings

import pytest
import torch

from medview.domain.errors import UsageError
from medview.models import backbones
from medview.models.backbones import BUILT_IN, NAMES, TIMM, TORCHVISION, make_backbone

COUNTS = {
    "efficientnet_lite0": 3_371_008,
    "mobilenet_v2": 2_223_872,
    "resnet18": 11_176_512,
    "resnet34": 21_284_672,
    "shufflenet_v2_x0_5": 341_792,
    "shufflenet_v2_x1_0": 1_253_604,
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_backbones_have_the_published_sizes_and_learn(name):
    backbone = make_backbone(name)
    assert sum(p.numel() for p in backbone.stages.parameters()) == COUNTS[name]
    maps = backbone.stages(backbone.normalised(torch.rand(2, 64, 64)))
    assert maps.shape == (2, backbone.features, 2, 2)
    maps.square().mean().backward()
    assert all(p.grad is not None for p in backbone.stages.parameters())


def test_there_are_eighteen_names():
    assert len(NAMES) == 18


def test_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match="no backbone called vgg"):
        make_backbone("vgg")


@pytest.mark.parametrize("name", ["densenet121", "efficientnet_b0"])
def test_a_backbone_whose_library_does_not_load_is_refused_by_name(name, monkeypatch):
    def fails(library):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(backbones, "import_module", fails)
    with pytest.raises(UsageError, match=f"{name} needs"):
        make_backbone(name)


def test_stages_are_taken_from_a_library_without_its_classifier(monkeypatch):
    class Whole(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = torch.nn.Conv2d(3, 8, 3, 32, 1)
            self.avgpool, self.fc = torch.nn.AdaptiveAvgPool2d(1), torch.nn.Linear(8, 10)

    class Library:
        resnet50 = staticmethod(lambda weights: Whole())

    monkeypatch.setattr(backbones, "import_module", lambda name: Library)
    assert make_backbone("resnet50").features == 8


LIBRARY = {
    "densenet121": (1024, 6_953_856), "densenet161": (2208, 26_472_000),
    "densenet169": (1664, 12_484_480), "densenet201": (1920, 18_092_928),
    "googlenet": (1024, 5_599_904), "resnet50": (2048, 23_508_032),
    "resnet101": (2048, 42_500_160), "wide_resnet50_2": (2048, 66_834_240),
    "efficientnet_b0": (1280, 4_007_548), "efficientnet_b1_pruned": (1280, 5_050_916),
    "efficientnet_es": (1280, 4_157_392), "efficientnet_es_pruned": (1280, 4_157_392),
}  # fmt: skip
"""Features and parameters without the classifier."""


@pytest.fixture(scope="module")
def libraries():
    """torchvision and timm, also where torchvision was built for another torch.

    Its compiled operators are then declared here; none of the networks calls them.
    """
    for name in ("torchvision", "timm"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed (extra backbones)")
    kept = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        try:
            torch._C._dispatch_find_schema_or_throw(f"torchvision::{operator}", "")
        except RuntimeError:
            kept.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("timm")
        importlib.import_module("torchvision")
    return kept


def test_the_twelve_further_names_are_those_of_the_libraries():
    assert set(LIBRARY) == {*TORCHVISION, *TIMM} == set(NAMES) - set(BUILT_IN)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_further_backbones_are_built_and_learn(libraries, name):
    backbone = make_backbone(name)
    features, count = LIBRARY[name]
    assert backbone.features == features
    assert sum(p.numel() for p in backbone.stages.parameters()) == count
    maps = backbone.stages(backbone.normalised(torch.rand(2, 64, 64)))
    assert maps.shape[:2] == (2, features)
    assert maps.isfinite().all()
    maps.square().mean().backward()
    assert all(p.grad is not None for p in backbone.stages.parameters())
