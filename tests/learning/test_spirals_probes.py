"""Confounded spirals: what the data hold, who is held out, and how a leaning on probes shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medview.domain.progress import Silent
from medview.learning import spirals_probes
from medview.learning.spirals import tensors_of, trained_stack
from medview.learning.spirals_data import make_confounded
from medview.learning.spirals_probes import RIVALS, balanced, bench, run_probes


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medview.learning.spirals_data.IN_A_CLASS", 20)


def test_probes_hold_the_share_of_the_cluster_and_nothing_of_the_row() -> None:
    data = make_confounded()
    assert data.x.shape == (400, 4)
    assert np.bincount(data.c).tolist() == [40] * 10
    shares = np.array([1 - data.y[data.c == k].mean() for k in range(10)])
    assert shares.min() == pytest.approx(0.1)
    assert 0.7 < shares.max() <= 0.9 + 1e-9
    means = np.array([data.x[data.c == k, 2:].mean() for k in range(10)])
    assert np.abs(means - shares).max() < 0.15
    within = data.x[:, 2:] - shares[data.c][:, None]
    assert within.std() == pytest.approx(0.2, abs=0.03)
    assert np.abs(np.corrcoef(within.T, data.y - data.y.mean())[2, :2]).max() < 0.3


def test_a_cluster_left_out_is_in_no_other_part_of_its_fold() -> None:
    data = make_confounded()
    train, seen, left_out = spirals_probes._parts(data)
    assert (train.shape, seen.shape, left_out.shape) == ((10, 324), (10, 36), (10, 40))
    for k in range(10):
        parts = [set(part[k].tolist()) for part in (train, seen, left_out)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 400
        assert set(data.c[left_out[k]].tolist()) == {k}
        assert set(data.c[seen[k]].tolist()) == set(range(10)) - {k}


def test_balanced_accuracy_by_hand() -> None:
    truth = torch.tensor([[1.0, 0, 0, 0, 0]])
    assert balanced(torch.tensor([[1.0, -1, -1, -1, 1]]), truth).item() == pytest.approx(7 / 8)
    assert balanced(-torch.ones(1, 5), truth).item() == pytest.approx(0.5)


@pytest.mark.parametrize("leaning", [True, False])
def test_a_network_that_reads_only_probes_is_told_from_one_that_reads_none(leaning: bool) -> None:
    data = make_confounded()
    train, seen, left_out = spirals_probes._parts(data)
    given = tensors_of(data)
    stack = trained_stack(given, train, RIVALS[:1], ((0,), 0), lambda *_: None)
    first = next(
        value for name, value in stack.parameters.items() if name.endswith("base.0.weight")
    )
    with torch.no_grad():
        first[..., slice(0, 2) if leaning else slice(2, 4)] = 0
    (found,) = spirals_probes._scored(stack, RIVALS[:1], given, (seen, left_out))
    assert found.share == pytest.approx(float(leaning))
    assert found.ranked == pytest.approx(float(not leaning))


def test_rows_hold_four_figures_of_each_rival_and_what_was_published() -> None:
    before = torch.get_num_threads()
    try:
        body = bench(Silent(), (0, 1), 1)
    finally:
        torch.set_num_threads(before)
    assert len(body["rows"]) == 4 * len(RIVALS)
    assert {len(row["values"]) for row in body["rows"]} == {2}
    assert {row["published"] for row in body["rows"]} == {
        *(None, 0.807, 0.416, 0.812, 0.350, 0.821, 0.431)
    }
    assert all(0 <= value <= 1 for row in body["rows"] for value in row["values"])


def test_the_same_seed_gives_the_same_figures() -> None:
    first, again = (run_probes(lambda *_: None, (3,), 1, RIVALS[:1])[0] for _ in range(2))
    assert np.array_equal(first.seen, again.seen)
    assert np.array_equal(first.share, again.share)
