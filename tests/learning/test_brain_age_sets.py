"""Sets of feature vectors: miniatures of each layout, and what is wrong named by column or row."""

import numpy as np
import pytest
from age_sets import (
    IXI_HEADER,
    ixi_rows,
    write_age_cases,
    write_authors,
    write_ixi_table,
    write_rows,
)

from medview.domain.errors import DataError
from medview.learning import brain_age_sets as sets
from medview.learning.cases import find_subsets


def found(path):
    (subset,) = find_subsets((str(path),), "brain-age")
    return subset


def test_the_ixi_table_gives_raw_volumes_with_age_sex_and_site(tmp_path):
    write_ixi_table(tmp_path)
    subset = found(tmp_path)
    assert (subset.name, len(subset.cases), subset.licence) == ("ixi-roi", 40, "CC BY-SA 3.0")
    assert subset.columns["smri"] == IXI_HEADER[5:]
    first, row = subset.cases[0], ixi_rows()[0]
    assert (first.case, first.patient, first.site, first.sex) == (
        "IXI000-HH-T1",
        "IXI000",
        "HH",
        "M",
    )
    assert first.age_years == float(row[3])
    assert first.rows["smri"] == pytest.approx([float(v) for v in row[5:]])
    assert first.label == 0


def test_the_table_made_from_2_mm_data_is_not_taken_beside_the_other(tmp_path):
    write_ixi_table(tmp_path)
    write_rows(tmp_path / "ixi_dlmuse_2mm_n181.csv.gz", IXI_HEADER, ixi_rows())
    assert len(found(tmp_path).cases) == 40


def changed_ixi(tmp_path, column, value, row=3):
    rows = ixi_rows()
    rows[row - 2][IXI_HEADER.index(column)] = value
    write_ixi_table(tmp_path, rows)
    return tmp_path


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("Age", "old", 'row 3, column "Age": "old" is no age'),
        ("Age", "inf", 'row 3, column "Age": "inf" is no age'),
        ("Age", "-4", 'row 3, column "Age": "-4" is no age'),
        ("Sex", "X", 'row 3, column "Sex": "X" is none of M, F'),
        ("ID", "IXI000-HH-T1", '"IXI000-HH-T1" is there twice'),
    ],
)
def test_a_wrong_cell_of_the_ixi_table_is_named(tmp_path, column, value, said):
    with pytest.raises(DataError, match=said):
        sets.load_ixi_roi(changed_ixi(tmp_path, column, value))


@pytest.mark.parametrize("value", ["", "nan", "n/a", "inf"])
def test_a_row_with_a_value_that_is_no_number_is_left_out_by_name(tmp_path, value):
    subset = sets.load_ixi_roi(changed_ixi(tmp_path, "MUSE_600", value))
    (left,) = subset.skipped
    assert (left.case, left.what) == (
        "IXI001-Guys-T1",
        f'row 3, column "MUSE_600": "{value}" is no number',
    )
    assert len(subset.cases) == 39


def test_a_table_without_names_is_refused(tmp_path):
    write_ixi_table(tmp_path, header=["other", *IXI_HEADER[1:]])
    with pytest.raises(DataError, match='the column "ID" is missing'):
        sets.load_ixi_roi(tmp_path)


def test_whom_it_is_of_stands_in_the_id_too_and_labels_may_be_missing(tmp_path):
    whole = sets.load_ixi_roi(changed_ixi(tmp_path, "Age", "NA")).cases
    assert whole[1].age_years is None
    write_ixi_table(tmp_path, [[row[0], *row[5:]] for row in ixi_rows()], ["ID", *IXI_HEADER[5:]])
    bare = sets.load_ixi_roi(tmp_path).cases
    assert [(c.patient, c.site) for c in bare] == [(c.patient, c.site) for c in whole]
    assert {(case.age_years, case.sex) for case in bare} == {(None, None)}


def test_a_table_without_any_region_is_refused(tmp_path):
    write_ixi_table(tmp_path, [row[:5] for row in ixi_rows()], IXI_HEADER[:5])
    with pytest.raises(DataError, match="MUSE_"):
        sets.load_ixi_roi(tmp_path)


def test_an_empty_age_or_sex_is_unknown(tmp_path):
    subset = sets.load_ixi_roi(changed_ixi(tmp_path, "Age", ""))
    assert subset.cases[1].age_years is None


def test_the_authors_arrays_are_split_as_they_are_named(tmp_path):
    write_authors(tmp_path)
    subset = found(tmp_path)
    assert subset.layout == "authors-npy"
    assert [sum(case.split == part for case in subset.cases) for part in ("train", "test")] == [
        12,
        12,
    ]
    assert subset.cases[1].sex == "F"
    assert {role: len(names) for role, names in subset.columns.items()} == {"smri": 7, "fmri": 7}


def test_authors_arrays_that_do_not_fit_each_other_are_refused(tmp_path):
    write_authors(tmp_path)
    np.save(tmp_path / "features2.npy", np.zeros((11, 7)))
    with pytest.raises(DataError, match=r"features2.npy: it is 11 x 7, but there are 12 ages"):
        sets.load_authors_npy(tmp_path)


def test_a_row_of_the_authors_arrays_with_nan_is_left_out(tmp_path):
    write_authors(tmp_path)
    values = np.load(tmp_path / "features1.npy")
    values[4, 2] = np.nan
    np.save(tmp_path / "features1.npy", values)
    (left,) = sets.load_authors_npy(tmp_path).skipped
    assert left.what == "row 4 of features1.npy has values that are not numbers"


def test_a_case_list_takes_rows_of_a_table_and_vectors(tmp_path):
    write_age_cases(tmp_path)
    subset = found(tmp_path)
    assert (subset.layout, len(subset.cases)) == ("cases", 12)
    assert subset.columns == {"smri": ("a", "b", "c"), "fmri": ("0", "1", "2", "3")}
    case = subset.cases[3]
    assert (case.age_years, case.sex, case.site) == (33.0, "M", "HH")
    assert case.rows["fmri"].tolist() == np.load(tmp_path / "c3.npy").tolist()


def test_cases_whose_files_do_not_fit_are_left_out_with_the_reason(tmp_path):
    path = write_age_cases(tmp_path)
    np.save(tmp_path / "c3.npy", np.zeros(5))
    (tmp_path / "c5.npy").unlink()
    np.save(tmp_path / "c7.npy", np.full(4, np.nan))
    left = {one.case: one.what for one in sets.load_age_cases(path).skipped}
    assert left["c3"] == '"c3.npy" has 5 values, the first case 4'
    assert '"c5.npy" is not there' in left["c5"]
    assert "no value that is a number" in left["c7"]


def test_cases_without_a_row_of_their_own_are_left_out_by_name(tmp_path):
    path = write_age_cases(tmp_path)
    table = tmp_path / "smri.csv"
    table.write_text(table.read_text().replace("\nc4,", "\nc3,"))
    assert {one.case: one.what for one in sets.load_age_cases(path).skipped} == {
        "c3": 'smri.csv: it has 2 rows of the case "c3"; one is needed',
        "c4": 'smri.csv: it has 0 rows of the case "c4"; one is needed',
    }
