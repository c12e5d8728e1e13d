from medview.domain.record import Record, Strip

PULSE = Strip("Heart Rate", "1/min", (1.5, 1.8, 4.2), (80.0, 82.0, 100.0))


def test_the_value_at_an_hour_is_the_newest_until_then():
    assert [PULSE.at(hour) for hour in (1.0, 1.5, 1.9, 4.0, 9.0)] == [None, 80.0, 82.0, 82.0, 100.0]


def test_hours_without_a_measurement_keep_the_value_before_and_nothing_is_made_up_earlier():
    assert PULSE.carried(6.0) == ((2.5, 82.0), (3.5, 82.0), (5.5, 100.0))


def test_the_share_of_hours_without_a_measurement():
    assert Record((PULSE,), 4.0).imputed_share == 0.5
    assert Record((), 4.0).imputed_share == 1.0
