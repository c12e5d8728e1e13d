import pytest

from medview.ui.record_axis import TimeAxis, length_words


def test_a_stay_of_two_days_is_told_in_hours_and_a_long_one_in_days():
    short, long = TimeAxis(48.0, 100.0, 580.0), TimeAxis(1248.0, 100.0, 300.0)
    assert [text for _, text in short.ticks][:3] == ["0 h", "6 h", "12 h"]
    assert [text for _, text in long.ticks] == ["0 d", "20 d", "40 d"]
    assert (short.words(28.4), long.words(1248.0)) == ("hour 28.4", "day 52")
    assert (length_words(47.1), length_words(1248.0)) == ("47.1 h", "52 d")


def test_an_hour_and_its_pixel_are_one_place_and_the_ends_hold():
    axis = TimeAxis(48.0, 100.0, 580.0)
    assert axis.hour_at(axis.x_of(31.0)) == pytest.approx(31.0)
    assert (axis.hour_at(0.0), axis.hour_at(900.0)) == (0.0, 48.0)


@pytest.mark.parametrize(("hours", "wide", "step"), [(48.0, 480.0, 1.0), (1248.0, 200.0, 48.0)])
def test_dots_do_not_run_into_a_line(hours, wide, step):
    axis = TimeAxis(hours, 0.0, wide)
    assert axis.dot_step == step
    assert axis.x_of(step) >= 7.0
