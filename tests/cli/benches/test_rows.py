import pytest

from medview.cli.benches.rows import Row, best_of, machine, seconds


def test_with_a_peer_the_aim_is_for_the_ratio():
    row = Row("155 slices", 15.0, "s", peer="plain loop", peer_value=30.0, aim=0.67)
    assert row.ratio == 0.5
    assert row.met is True
    assert Row("155 slices", 24.0, "s", peer="plain loop", peer_value=30.0, aim=0.67).met is False


def test_without_a_peer_the_aim_is_for_the_value():
    assert Row("first slice", 0.4, "s", aim=0.5).met is True
    assert Row("first slice", 0.6, "s", aim=0.5).met is False
    assert Row("broken", 0, "files", aim=0).met is True


def test_a_rate_has_to_be_at_least_its_aim():
    assert Row("headers", 1500, "files/s", aim=1000, at_least=True).met is True
    assert Row("headers", 900, "files/s", aim=1000, at_least=True).met is False


def test_without_an_aim_nothing_is_asked():
    assert Row("whole run", 100, "s").met is None


def test_beside_a_peer_that_cannot_nothing_is_asked():
    row = Row("HTJ2K", 2.0, "s", peer="plain loop", peer_value=None, aim=0.5)
    assert row.ratio is None
    assert row.met is None


def test_a_row_in_an_answer_has_the_keys_of_the_contract():
    keys = {"what", "value", "unit", "peer", "peer_value", "ratio", "aim", "met"}
    assert keys <= set(Row("a", 1, "s").as_dict())


def test_the_best_of_several_is_the_smallest():
    figures = iter([3.0, 1.0, 2.0])
    assert best_of(3, lambda: next(figures)) == 1.0


def test_time_is_measured_in_seconds():
    assert seconds(lambda: sum(range(1000))) == pytest.approx(0, abs=1.0)


def test_the_machine_is_described():
    found = machine()
    assert found["cores"] >= 1
    assert found["memory_gb"] >= 1
    assert isinstance(found["cpu"], str)
    assert found["cpu"]
