"""A rising learning rate, and the one that is suggested."""

import csv
import json
import math

import pytest
import torch
from age_sets import IXI_HEADER, ixi_rows, write_ixi_table
from every_trainer import KINDS

from medview.domain.errors import Cancelled, MedviewError, UsageError
from medview.domain.progress import Silent
from medview.domain.training import FINDERS, FinetuneRequest, TrainRequest
from medview.learning import anomaly_training, rate_finder
from medview.learning.checkpoint import refuse_not_finite
from medview.learning.rate_finder import HIGHEST, LOWEST, find_rate, suggestion, sweep

_SHORTER = {"anomaly": ("epochs=1",), "cxr": ("epochs=2",), "cxr-armed": ("epochs=2",)}
"""What makes slow trainings of weights to start from shorter."""


def bowl(start=10.0):
    """Gradient descent in a parabola: too small a rate does nothing, one above 1 breaks."""
    x = [start]

    def step(rate):
        loss = x[0] ** 2
        refuse_not_finite(torch.tensor(loss), 1)
        x[0] -= 50 * rate * x[0]
        return loss

    return step


def test_the_suggestion_is_a_tenth_of_where_the_loss_is_lowest():
    points = sweep(Silent(), bowl())
    rates = [point.rate for point in points]
    assert rates == sorted(rates)
    assert rates[0] == LOWEST
    assert rates[-1] < HIGHEST  # it broke, and the rest was not tried
    found, why = suggestion(points)
    best = min(points[5:], key=lambda point: point.smoothed).rate
    assert found == pytest.approx(best / 10)
    assert 1e-3 < found < 2 / 50
    assert "lower at" in why


def test_where_no_rate_makes_it_fall_none_is_suggested():
    found, why = suggestion(sweep(Silent(), lambda rate: 1.0))
    assert found is None
    assert "keep the rate of the recipe" in why


def test_a_loss_that_is_no_number_ends_the_sweep_and_other_troubles_are_told():
    points = sweep(Silent(), lambda rate: 1.0 if rate < 1e-4 else math.nan)
    assert 0 < len(points) < 30
    assert suggestion(sweep(Silent(), lambda rate: math.inf))[0] is None

    def broken(rate):
        raise MedviewError("the disk is gone", do="")

    with pytest.raises(MedviewError, match="disk is gone"):
        sweep(Silent(), broken)


def test_it_can_be_cancelled():
    class Stopped(Silent):
        def check(self):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        sweep(Stopped(), bowl())


def test_a_model_or_method_without_a_rate_is_refused():
    for model, method in (("region-net", "full"), ("anomaly", "calibrate")):
        train = TrainRequest(("x",), "y", {}, init="z", method=method)
        with pytest.raises(UsageError, match="cannot be searched"):
            find_rate(Silent(), FinetuneRequest(model, train))


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.slow if kind.model in _SHORTER else (), id=kind.model)
        for kind in KINDS
        if kind.model in FINDERS
    ],
)
def test_every_model_steps_at_the_wanted_rate_and_keeps_nothing(
    kind, tmp_path, monkeypatch, narrow
):
    monkeypatch.setattr(anomaly_training, "measured_elsewhere", lambda *given: ())
    monkeypatch.setattr(rate_finder, "held_out", lambda request: ())
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()
    kind.write(tmp_path / "data")
    kind.train(tmp_path / "data", tmp_path / "base", *_SHORTER.get(kind.model, ()))
    weights = tmp_path / "base" / "weights.safetensors"
    train = kind.request(tmp_path / "data", tmp_path / "out", init=str(weights), method=kind.part)
    body = find_rate(Silent(), FinetuneRequest(kind.model, train), steps=12)
    assert len(body["points"]) >= 2
    losses = [loss for _, loss, _ in body["points"]]
    assert all(map(math.isfinite, losses))
    assert len(set(losses)) > 1
    assert not (tmp_path / "out").exists()


def test_the_command_writes_the_curve_and_trains_nothing(tmp_path, monkeypatch, capfd):
    from medview.cli import main

    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    kind = next(each for each in KINDS if each.model == "brain-age-armed")
    for name, seed, count in (("data", 0, 24), ("new", 1, 40)):
        (tmp_path / name).mkdir()
        rows = [[f"{name}{row[0]}", f"{name}{row[1]}", *row[2:]] for row in ixi_rows(count, seed)]
        write_ixi_table(tmp_path / name, rows, IXI_HEADER)
    kind.train(tmp_path / "data", tmp_path / "base")
    words = (
        *("finetune", "brain-age-armed", "--data", str(tmp_path / "new"), "--threads", "1"),
        *("--out", str(tmp_path / "out"), "--find-lr", "--quiet", "--json"),
        *("--weights", str(tmp_path / "base" / "weights.safetensors")),
    )
    assert main(words) == 0
    body = json.loads(capfd.readouterr().out)
    assert (body["schema"], body["setting"], body["recipe"]) == ("medview.rates/1", "rate", 2e-3)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rates.csv"]
    with (tmp_path / "out" / "rates.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(body["points"])
