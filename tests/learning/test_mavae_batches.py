"""What members learn from: rows in a new order, noisy, mixed, some with a modality less."""

import numpy as np
import pytest
import torch

from medview.learning.brain_age_recipe import TrainOptions
from medview.learning.mavae_batches import Batches, Member

QUIET = {"batch": 8, "noise": 0.0, "mix": 0.0, "drop_modality": 0.0}
N = 30


def batches(**changes):
    """Two members over 30 rows; of every third row one has nothing to say of `fmri`."""
    rng = np.random.default_rng(3)
    x = {
        "smri": rng.normal(0, 1, (N, 2)).astype(np.float32),
        "fmri": rng.normal(0, 1, (N, 3)).astype(np.float32),
    }
    age = np.arange(N, dtype=np.float32)
    held = np.arange(N) % 3
    members = tuple(
        Member(
            {role: values + k for role, values in x.items()},
            age,
            np.flatnonzero(held != k)[: N // (k + 1)],
            np.flatnonzero(held == k),
        )
        for k in range(2)
    )
    present = {"smri": np.ones(N, bool), "fmri": held > 0}
    sex = np.where(np.arange(N) % 4 == 0, np.nan, np.arange(N) % 2).astype(np.float32)
    options = TrainOptions(**{**QUIET, **changes})
    return Batches(members, ("smri", "fmri"), present, sex, options, np.random.default_rng(0))


def test_every_member_goes_through_its_own_rows_and_no_others():
    made = batches()
    one, two = (made.order(member) for member in made.members)
    assert made.steps == 3
    assert one.size == two.size == 24
    assert set(two) == set(made.members[1].train)
    # Twenty rows fill 24 places: none is missing, none comes a third time.
    assert np.bincount(one, minlength=N)[made.members[0].train].min() == 1
    assert np.bincount(one, minlength=N).max() == 2


def test_without_changes_rows_are_as_each_member_knows_them():
    made = batches()
    chosen = np.array([[0, 1, 5], [4, 3, 2]])
    drawn = made.drawn(chosen)
    for number, rows in enumerate(chosen):
        alone = made.of_member(number, rows)
        for role in made.roles:
            assert torch.equal(drawn.inputs[role][number], alone.inputs[role])
            assert torch.equal(drawn.present[role][number], alone.present[role])
        assert drawn.age[number].tolist() == rows.tolist()
    # What is absent is zero, whatever the table holds there.
    assert not drawn.inputs["fmri"][0, 0].any()
    assert drawn.inputs["fmri"][0, 1].any()


def test_modality_dropout_leaves_each_row_something():
    made = batches(drop_modality=1.0)
    here = np.ones((1, 4000), bool)
    lost = made._dropped({"smri": here, "fmri": here})
    assert (lost["smri"] | lost["fmri"]).all()
    assert lost["smri"].mean() == pytest.approx(0.5, abs=0.05)
    only = made._dropped({"smri": here, "fmri": ~here})
    assert only["smri"].all()


def test_rows_are_mixed_with_the_next_that_has_the_same_modalities():
    made = batches(mix=1.0)
    chosen = np.array([[1, 2, 4, 3]] * 2)  # the last has no fmri
    plain = batches().drawn(chosen)
    mixed = made.drawn(chosen)
    before = plain.age.roll(1, 1)
    share = (mixed.age - before) / (plain.age - before)
    assert ((share[:, 1:3] > 0) & (share[:, 1:3] < 1)).all()
    for role in made.roles:
        part = share[:, 1:3, None]
        wanted = part * plain.inputs[role][:, 1:3] + (1 - part) * plain.inputs[role][:, 0:2]
        assert torch.allclose(mixed.inputs[role][:, 1:3], wanted, atol=1e-5)
    # The last one and the first, which comes after it, stay as they are.
    for place in (0, 3):
        assert torch.equal(mixed.age[:, place], plain.age[:, place])
        assert torch.equal(mixed.inputs["smri"][:, place], plain.inputs["smri"][:, place])


def test_an_unknown_sex_spoils_mixed_rows_only():
    made = batches(mix=1.0)
    drawn = made.drawn(np.array([[8, 1, 2, 5]] * 2))  # nobody knows the sex of row 8
    assert drawn.sex.isnan().tolist() == [[True, True, False, False]] * 2


def test_noise_has_the_spread_that_is_asked_for_and_none_where_nothing_is():
    chosen = np.tile(np.arange(N), (2, 60))
    change = {
        role: values - batches().drawn(chosen).inputs[role]
        for role, values in batches(noise=0.7).drawn(chosen).inputs.items()
    }
    assert float(change["smri"].std()) == pytest.approx(0.7, abs=0.03)
    absent = ~batches().present["fmri"][chosen]
    assert not change["fmri"][torch.from_numpy(absent)].any()
