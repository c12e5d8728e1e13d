"""Maps of evidence: what they sum to, what they find, and that they hang on the head."""

import numpy as np
import pytest
import torch
from chest_phantom import picture
from PIL import Image
from torch import nn

from medview.domain.progress import Silent
from medview.learning.cxr_evidence import (
    GRADIENTS,
    OCCLUSION,
    TITLES,
    encoder_of,
    evidence_maps,
    gradient_map,
    kinds_to_show,
    likeness_under_shuffled_heads,
    occlusion_map,
    outcome_logit,
    remembering,
    with_shuffled_head,
)
from medview.learning.film import prepare_film
from medview.learning.images import read_image
from medview.models.backbones import Backbone
from medview.models.mdmt import Mdmt, MdmtOptions

SIZE = 64
NOBODY = torch.zeros(1, 6, 2, 2)


def network(*, single=False):
    """A quick encoder of 24 features, 2 x 2 cells, with a head of the outcome."""
    torch.manual_seed(0)
    tail = nn.Sequential(nn.Conv2d(3, 24, 5, 4, 2), nn.ReLU(), nn.AvgPool2d(8))
    options = MdmtOptions(24, severity="none", single=single, adapter=0)
    backbone = Backbone("quick", tail, 24, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    return Mdmt(options, tail).eval(), backbone


def square(seed=0):
    return torch.rand(1, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("single", [True, False])
def test_gradients_sum_to_the_logit_less_that_of_the_mean_film(single):
    model, backbone = network(single=single)
    model.get_buffer("mean").fill_(0.2)
    maps = encoder_of(model, backbone)(square())
    found = gradient_map(model, maps, NOBODY)
    start = torch.full_like(maps, 0.2)
    apart = outcome_logit(model, maps, NOBODY) - outcome_logit(model, start, NOBODY)
    assert found.shape == (2, 2)
    assert found.sum() == pytest.approx(apart.item(), abs=2e-3)


def test_occlusion_is_highest_where_the_picture_speaks():
    """A network that sees brightness: painting the only bright window lets the logit fall."""
    model, _ = network(single=True)
    head = model.heads["prognosis"][1]
    with torch.no_grad():
        head.weight[0], head.weight[1] = -1.0, 1.0
    bright = torch.full((1, SIZE, SIZE), 0.1)
    bright[:, 40:56, 8:24] = 1.0

    def encode(grey):
        return grey[:, None].expand(-1, 24, -1, -1)

    found = occlusion_map(Silent(), model, encode, bright, torch.zeros(1, 6, SIZE, SIZE))
    assert found.shape == (8, 8)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert (row, column) in [(5, 1), (5, 2), (6, 1), (6, 2)]
    assert found[:3, 5:].max() <= 0 < found.max()


def test_occlusion_can_be_stopped():
    class Stopped(Silent):
        def check(self):
            raise KeyboardInterrupt

    model, backbone = network()
    with pytest.raises(KeyboardInterrupt):
        occlusion_map(Stopped(), model, encoder_of(model, backbone), square(), NOBODY)


def test_an_encoder_is_asked_once_for_the_same_pictures():
    asked = []

    def encode(grey):
        asked.append(len(grey))
        return grey[:, None]

    ask = remembering(encode)
    first, second = ask(square()), ask(square())
    assert ask(square(1)) is not first
    assert first is second
    assert asked == [1, 1]


def test_a_shuffled_head_has_the_same_weights_in_another_order():
    model, _ = network()
    other = with_shuffled_head(model, 3)
    for mine, its in zip(
        model.heads["prognosis"].parameters(), other.heads["prognosis"].parameters(), strict=True
    ):
        assert torch.equal(mine.flatten().sort().values, its.flatten().sort().values)
    weight = "heads.prognosis.0.weight"
    assert not torch.equal(model.state_dict()[weight], other.state_dict()[weight])


def test_likeness_is_1_where_the_head_says_nothing_of_the_map(tmp_path):
    """All weights of the head alike: in another order it is the same head."""
    Image.fromarray(picture(scores=(2, 0, 1, 0, 3, 0))).save(tmp_path / "film.png")
    film = prepare_film(read_image(tmp_path / "film.png"))
    model, backbone = network()
    found = likeness_under_shuffled_heads(Silent(), model, backbone, [film], SIZE, shuffles=3)
    assert set(found) == set(TITLES)
    assert all(-1 <= value < 0.999 for values in found.values() for value in values)
    with torch.no_grad():
        for value in model.heads["prognosis"].parameters():
            value.fill_(0.1)
    same = likeness_under_shuffled_heads(Silent(), model, backbone, [film], SIZE, shuffles=1)
    assert same == {kind: [1.0] for kind in TITLES}


@pytest.mark.parametrize(
    ("measured", "shown"),
    [
        (None, (GRADIENTS, OCCLUSION)),
        ({GRADIENTS: 0.1, OCCLUSION: -0.2}, (GRADIENTS, OCCLUSION)),
        ({GRADIENTS: 0.1, OCCLUSION: 0.6}, (GRADIENTS,)),
        ({GRADIENTS: -0.5, OCCLUSION: 0.3}, ()),
    ],
)
def test_a_kind_that_fails_is_not_shown(measured, shown):
    assert kinds_to_show({} if measured is None else {"map_likeness": measured}) == shown


def test_only_wanted_kinds_are_made():
    model, backbone = network()
    encode = encoder_of(model, backbone)
    found = evidence_maps(Silent(), model, encode, square(), NOBODY, (OCCLUSION,))
    assert list(found) == [OCCLUSION]
