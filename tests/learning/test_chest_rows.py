"""Labels of chest films, by hand and for any digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medview.domain.errors import DataError
from medview.io.tables import columns_of
from medview.learning.chest_rows import (
    MIRRORED,
    brixia_of_zones,
    brixia_text,
    lung_class,
    outcome_by_patient,
    read_table,
    severity_class,
    zone_scores,
)

SIX = st.lists(st.integers(0, 3), min_size=6, max_size=6)


@given(SIX)
def test_six_digits_stay_what_they_are_in_brackets_and_without_leading_zeros(scores):
    digits = "".join(map(str, scores))
    assert brixia_text(f" [{digits}] ", "a row") == digits
    assert zone_scores(brixia_text(digits.lstrip("0") or "0", "a row", pad=True)) == tuple(scores)


@pytest.mark.parametrize(
    ("digits", "says"),
    [
        ("12345", "leading zeros lost"),
        ("1234567", "not six digits"),
        ("000004", "not six digits"),
        ("00a000", "not six digits"),
    ],
)
def test_other_scores_are_refused_where_they_stand(digits, says):
    with pytest.raises(DataError, match=f"t.csv, row 3: .*{says}"):
        brixia_text(digits, "t.csv, row 3")


def test_no_score_stays_none():
    assert brixia_text("  ", "a row") == ""


@given(SIX)
def test_mirrored_zones_are_those_of_the_other_lung_at_the_same_height(scores):
    turned = [scores[n] for n in MIRRORED]
    assert turned == [*scores[3:], *scores[:3]]
    assert [turned[n] for n in MIRRORED] == scores


def zones(*scores, total=None):
    row = {f"brixia_s_{zone}": str(score) for zone, score in zip("ABCDEF", scores, strict=True)}
    return row | ({} if total is None else {"brixia_s_Global": str(total)})


def test_zones_in_columns_of_their_own_become_digits():
    assert brixia_of_zones(zones(0, 1, 2, 3, 0, "1.0", total=7), "s", "r") == "012301"
    assert brixia_of_zones(zones(0, 1, 2, 3, 0, ""), "s", "r") == ""
    assert brixia_of_zones(zones(0, 1, 2, 3, 0, 1), "another", "r") == ""


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (zones(0, 1, 2, 3, 0, 1, total=8), "the total 8 is not the sum of the zones 012301"),
        (zones(0, 1, 2, 3, 0, "x"), "no number"),
        (zones(0, 1, 2, 3, 0, 4), "not six digits"),
    ],
)
def test_zones_that_cannot_be_are_refused(row, says):
    with pytest.raises(DataError, match=says):
        brixia_of_zones(row, "s", "r")


def test_classes_change_where_the_paper_says():
    totals = range(19)
    assert [severity_class(total) for total in totals] == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 4
    assert [lung_class(total) for total in range(10)] == [0] * 2 + [1] * 3 + [2] * 3 + [3] * 2


def rows(*marks):
    names = ("went_icu", "intubated", "survival")
    return [{"patient_key": who, **dict(zip(names, told, strict=True))} for who, *told in marks]


def test_one_sign_is_severe_and_mild_is_only_who_is_known_to_be():
    found = outcome_by_patient(
        rows(
            ("icu", "N", "N", "Y"),
            ("icu", "Y", "", ""),
            ("dead", "", "", "N"),
            ("tube", "N", "Y", "Y"),
            ("well", "N", "", ""),
            ("well", "", "N", "Y"),
            ("unknown", "N", "N", ""),
        )
    )
    assert found == {"icu": "SEVERE", "dead": "SEVERE", "tube": "SEVERE", "well": "MILD"}


def test_a_table_is_read_with_its_mark_and_without_its_blanks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfa;b\n 1 ;\n2\n")
    assert read_table(path, ("a",)) == [{"a": "1", "b": ""}, {"a": "2", "b": ""}]
    assert columns_of(path) == ("a", "b")
    assert columns_of(tmp_path / "gone.csv") == ()
    with pytest.raises(DataError, match=r"t\.csv: the column c, d is missing"):
        read_table(path, ("a", "c", "d"))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a table as CSV in UTF-8"):
        read_table(path, ())
