"""Bins: order, last value, carrying forward, imputation, and no look into the future."""

from dataclasses import fields

import numpy as np
import pytest

from medview.domain.errors import DataError
from medview.learning.icu_grid import Events, Normaliser, clean, discretise, encode, n_bins
from medview.learning.icu_variables import shipped_map

BENCH, CHALLENGE = shipped_map("benchmark"), shipped_map("physionet2012")
PLAIN = Normaliser(np.zeros(17, np.float32), np.ones(17, np.float32))


def place(name: str, variables=BENCH) -> int:
    return variables.codes[name.lower()]


def grid_of(*rows, hours=None, variables=BENCH):
    events = Events.of((hour, place(name, variables), value) for hour, name, value in rows)
    return discretise(clean(events, variables)[0], variables, hours)


def test_a_stay_of_whole_and_broken_hours_has_the_bins_of_the_benchmark():
    assert [n_bins(h) for h in (0, 0.5, 1, 1.5, 47.2, 48)] == [1, 1, 1, 2, 48, 48]


def test_the_columns_are_76_in_the_published_order():
    assert BENCH.columns == 76
    found = encode(grid_of(hours=2), BENCH, PLAIN)
    assert found.shape == (2, 76)
    row = found[0]
    assert (row[0], row[1]) == (1, 0)  # capillary refill 0.0
    assert np.flatnonzero(row[4:12]).tolist() == [3]  # 4 Spontaneously
    assert np.flatnonzero(row[12:24]).tolist() == [9]  # 6 Obeys Commands
    assert np.flatnonzero(row[24:37]).tolist() == [4]  # 15
    assert np.flatnonzero(row[37:49]).tolist() == [6]  # 5 Oriented
    assert not row[59:].any()
    # The twelve numbers stand where the paper has them; the normaliser cuts at six.
    shipped = encode(grid_of(hours=1), BENCH, Normaliser.shipped(BENCH))[0]
    numbers = {2: (59, 61.7375, 221.8965), 50: (86, 85.5385, 57.1169), 58: (7.4, 7.2073, 1.6568)}
    for column, (value, mean, sd) in numbers.items():
        assert shipped[column] == pytest.approx((value - mean) / sd, abs=1e-5)


def test_of_two_values_in_an_hour_the_later_one_stays_and_is_flagged():
    found = grid_of((0.9, "Heart Rate", 80), (0.2, "Heart Rate", 120), hours=3)
    heart = place("Heart Rate")
    assert found.values[:, heart].tolist() == [80, 80, 80]
    assert found.observed[:, heart].tolist() == [True, False, False]
    assert found.since[:, heart].tolist() == [0, 1, 2]
    flags = encode(found, BENCH, PLAIN)[:, 59:]
    assert flags.sum() == 1
    assert flags[0, 8] == 1


def test_of_several_values_at_one_time_the_mean_counts_of_flags_and_words_the_highest():
    found = grid_of(
        *((0.2, "Urine", 900), (0.7, "Urine", 400), (0.7, "Urine", 0), (1.5, "Urine", 30)),
        *((0.7, "MechVent", 1), (0.7, "MechVent", 0), (0.1, "HR", 70)),
        hours=2,
        variables=CHALLENGE,
    )
    urine, vent, heart = (place(name, CHALLENGE) for name in ("Urine", "MechVent", "HR"))
    assert found.values[:, urine].tolist() == [200, 30]
    assert found.count[:, urine].tolist() == [3, 4]  # each was measured
    assert found.values[:, [vent, heart]].tolist() == [[1, 70], [1, 70]]
    scale = "Glascow coma scale total"
    words = BENCH.variables[place(scale)].levels
    found = grid_of((0.5, scale, words.index("3")), (0.5, scale, words.index("8")), hours=1)
    assert words[int(found.values[0, place(scale)])] == "8"


def test_the_order_of_the_rows_of_a_table_never_counts():
    dice = np.random.default_rng(4)
    rows = [
        (round(float(hour), 1), name, value)
        for name, low, high in (("HR", 40, 140), ("Urine", 0, 900), ("Temp", 35, 40))
        for hour, value in zip(dice.uniform(0, 3, 40), dice.uniform(low, high, 40), strict=True)
    ]
    first = grid_of(*rows, hours=3, variables=CHALLENGE)
    for _ in range(5):
        other = grid_of(*dice.permutation(np.array(rows, object)), hours=3, variables=CHALLENGE)
        for field in fields(first):
            assert np.array_equal(
                getattr(first, field.name), getattr(other, field.name), equal_nan=True
            )


def test_a_value_at_a_full_hour_belongs_to_the_hour_that_ends_there():
    found = grid_of((1.0, "Heart Rate", 99), (48.0, "Heart Rate", 70), hours=48)
    heart = place("Heart Rate")
    assert found.observed[0, heart]
    assert found.observed[47, heart]
    assert len(found) == 48


def test_what_was_never_measured_is_imputed_from_the_table():
    found = grid_of((3.5, "Heart Rate", 99), hours=5)
    assert found.values[0, place("Heart Rate")] == 86
    assert found.values[0, place("Temperature")] == pytest.approx(36.6)
    assert np.isinf(found.since[0, place("Heart Rate")])


def test_running_figures_are_of_all_measurements_up_to_the_bin():
    found = grid_of(
        (0.1, "HR", 60), (0.5, "HR", 100), (2.5, "HR", 80), hours=3, variables=CHALLENGE
    )
    heart = place("HR", CHALLENGE)
    assert found.lowest[:, heart].tolist() == [60, 60, 60]
    assert found.highest[:, heart].tolist() == [100, 100, 100]
    assert found.mean[:, heart].tolist() == [80, 80, 80]
    assert found.count[:, heart].tolist() == [2, 2, 3]


@pytest.mark.parametrize("variables", [BENCH, CHALLENGE], ids=["benchmark", "physionet2012"])
def test_a_bin_does_not_change_when_later_values_do(variables):
    rng = np.random.default_rng(4)
    numbers = [n for n, v in enumerate(variables.variables) if not v.levels]
    rows = [(h, int(rng.choice(numbers)), rng.uniform(1, 200)) for h in rng.uniform(0, 24, 400)]
    other = [(h, n, v if h <= 10 else v * 3 + 5) for h, n, v in rows] + [(11.0, numbers[0], 9.0)]
    unit = Normaliser(*(np.full(len(variables.variables), x, np.float32) for x in (0, 50)))
    one, two = (
        encode(discretise(clean(Events.of(r), variables)[0], variables, 24), variables, unit)
        for r in (rows, other)
    )
    assert np.array_equal(one[:10], two[:10])
    assert not np.array_equal(one[10:], two[10:])


def test_foreign_units_are_turned_and_said():
    temperature, oxygen = place("Temperature"), place("Fraction inspired oxygen")
    events = Events.of([(0, temperature, 98.6), (1, temperature, 37.0), (2, oxygen, 40.0)])
    found, said = clean(events, BENCH)
    assert found.values == pytest.approx([37.0, 37.0, 0.4], abs=1e-3)
    assert said == {
        "Temperature: degrees Fahrenheit; converted": 1,
        "Fraction inspired oxygen: per cent, not a share; converted": 1,
    }


def test_what_only_a_whole_column_tells_is_not_guessed_of_single_values():
    creatinine, glucose = place("Creatinine", CHALLENGE), place("Glucose", CHALLENGE)
    events = Events.of([(0, creatinine, 1.2), (1, creatinine, 138), (2, glucose, 15)])
    found, said = clean(events, CHALLENGE)
    assert found.values == pytest.approx([1.2, 25, 20])
    assert set(said) == {
        "Creatinine: outside 0.1 to 25; taken as the nearer end",
        "Glucose: outside 20 to 1500; taken as the nearer end",
    }


def test_impossible_values_are_left_out_and_others_pulled_into_their_range():
    ph, heart = place("pH", CHALLENGE), place("HR", CHALLENGE)
    events = Events.of([(0, ph, 735), (1, ph, 1.0), (2, heart, 0), (3, heart, 390)])
    found, said = clean(events, CHALLENGE)
    assert found.values == pytest.approx([7.35, 300])
    assert said == {
        "pH: a hundred times the pH; converted": 1,
        "pH: outside 6.5 to 8; left out": 1,
        "HR: outside 1 to 400; left out": 1,
        "HR: outside 10 to 300; taken as the nearer end": 1,
    }


def test_below_what_the_laboratory_can_tell_is_the_lowest_value():
    lab = shipped_map("hannover")
    found, said = clean(Events.of([(0, lab.codes["crp"], -np.inf), (0, 1, np.nan)]), lab)
    assert found.values.tolist() == [1.0]
    assert said == {}


def test_the_fitted_normaliser_knows_measured_values_only():
    grid = grid_of((0.5, "Heart Rate", 60), (1.5, "Heart Rate", 100), hours=10)
    found = Normaliser.fitted([grid], BENCH)
    assert found.mean[place("Heart Rate")] == pytest.approx(80)
    assert found.sd[place("Heart Rate")] == pytest.approx(20)
    assert found.sd[place("Weight")] == 1
    # Never measured: its imputed value is zero for the network, not far out.
    assert not encode(grid, BENCH, found)[:, [3, 57]].any()


def test_a_map_without_shipped_statistics_says_so():
    with pytest.raises(DataError, match="no shipped statistics"):
        Normaliser.shipped(CHALLENGE)


def test_an_empty_stay_without_a_length_is_refused():
    with pytest.raises(DataError, match="no values"):
        discretise(Events.of([]), BENCH)
