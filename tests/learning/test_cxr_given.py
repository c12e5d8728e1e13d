"""Films as a training is given them: copies, mirrored labels, and answers as scores."""

import numpy as np
import pytest
import torch
from torch import nn

from medview.learning.cxr_given import Given, scores_of
from medview.learning.cxr_recipe import ALL
from medview.learning.film_set import FilmSet
from medview.learning.subset import TrainCase
from medview.models.backbones import Backbone

N, COPIES, FEATURES = 3, 2, 4


@pytest.fixture
def given():
    """Three films in two copies; the second copy of the last is mirrored."""
    cases = tuple(TrainCase(f"c{n}", f"p{n}", {}, "film") for n in range(N))
    shares = np.arange(N * COPIES * 6 * 4).reshape(N, COPIES, 6, 2, 2).astype(np.float16)
    mirrored = np.zeros((N, COPIES), bool)
    mirrored[2, 1] = True
    squares = np.zeros((N, COPIES, 8, 8), np.uint8)
    films = FilmSet(cases, squares, shares, mirrored, np.ones(N, bool))
    zones = torch.tensor([[0.0, 1, 2, 3, 0, 1]] * N)
    labels = {"prognosis": torch.tensor([0.0, 1.0, float("nan")]), "zones": zones}
    turned = {"prognosis": labels["prognosis"], "zones": zones[:, [3, 4, 5, 0, 1, 2]]}
    backbone = Backbone("made-up", nn.Sequential(), FEATURES, (0.5,) * 3, (0.2,) * 3)
    pooled = torch.arange(N * COPIES * 7 * FEATURES).reshape(N, COPIES, 7, FEATURES).double()
    return Given(films, backbone, ALL, labels, turned, pooled=pooled)


def test_a_batch_is_the_wanted_copy_of_each_film(given):
    chosen, copies = np.array([2, 0, 2]), np.array([1, 0, 0])
    inputs, shares = given.batch(chosen, copies)
    assert inputs.dtype == shares.dtype == torch.float32
    for row, (film, one) in enumerate(zip(chosen, copies, strict=True)):
        assert torch.equal(inputs[row], given.pooled[film, one].float())
        assert np.array_equal(shares[row].numpy(), given.films.shares[film, one])
    assert given.n == N


def test_labels_of_a_mirrored_copy_are_those_of_the_other_side(given):
    told = given.targets(np.array([2, 2]), np.array([0, 1]))
    assert told["zones"].tolist() == [[0, 1, 2, 3, 0, 1], [3, 0, 1, 0, 1, 2]]
    assert told["prognosis"].isnan().all()
    assert given.targets(np.array([1, 0]), np.array([1, 1]))["prognosis"].tolist() == [1, 0]


def test_answers_of_the_heads_become_scores():
    zones = torch.tensor([[3.4, 0.0, 0.0, 0.0, 0.0, -2.0], [3.0, 3.0, 3.0, 3.0, 2.4, 0.2]])
    found = scores_of({"prognosis": torch.tensor([[0.0, 0.0], [0.0, np.log(3.0)]]), "zones": zones})
    assert found["severe"] == pytest.approx([0.5, 0.75])
    assert found["zones"][0].tolist() == [3, 0, 0, 0, 0, 0]
    # Totals of 3 and 14.6: classes begin between 4 and 5, 9 and 10, 14 and 15.
    assert found["severity"].tolist() == [0, 3]
    assert "lungs" not in found


def test_the_likeliest_class_is_told_where_a_head_has_classes():
    severity = torch.tensor([[0.0, 2.0, 1.0, 0.0]])
    lungs = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]]])
    found = scores_of({"severity": severity, "lungs": lungs})
    assert found["severity"].tolist() == [1]
    assert found["lungs"].tolist() == [[0, 3]]
