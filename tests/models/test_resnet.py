"""ResNet-34: the size and the names that shared weights have."""

import torch

from medview.models.resnet import ResNet34


def test_it_has_the_size_and_the_names_of_the_published_network():
    network = ResNet34()
    assert sum(p.numel() for p in network.parameters()) == 21_284_672
    names = network.state_dict()
    assert names["layer2.0.downsample.0.weight"].shape == (128, 64, 1, 1)
    assert names["layer4.2.bn2.running_var"].shape == (512,)
    assert "layer1.0.downsample.0.weight" not in names


def test_a_picture_becomes_512_numbers():
    with torch.no_grad():
        found = ResNet34().eval()(torch.rand(2, 3, 64, 64))
    assert found.shape == (2, 512)
    assert found.isfinite().all()
