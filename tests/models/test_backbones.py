import pytest
import torch

from medview.domain.errors import UsageError
from medview.models import backbones
from medview.models.backbones import BUILT_IN, NAMES, make_backbone

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
