"""Tables of a stay: both ways of naming variables, and broken ones named by row and column."""

import pytest

from medview.domain.errors import DataError
from medview.learning.icu_grid import clean
from medview.learning.icu_series import read_series
from medview.learning.icu_variables import shipped_map

BENCH, CHALLENGE = shipped_map("benchmark"), shipped_map("physionet2012")


def table(folder, text):
    path = folder / "stay.csv"
    path.write_text(text)
    return path


def rows(events, variables):
    return [
        (round(float(h), 2), variables.variables[c].name, round(float(v), 3))
        for h, c, v in zip(events.hours, events.codes, events.values, strict=True)
    ]


@pytest.mark.parametrize(
    ("cell", "value"), [("<0.1", 0.1), (">= 600", 600), ("\u2265 15", 15), ("\u22640,5", 0.5)]
)
def test_a_value_that_is_given_as_a_limit_is_that_limit_and_counted(tmp_path, cell, value):
    series = read_series(table(tmp_path, f"Hours;HR;Note\n-1;>90;\n1;{cell};\n2;80;\n"))
    assert series.values.tolist() == pytest.approx([value, 80])
    assert series.limits == {0: cell}  # that from before admission is left out


@pytest.mark.parametrize("cell", ["<", "<low", "<-5", "<1.2.3", "0.1<", "<0.1 mg"])
def test_what_only_looks_like_a_limit_is_refused_as_before(tmp_path, cell):
    series = read_series(table(tmp_path, f"Hours,HR\n1,{cell}\n2,80\n"))
    assert series.limits == {}
    with pytest.raises(DataError, match='row 2, column "HR"'):
        series.events(BENCH)


def test_a_table_of_the_benchmark_is_read_by_both_maps(tmp_path):
    path = table(
        tmp_path,
        "Hours,Heart Rate,Glascow coma scale eye opening,Temperature,Colour\n"
        "0.5,80,4 Spontaneously,,red\n1.5,,To Speech,36.9,\n",
    )
    series = read_series(path)
    assert rows(series.events(BENCH), BENCH) == [
        (0.5, "Heart Rate", 80),
        (0.5, "Glascow coma scale eye opening", 3),
        (1.5, "Glascow coma scale eye opening", 5),
        (1.5, "Temperature", 36.9),
    ]
    assert rows(series.events(CHALLENGE), CHALLENGE) == [(0.5, "HR", 80), (1.5, "Temp", 36.9)]
    assert series.ignored(BENCH) == ("Colour",)


def test_the_long_table_of_the_challenge_is_read(tmp_path):
    path = table(tmp_path, "Time,Parameter,Value\n00:00,RecordID,7\n00:30,HR,80\n01:00,HR,-1\n")
    assert rows(read_series(path).events(CHALLENGE), CHALLENGE) == [(0.5, "HR", 80)]


def test_the_coma_scale_is_summed_from_its_parts_where_all_are_there(tmp_path):
    names = [f"Glascow coma scale {part}" for part in ("eye opening", "motor response")]
    text = f"Hours,{','.join(names)},Glascow coma scale verbal response\n"
    path = table(tmp_path, text + "1,4 Spontaneously,6,5\n2,3,,5\n")
    series = read_series(path)
    assert rows(series.events(CHALLENGE), CHALLENGE) == [(1, "GCS", 15)]
    assert series.ignored(CHALLENGE) == ()


def test_parts_of_the_coma_scale_told_twice_at_one_hour_count_whatever_their_order(tmp_path):
    names = [f"Glascow coma scale {part}" for part in ("eye opening", "motor response")]
    lines = ["1,4,6,5\n", "1,2,6,5\n"]
    for turned in (lines, lines[::-1]):
        text = f"Hours,{','.join(names)},Glascow coma scale verbal response\n{''.join(turned)}"
        series = read_series(table(tmp_path, text))
        assert rows(series.events(CHALLENGE), CHALLENGE) == [(1, "GCS", 14)]


def test_what_a_table_tells_twice_was_measured_once(tmp_path):
    text = "Hours,Heart Rate,Glascow coma scale eye opening\n1,80,To Speech\n1,90,\n"
    again = "1,80,To Speech\n2,80,\n"
    series = read_series(table(tmp_path, text + again))
    assert series.twice == 2
    assert rows(series.events(BENCH), BENCH) == [
        (1, "Heart Rate", 90),
        (1, "Heart Rate", 80),  # the last one of an hour is the one that holds
        (1, "Glascow coma scale eye opening", 5),
        (2, "Heart Rate", 80),
    ]


def test_days_count_24_hours(tmp_path):
    lab = shipped_map("hannover")
    found = read_series(table(tmp_path, "Day,CRP\n2,30\n"), lab).events(lab)
    assert rows(found, lab) == [(48, "crp", 30)]


def test_rows_before_admission_are_left_out_and_counted(tmp_path):
    series = read_series(table(tmp_path, "Hours,HR,Temp\n-6,70,36\n-0.5,75,\n1,80,37\n"))
    assert series.before == 2
    assert rows(series.events(CHALLENGE), CHALLENGE) == [(1, "HR", 80), (1, "Temp", 37)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HR\n80\n", 'column "Hours" is missing'),
        ("Hours,HR,HR\n1,2,3\n", '"HR" is given twice'),
        ("Hours,HR\nsoon,80\n", 'row 2, column "Hours": "soon"'),
        ("Hours,HR\n-2,80\n", "all its values lie before admission"),
        ("Hours,HR\n1\n", "row 2 has 1 cell, the header 2"),
        ("Hours,HR\n1,\n", "no values"),
        ("", "the table is empty"),
        ("\n1,2\n", 'column "Hours" is missing'),
    ],
)
def test_a_broken_table_names_row_and_column(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read_series(table(tmp_path, text))


def test_a_word_in_place_of_a_number_names_row_and_column(tmp_path):
    series = read_series(table(tmp_path, "Hours,Heart Rate\n1,80\n2,fast\n"))
    with pytest.raises(DataError, match='row 3, column "Heart Rate": "fast" is not a number'):
        series.events(BENCH)


@pytest.mark.parametrize(
    ("cell", "do"), [('"36,9"', "decimals with a point"), ("inf", "Correct the cell")]
)
def test_what_is_no_number_of_a_table_is_told_with_what_to_do(tmp_path, cell, do):
    series = read_series(table(tmp_path, f"Hours,Temperature\n1,{cell}\n"))
    with pytest.raises(DataError, match='row 2, column "Temperature"') as told:
        series.events(BENCH)
    assert do in told.value.do


def test_columns_that_the_model_does_not_know_at_all_are_named(tmp_path):
    series = read_series(table(tmp_path, "Hours,Puls,Fieber\n1,80,37\n"))
    with pytest.raises(DataError, match=r"none of its columns is a variable .* Puls, Fieber"):
        series.events(BENCH)
    assert len(read_series(table(tmp_path, "Hours,Puls,HR\n1,80,90\n")).events(CHALLENGE)) == 1


@pytest.mark.parametrize(
    ("text", "commas"),
    [
        ("Hours;Heart Rate;Temperature\r\n0,5;80;36,9\r\n", 2),
        ("Hours;Heart Rate;Temperature\n0.5;80;36.9\n", 0),
        ("\ufeffHours\tHeart Rate\tTemperature\n0,5\t80\t36.9\n", 1),
        ("\ufeffHours,Heart Rate,Temperature\r0.5,80,36.9\r", 0),
    ],
)
def test_tables_of_other_programs_are_read(tmp_path, text, commas):
    (tmp_path / "stay.csv").write_bytes(text.encode())
    series = read_series(tmp_path / "stay.csv")
    assert rows(series.events(CHALLENGE), CHALLENGE) == [(0.5, "HR", 80), (0.5, "Temp", 36.9)]
    assert series.commas == commas


def test_words_of_sex_ventilation_and_unit_are_known_as_hospitals_write_them(tmp_path):
    text = (
        "Hours,Sex,Sodium,SpO2,Mechanical ventilation,ICUType,White blood cells\n"
        "1,Male,140,97,yes,MICU,8\n2,,141,98,NO,TSICU,9\n"
    )
    found = rows(read_series(table(tmp_path, text)).events(CHALLENGE), CHALLENGE)
    assert [(name, value) for hour, name, value in found if hour == 1] == [
        *(("Gender", 1), ("Na", 140), ("SaO2", 97), ("MechVent", 1), ("ICUType", 2), ("WBC", 8)),
    ]
    last = {name: value for hour, name, value in found if hour == 2}
    assert (last["MechVent"], last["ICUType"]) == (0, 3)
    with pytest.raises(DataError, match='"perhaps" is neither a number nor one of f, female'):
        read_series(table(tmp_path, "Hours,Sex\n1,perhaps\n")).events(CHALLENGE)


def test_an_unknown_level_names_row_and_column(tmp_path):
    text = "Hours,Glascow coma scale eye opening\n1,9\n"
    with pytest.raises(DataError, match=r"row 2.*9.*not one of"):
        read_series(table(tmp_path, text)).events(BENCH)


def test_a_unit_in_brackets_is_turned_into_that_of_the_map(tmp_path):
    """Also where the value it becomes would pass for one in another unit."""
    text = "Hours,WBC (K/uL),Glucose (mmol/L),Temp [°F],Lactate (foo),Colour (red)\n"
    series = read_series(table(tmp_path, text + "1,8.1,5.5,98.6,2,1\n2,,0.5,,,\n"))
    found = rows(series.events(CHALLENGE), CHALLENGE)
    assert [(name, value) for _, name, value in found] == [
        *(("WBC", pytest.approx(8.1)), ("Glucose", pytest.approx(99.088))),
        *(("Temp", pytest.approx(37)), ("Glucose", 20)),
    ]
    assert series.converted(CHALLENGE) == {
        "Glucose: mmol/L, not mg/dl; converted": 2,
        "Temp: °F, not °C; converted": 1,
    }
    assert series.ignored(CHALLENGE) == ("Colour (red)", "Lactate (foo)")


IN_AMOUNTS = "Hours,Creatinine,Glucose,PaCO2,BUN\n1,88.4,5.5,5.3,7\n2,176.8,15,6,8\n"


def test_a_column_of_another_unit_is_turned_as_a_whole(tmp_path):
    """15 mmol/l of glucose are no 15 mg/dl, which would be taken as the lowest there is."""
    series = read_series(table(tmp_path, IN_AMOUNTS))
    found = clean(series.events(CHALLENGE), CHALLENGE)
    values = {name: [] for name in ("Creatinine", "Glucose", "PaCO2", "BUN")}
    for _, name, value in rows(found[0], CHALLENGE):
        values[name].append(value)
    assert values == {
        "Creatinine": pytest.approx([1, 2], abs=1e-3),
        "Glucose": pytest.approx([99.09, 270.24], abs=1e-2),
        "PaCO2": pytest.approx([39.75, 45.0], abs=1e-2),
        "BUN": [7, 8],
    }
    assert found[1] == {}
    assert series.converted(CHALLENGE) == {
        "Creatinine: umol/l, not mg/dl; converted": 2,
        "Glucose: mmol/l, not mg/dl; converted": 2,
        "PaCO2: kPa, not mmHg; converted": 2,
    }


def test_a_unit_that_nothing_tells_is_doubted_beside_amounts_alone(tmp_path):
    def unsure(text):
        return read_series(table(tmp_path, text)).unsure(CHALLENGE)

    assert unsure(IN_AMOUNTS) == ("BUN",)
    assert unsure("Hours,Glucose (mmol/L),Bilirubin,Na\n1,5,20,140\n") == ("Bilirubin",)
    assert unsure("Hours,Glucose,Bilirubin\n1,90,1.2\n") == ()
    assert unsure(IN_AMOUNTS.replace("BUN", "BUN (mg/dl)")) == ()


def test_a_long_table_may_have_a_column_of_units(tmp_path):
    text = "Time,Parameter,Value,Unit\n01:00,Temp,98.6,°F\n01:30,Temp,38,\n02:00,MAP,10,kPa\n"
    found = rows(read_series(table(tmp_path, text)).events(CHALLENGE), CHALLENGE)
    assert [round(value, 3) for _, _, value in found] == [37, 38, 75.006]


@pytest.mark.parametrize("cell", ["1e300", "1e9", "-1e300"])
def test_an_hour_that_no_stay_has_is_no_time(cell, tmp_path):
    with pytest.raises(DataError, match=r'row 3, column "Hours": "-?1e(300|9)" is no time'):
        read_series(table(tmp_path, f"Hours,HR\n1,80\n{cell},80\n"))


@pytest.mark.parametrize("cell", ["99:99", "1:2:3", "1:60", "noon", "1:", ":30"])
def test_a_clock_has_sixty_minutes(cell, tmp_path):
    with pytest.raises(DataError, match=f'"{cell}" is no time'):
        read_series(table(tmp_path, f"Time,Parameter,Value\n{cell},HR,80\n"))


def test_a_clock_may_count_on_beyond_a_day_and_before_admission(tmp_path):
    text = "Time,Parameter,Value\n-0:30,HR,80\n100:30,HR,90\n2.5,HR,70\n"
    found = read_series(table(tmp_path, text))
    assert (found.hours.tolist(), found.before) == ([100.5, 2.5], 1)


@pytest.mark.parametrize("text", ["Hours,HR\n46097.25,80\n46097.5,82\n", "Day,HR\n46097.25,80\n"])
def test_dates_of_a_spreadsheet_are_no_hours_since_admission(tmp_path, text):
    path = table(tmp_path, text)
    with pytest.raises(
        DataError, match=r"from hour [\d.e+]+, the model takes the first 48 h"
    ) as no:
        read_series(path, CHALLENGE)
    assert "a date that a spreadsheet writes as a number is none" in no.value.do
    assert read_series(path).hours.size  # without a map nobody knows how long a stay is


def test_a_series_of_which_a_part_lies_in_the_hours_of_the_model_is_read(tmp_path):
    series = read_series(table(tmp_path, "Hours,HR\n48,80\n100,82\n"), CHALLENGE)
    assert series.hours.tolist() == [48, 100]


def test_a_column_without_a_name_is_told_as_one(tmp_path):
    series = read_series(table(tmp_path, ",Hours,HR\n1,0.5,80\n"))
    assert series.ignored(CHALLENGE) == ("a column without a name",)


@pytest.mark.parametrize(
    "text",
    [
        "RecordID,Hours,HR\n1,0,80\n2,0,120\n",
        "stay_id,Hours,HR\n1,0,80\n2,0,120\n",
        "Patient ID,Time,Parameter,Value\n1,00:00,HR,80\n2,00:00,HR,150\n",
    ],
)
def test_the_rows_of_two_patients_are_not_taken_for_one_stay(tmp_path, text):
    with pytest.raises(DataError, match=r"rows of several stays: 2 of .* \(1, 2\)") as no:
        read_series(table(tmp_path, text), CHALLENGE)
    assert no.value.do == "Give each stay a table of its own."


def test_one_patient_may_be_named_in_every_row_or_in_the_first(tmp_path):
    for text in ("RecordID,Hours,HR\n1,0,80\n1,1,120\n", "RecordID,Hours,HR\n1,0,80\n,1,9\n"):
        assert read_series(table(tmp_path, text), CHALLENGE).hours.tolist().count(1) >= 1


def test_a_foreign_table_is_told_of_other_models_not_of_options(tmp_path):
    series = read_series(table(tmp_path, "Hours,Foo\n0,1\n"))
    with pytest.raises(DataError, match="none of its columns is a variable") as no:
        series.events(CHALLENGE, "a.csv")
    assert no.value.do.startswith("Choose a model that reads these, or name columns as this one")
