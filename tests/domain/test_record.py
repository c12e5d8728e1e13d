import pytest

from medview.domain.record import Record, Strip

PULSE = Strip("Heart Rate", "1/min", (1.5, 1.8, 4.2), (80.0, 82.0, 100.0))


def test_the_value_at_an_hour_is_the_newest_until_then():
    assert [PULSE.at(hour) for hour in (1.0, 1.5, 1.9, 4.0, 9.0)] == [None, 80.0, 82.0, 82.0, 100.0]


def test_hours_without_a_measurement_keep_the_value_before_and_nothing_is_made_up_earlier():
    assert PULSE.carried(6.0) == ((2.5, 82.0), (3.5, 82.0), (5.5, 100.0))


def test_the_share_of_hours_without_a_measurement():
    assert Record((PULSE,), 4.0).imputed_share == 0.5
    assert Record((), 4.0).imputed_share == 1.0


def test_a_table_of_days_counts_days():
    daily = Strip("CRP", "mg/l", (0.0, 48.0, 96.0), (12.0, 40.0, 20.0))
    assert daily.carried(96.0, 24.0) == ((36.0, 12.0), (84.0, 40.0))
    assert Record((daily,), 96.0, step=24.0).imputed_share == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("values", "decimals"),
    [((80.0, 82.0), 0), ((36.8, 37.0), 1), ((7.46, 7.4), 2), ((0.1234,), None), ((), 0)],
)
def test_values_are_written_with_the_decimals_that_they_have(values, decimals):
    assert Strip("x", "", tuple(range(len(values))), values).decimals == decimals
