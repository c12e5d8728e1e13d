"""A step of one network, by hand; and going on as if nothing had happened."""

import numpy as np
import pytest
import torch

from medview.domain.errors import MedviewError
from medview.learning.checkpoint import read_checkpoint, write_checkpoint
from medview.learning.learner import KEPT, Learner


def learner(clip=None, optimiser=torch.optim.SGD):
    """One weight of 2 and the rate 0.1, which is halved by each step."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 2.0)
    steps = optimiser(model.parameters(), 0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(steps, 0.5)
    return Learner(model, steps, schedule, np.random.default_rng(0), clip)


def weight(made):
    return made.model.weight.item()


def step(made):
    """Down the square of the weight times what the dice say."""
    factor = float(made.rng.integers(1, 4))
    made.learn((made.model(torch.ones(1, 1)) ** 2).sum() * factor, 1)


@pytest.mark.parametrize(("clip", "first", "second"), [(None, 1.2, 1.14), (1.0, 1.9, 1.85)])
def test_a_step_is_the_rate_times_the_gradient_and_the_rate_falls_after_it(clip, first, second):
    made = learner(clip)
    made.learn(2 * made.model(torch.ones(1, 1)).sum() ** 2, 1)
    # The gradient is 4 w = 8.
    assert weight(made) == pytest.approx(first)
    made.learn(made.model(torch.ones(1, 1)).sum() ** 2 * 0.5, 1)
    # And now w, at half the rate; of what the step before has left in it there is nothing.
    assert weight(made) == pytest.approx(second)


def test_a_loss_that_is_no_number_moves_nothing():
    made = learner()
    with pytest.raises(MedviewError, match="not finite in epoch 7"):
        made.learn(made.model(torch.ones(1, 1)).sum() * float("nan"), 7)
    assert weight(made) == 2


def test_what_is_kept_goes_on_as_if_nothing_had_happened(tmp_path):
    whole, broken = learner(optimiser=torch.optim.Adam), learner(optimiser=torch.optim.Adam)
    for _ in range(3):
        step(whole)
        step(broken)
    write_checkpoint(tmp_path, broken.state() | {"recipe": "a"})
    again = learner(optimiser=torch.optim.Adam)
    again.load(read_checkpoint(tmp_path, names=KEPT, run="a"))
    for _ in range(3):
        step(whole)
        step(again)
        assert weight(again) == weight(whole)
