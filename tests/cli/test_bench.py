import json
import sys
from importlib import import_module

import pytest

import medview.cli.bench
from medview.cli import main
from medview.cli.benches import BENCHES
from medview.cli.benches.rows import Row


def good(context, quick):
    """A bench that reaches its aim."""
    return [Row("slices", 15.0 if quick else 20.0, "s", "plain loop", 30.0, aim=0.67)]


def poor(context, quick):
    """A bench that misses one of two aims."""
    return [Row("first image", 0.7, "s", aim=0.5), Row("headers", 1.0, "s", "other", None)]


@pytest.fixture(autouse=True)
def _benches(monkeypatch):
    monkeypatch.setitem(sys.modules, "here", sys.modules[__name__])
    name = next(p for p in medview.cli.bench.bench.params if p.name == "name")
    monkeypatch.setattr(name, "type", type(name.type)(["good", "poor"]))
    monkeypatch.setitem(BENCHES, "good", "here:good")
    monkeypatch.setitem(BENCHES, "poor", "here:poor")


def test_the_answer_holds_name_machine_and_rows(capfd):
    assert main(["bench", "good", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["schema"] == "medview.bench/1"
    assert found["name"] == "good"
    assert {"cpu", "cores", "memory_gb", "gpu"} <= set(found["machine"])
    [row] = found["rows"]
    assert (row["value"], row["peer_value"], row["aim"], row["met"]) == (20.0, 30.0, 0.67, True)
    assert row["ratio"] == pytest.approx(2 / 3)


def test_quick_asks_for_less(capfd):
    assert main(["bench", "good", "--quick", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["rows"][0]["value"] == 15.0


def test_a_missed_aim_is_exit_code_one_only_with_check(capfd):
    assert main(["bench", "poor", "--json"]) == 0
    assert main(["bench", "poor", "--check", "--json"]) == 1
    assert main(["bench", "good", "--check", "--json"]) == 0


def test_in_words_each_row_is_a_line_with_its_verdict(capfd):
    assert main(["bench", "poor", "--check"]) == 1
    head, first, second = capfd.readouterr().out.splitlines()
    assert "cores" in head
    assert first == "MISSED  first image: 0.7 s; aim at most 0.5"
    assert second == "        headers: 1 s; other: cannot"


def test_an_unknown_bench_is_wrong_use(capfd):
    assert main(["bench", "nothing"]) == 2


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_can_be_found(name):
    module, _, function = BENCHES[name].partition(":")
    assert callable(getattr(import_module(module), function))
