"""Feature vectors from tables and arrays."""

import numpy as np
import pytest

from medview.domain.errors import DataError
from medview.learning.vectors import numbers_of, read_table, read_vector


def test_a_table_of_one_row_gives_names_and_numbers_without_who_it_is(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("ID,Age,Sex,MUSE_702,MUSE_1,note\nx,50,F,1500000,12.5,\n", encoding="utf-8-sig")
    names, values = numbers_of(path)
    assert names == ("MUSE_702", "MUSE_1", "note")
    assert values[:2].tolist() == [1500000, 12.5]
    assert np.isnan(values[2])


def test_several_rows_need_the_name_of_a_case(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("case,a\nx,1\ny,2\n")
    assert numbers_of(path, "y")[1].tolist() == [2]
    with pytest.raises(DataError, match="it has 2 rows; one is needed"):
        numbers_of(path)
    path.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(DataError, match="2 rows; one is needed"):
        numbers_of(path)


def test_an_array_has_no_names(tmp_path):
    np.save(tmp_path / "v.npy", np.arange(3, dtype=np.float32)[None])
    names, values = numbers_of(tmp_path / "v.npy")
    assert names is None
    assert values.tolist() == [0, 1, 2]


def test_what_is_no_array_of_numbers_is_refused(tmp_path):
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "code.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "text.npy").write_text("1 2 3")
    for name in ("words", "code", "text"):
        with pytest.raises(DataError, match=f"{name}.npy"):
            read_vector(tmp_path / f"{name}.npy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,a\n1,2\n", 'the column "a" is given twice'),
        ("a,b\n1\n", "row 2 has 1 cell, the header 2"),
        ("b\n1\n", 'the column "a" is missing'),
        ("", 'the column "a" is missing'),
    ],
)
def test_a_broken_table_is_told_by_row_and_column(tmp_path, text, said):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_table(path, ("a",))


def test_a_table_without_numbers_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,word\nx,y\n")
    with pytest.raises(DataError, match="no column with numbers"):
        numbers_of(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        numbers_of(path)
