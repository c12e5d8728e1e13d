"""Tables of feature vectors: folds, order of columns, what cannot be pooled."""

import csv
import gzip

import numpy as np
import pytest
from age_sets import ixi_rows, write_abide, write_ixi_table

from medview.domain.errors import DataError
from medview.learning.abide_sets import load_abide
from medview.learning.brain_age_sets import load_ixi_roi
from medview.learning.brain_age_table import aligned, fold_numbers, kinds_of, strata_of, table_of
from medview.learning.subset import LeftOut, Subset


@pytest.fixture
def ixi(tmp_path):
    write_ixi_table(tmp_path / "ixi")
    return load_ixi_roi(tmp_path / "ixi")


def test_folds_are_those_of_the_published_protocol(ixi):
    from sklearn.model_selection import StratifiedKFold

    table = table_of([ixi])
    ages = table.age
    groups = strata_of(ages, 5)
    assert np.bincount(groups).tolist() == [8] * 5
    numbers = fold_numbers(table, 5)
    split = StratifiedKFold(5, shuffle=True, random_state=0).split(ages, groups)
    for number, (_, held) in enumerate(split):
        assert np.flatnonzero(numbers == number).tolist() == held.tolist()


def test_all_rows_of_a_patient_are_in_one_fold(tmp_path):
    rows = ixi_rows(40)
    for number, row in enumerate(rows):
        row[1] = f"p{number // 2}"
    write_ixi_table(tmp_path, rows)
    table = table_of([load_ixi_roi(tmp_path)])
    numbers = fold_numbers(table, 5)
    assert (numbers[::2] == numbers[1::2]).all()
    assert len(set(numbers)) == 5


def test_fewer_patients_than_folds_are_refused(tmp_path):
    rows = ixi_rows(12)
    for number, row in enumerate(rows):
        row[1] = f"p{number % 4}"
    write_ixi_table(tmp_path, rows)
    table = table_of([load_ixi_roi(tmp_path)])
    assert len(set(fold_numbers(table, 4))) == 4
    with pytest.raises(DataError, match="of 4 patients, and are to be parted into 5"):
        fold_numbers(table, 5)


def test_upper_bounds_of_age_groups_belong_to_them():
    assert strata_of(np.array([1.0, 2, 3, 4, 5]), 2).tolist() == [0, 0, 0, 1, 1]


def test_a_vector_is_put_into_the_order_of_the_training():
    assert list(aligned(np.array([1.0, 2, 3]), ("c", "x", "a"), ("a", "c"))) == [3, 1]
    assert "2 of 3" not in aligned(np.array([1.0]), ("a",), ("a", "b"))
    assert (
        aligned(np.array([1.0]), ("a",), ("a", "b", "c"))
        == 'the column "b" and 1 more of 3 are missing'
    )
    assert (
        aligned(np.array([1.0, 2]), None, ("a",)) == "it has 2 values, the model was trained on 1"
    )
    assert list(aligned(np.array([1.0, 2]), ("0", "1"), ("a", "b"))) == [1, 2]


def test_sets_with_other_columns_are_not_pooled(ixi, tmp_path):
    write_abide(tmp_path / "abide")
    with pytest.raises(DataError, match=r"others than those of ixi-roi \(5 against 6\)"):
        table_of([ixi, load_abide(tmp_path / "abide")])
    with pytest.raises(DataError, match="no row that can be used"):
        table_of([])


def test_where_every_row_was_left_out_the_reason_is_told(tmp_path):
    lost = LeftOut("one", "MV-DAT-101", "smri.csv: the column a is given twice")
    left = Subset("local", "cases", tmp_path, (), (lost,))
    with pytest.raises(DataError, match=r"none of 1 cases can be used; smri\.csv: the column a"):
        table_of([left])


def test_a_table_says_what_each_row_has(tmp_path):
    write_abide(tmp_path, count=6, pairs=2)
    table = table_of([load_abide(tmp_path)])
    assert kinds_of(table) == ("smri+fmri",) * 2 + ("smri",) * 4
    assert table.present("fmri").tolist() == [True] * 2 + [False] * 4
    assert np.isnan(table.female).all()
    some = table.take(np.array([4, 0]))
    assert [case.case for case in some.cases] == ["50004", "50000"]
    assert some.values["smri"][1].tolist() == table.values["smri"][0].tolist()


def test_the_real_tables_have_the_counts_of_the_baselines():
    from pathlib import Path

    place = Path("../shared/data/brain_age")
    if not place.is_dir():
        pytest.skip("../shared/data/brain_age is not here")
    ixi = table_of([load_ixi_roi(place / "ixi")])
    assert len(ixi) == 251
    assert {s: ixi.sites.count(s) for s in set(ixi.sites)} == {"Guys": 151, "HH": 81, "IOP": 19}
    assert len(ixi.columns["smri"]) == 260
    with gzip.open(place / "ixi" / "ixi_dlmuse_n291.csv.gz", "rt") as file:
        assert next(csv.reader(file))[5] == ixi.columns["smri"][0] == "MUSE_702"
    abide = table_of([load_abide(place / "abide")])
    kinds = kinds_of(abide)
    assert (len(abide), kinds.count("smri+fmri"), len(set(abide.sites))) == (771, 78, 24)
    assert sum(case.label == 1 for case in abide.cases) == 377
    assert len(abide.columns["smri"]) == 416
    pairs = abide.take(np.array([kind == "smri+fmri" for kind in kinds]))
    assert (pairs.age.min(), pairs.age.max()) == (8.0, 35.2)
    assert sum(case.label == 0 for case in pairs.cases) == 31
