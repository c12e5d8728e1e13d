import numpy as np
import pytest

from medview.domain.errors import ReadError
from medview.domain.progress import Silent
from medview.io import record as record_module
from medview.io.hashing import file_sha256
from medview.io.record import find_tables, read_record, read_table

STAY = """Hours,Heart Rate,Glascow coma scale eye opening,Remark,Empty
0.5,80,4 Spontaneously,calm,
2.0,,3,,
1.0,90,,,
"""


@pytest.fixture
def stay(tmp_path):
    path = tmp_path / "stay.csv"
    path.write_text(STAY)
    return path


def test_a_stay_is_read_in_order_of_time_with_gaps_as_gaps(stay):
    record = read_record(stay)
    pulse, eyes = record.strips
    assert (pulse.name, pulse.unit) == ("Heart Rate", "1/min")
    assert (pulse.hours, pulse.values) == ((0.5, 1.0), (80.0, 90.0))
    assert (eyes.hours, eyes.values) == ((0.5, 2.0), (4.0, 3.0))
    assert record.last == 2.0


def test_what_never_changes_stands_last(tmp_path):
    """A weight that is written every hour tells less than what was measured twice, or once."""
    path = tmp_path / "stay.csv"
    path.write_text("Hours,Weight,Height,MAP\n0.5,48.4,160,60\n1.5,48.4,,70\n2.5,48.4,,\n")
    assert [strip.name for strip in read_record(path).strips] == ["MAP", "Height", "Weight"]


def test_columns_without_numbers_are_named_as_ignored(stay):
    assert read_record(stay).ignored == ("Remark",)


def test_days_are_turned_into_hours(tmp_path):
    path = tmp_path / "lab.csv"
    path.write_text("Day,CRP\n0,12\n2,40\n")
    record = read_record(path)
    assert record.strips[0].hours == (0.0, 48.0)
    assert record.strips[0].unit == "mg/l"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("A,B\n1,2\n", "no column"),
        ("Hours,B\n", "no rows"),
        ("Hours,B\n,2\n", "row 2 has no time"),
        ("Time,Parameter,Value\n01:00,HR,70\n99:99,HR,71\n", "row 3 has no time"),
        ("Hours,B\n-1,2\n-3,2\n", "no row from admission on"),
    ],
)
def test_what_is_no_stay_is_refused_with_the_reason(tmp_path, text, what):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(ReadError, match=what):
        read_record(path)


def test_the_long_form_of_the_challenge_is_a_stay_too(tmp_path):
    path = tmp_path / "132539.txt.csv"
    path.write_text(
        "Time,Parameter,Value\n00:00,RecordID,132539\n00:00,Height,-1\n"
        "00:07,HR,73\n01:30,HR,77\n01:30,Temp,35.1\n"
    )
    role, _, record = read_table(Silent(), path)
    pulse, warmth = record.strips
    assert role == "series"
    assert (pulse.name, pulse.values) == ("HR", (73.0, 77.0))
    assert pulse.hours == pytest.approx((7 / 60, 1.5))
    assert (warmth.hours, record.last) == ((1.5,), 1.5)


def test_minutes_are_turned_into_hours_and_minus_one_is_nothing_measured(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("Minutes,HR,pH\n30,80,-1\n90,-1,7.4\n")
    by_name = {strip.name: strip for strip in read_record(path).strips}
    assert (by_name["HR"].hours, by_name["HR"].values) == ((0.5,), (80.0,))
    assert (by_name["pH"].hours, by_name["pH"].values) == ((1.5,), (7.4,))


def test_rows_before_admission_are_left_out_and_counted(tmp_path):
    path = tmp_path / "early.csv"
    path.write_text("Hours,HR,Lactate\n-6,70,9\n-0.5,75,\n1,80,\n3,85,2\n")
    record = read_record(path)
    assert record.before == 2
    assert [(each.name, each.hours) for each in record.strips] == [
        ("HR", (1.0, 3.0)),
        ("Lactate", (3.0,)),
    ]


def test_tables_know_their_role_and_their_bytes(stay, tmp_path):
    role, given, record = read_table(Silent(), stay)
    assert (role, given.sha256, given.size) == ("series", file_sha256(stay), (5, 3, 1))
    assert record is not None
    np.save(tmp_path / "conn_fmri.npy", np.zeros(9))
    np.save(tmp_path / "volumes.npy", np.zeros(5))
    roles = [read_table(Silent(), tmp_path / f"{name}.npy")[0] for name in ("conn_fmri", "volumes")]
    assert roles == ["fmri", "smri"]


def test_of_a_folder_the_only_stay_is_taken(stay, tmp_path):
    (tmp_path / "metadata.csv").write_text("file,label\na,1\n")
    (found,) = find_tables(Silent(), (tmp_path,))
    assert found[0] == stay
    (tmp_path / "other.csv").write_text(STAY)
    assert find_tables(Silent(), (tmp_path,)) == ()


def test_images_among_the_paths_are_left_to_others(stay, tmp_path):
    assert find_tables(Silent(), (tmp_path / "film.dcm",)) == ()


def test_semicolons_and_decimal_commas_are_read_as_the_model_reads_them(tmp_path):
    path = tmp_path / "stay.csv"
    path.write_bytes("\ufeffHours;Temperature;Remark\r\n0,5;36,9;calm\r\n".encode())
    record = read_record(path)
    assert [(s.name, s.hours, s.values) for s in record.strips] == [
        ("Temperature", (0.5,), (36.9,)),
    ]
    assert record.ignored == ("Remark",)
    assert read_table(Silent(), path)[1].size == (3, 1, 1)


def test_half_a_number_is_none(tmp_path):
    """36,9 among commas is no 36: the model refuses it, and nothing is drawn."""
    path = tmp_path / "stay.csv"
    path.write_text('Hours,Temperature,GCS\n1,"36,9",4 Spontaneously\n')
    record = read_record(path)
    assert [strip.name for strip in record.strips] == ["GCS"]
    assert record.ignored == ("Temperature",)


@pytest.mark.parametrize(
    ("time", "second", "step"),
    [("Day", "2", 24.0), ("Day", "2.5", 1.0), ("Hours", "24", 1.0), ("Minutes", "60", 1.0)],
)
def test_a_table_of_whole_days_says_so(tmp_path, time, second, step):
    path = tmp_path / "stay.csv"
    path.write_text(f"{time},CRP\n0,12\n{second},40\n")
    assert read_record(path).step == step


def test_a_table_without_a_time_is_of_features(tmp_path):
    for name, role in (("volumes.csv", "smri"), ("func_a.CSV", "fmri")):
        (tmp_path / name).write_text("age,left,right\n40,1,2\n")
        assert read_table(Silent(), tmp_path / name)[::2] == (role, None)
        (found,) = find_tables(Silent(), (tmp_path / name,))
        assert found[:2] == (tmp_path / name, role)
    assert find_tables(Silent(), (tmp_path,)) == ()


def test_a_table_that_is_gone_is_said_to_be(tmp_path):
    with pytest.raises(ReadError, match="does not exist or may not be read"):
        find_tables(Silent(), (tmp_path / "stay.csv",))


def test_what_is_larger_than_any_table_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "stay.csv"
    path.write_text("Hours,HR\n0,80\n")
    monkeypatch.setattr(record_module, "_MOST_BYTES", path.stat().st_size)
    assert read_table(Silent(), path)[0] == "series"
    monkeypatch.setattr(record_module, "_MOST_BYTES", path.stat().st_size - 1)
    with pytest.raises(ReadError, match="larger than any table"):
        read_table(Silent(), path)


def test_units_in_brackets_are_told_and_none_is_guessed_then(tmp_path):
    path = tmp_path / "x.csv"
    columns = "Hours,Glucose (mmol/L),WBC [K/uL],HR (paced),Temp (°F),Temp (°C)"
    path.write_text(f"{columns}\n1,5,8,70,99,37\n")
    assert [(strip.name, strip.unit) for strip in read_record(path).strips] == [
        *(("Glucose", "mmol/L"), ("WBC", "K/uL"), ("HR (paced)", "")),
        *(("Temp (°F)", ""), ("Temp (°C)", "")),
    ]
    path.write_text("Time,Parameter,Value,Unit\n01:00,Glucose,5,mmol/l\n02:00,HR,70,\n")
    assert [(strip.name, strip.unit) for strip in read_record(path).strips] == [
        *(("Glucose", "mmol/l"), ("HR", "1/min")),
    ]


@pytest.mark.parametrize(
    ("column", "values", "doubt"),
    [
        ("Temp", "36.5 37.1", ""),
        ("Temp", "98.6 101.2 37", "2 values look like degrees Fahrenheit"),
        ("Temperature", "98.6", "1 value looks like degrees Fahrenheit"),
        ("Temp", "37 300", "1 value is not within 25 to 45"),
        ("PaCO2", "4.7 5.2", "looks like kPa, not mmHg"),
        ("Temp [F]", "98.6 101.2", ""),
        ("Ward colour", "7 9", ""),
    ],
)
def test_values_that_do_not_go_with_the_usual_unit_are_doubted(tmp_path, column, values, doubt):
    rows = "\n".join(f"{hour},{value}" for hour, value in enumerate(values.split()))
    path = tmp_path / "stay.csv"
    path.write_text(f"Hours,{column}\n{rows}\n")
    assert read_record(path).strips[0].doubt == doubt
