"""OpenBHB in miniature, in both layouts; what is wrong is named by column and row."""

import numpy as np
import pytest
from age_sets import OPENBHB_HEADER, write_openbhb, write_rows

from medview.domain.errors import DataError
from medview.learning import openbhb_sets
from medview.learning.cases import find_subsets


def found(path):
    (subset,) = find_subsets((str(path),), "brain-age")
    return subset


@pytest.mark.parametrize("flat", [False, True])
def test_openbhb_in_both_layouts_keeps_ids_and_parts(tmp_path, flat):
    write_openbhb(tmp_path, flat=flat)
    subset = found(tmp_path)
    assert subset.layout == ("openbhb-ramp" if flat else "openbhb")
    assert len(subset.cases) == 12
    first = subset.cases[0]
    assert (first.case, first.sex, first.age_years) == ("100000000000", "M", 20.5)
    assert [case.split for case in subset.cases[:4]] == ["train", "train", "test", "test"]
    assert first.rows["smri"].shape == (284 + 476 + 1036,)
    assert subset.columns["smri"][0] == "vbm_0000"


def test_openbhb_ids_rounded_by_a_spreadsheet_are_refused(tmp_path):
    write_openbhb(tmp_path)
    table = tmp_path / "participants.tsv"
    table.write_text(table.read_text().replace("100001234567", "1.00001E+11"))
    with pytest.raises(DataError, match=r'row 3, column "participant_id": "1\.00001E\+11"'):
        openbhb_sets.load_openbhb(tmp_path)


def test_an_openbhb_participant_without_arrays_is_left_out_by_row(tmp_path):
    write_openbhb(tmp_path)
    table = tmp_path / "participants.tsv"
    table.write_text(table.read_text().replace("100001234567", "100001234568"))
    (left,) = openbhb_sets.load_openbhb(tmp_path).skipped
    assert left.case == "100001234568"
    assert "row 3: no array preproc-cat12vbm" in left.what


def test_an_openbhb_array_of_another_length_is_refused(tmp_path):
    write_openbhb(tmp_path, flat=True)
    np.save(next(tmp_path.glob("*desikan*")), np.zeros((1, 7, 60), np.float32))
    with pytest.raises(DataError, match="420 values, not 476"):
        openbhb_sets.load_openbhb_ramp(tmp_path)


def test_openbhb_needs_its_columns(tmp_path):
    write_openbhb(tmp_path)
    header = ["years" if name == "age" else name for name in OPENBHB_HEADER]
    write_rows(tmp_path / "participants.tsv", header, [], "\t")
    with pytest.raises(DataError, match='the column "age" is missing'):
        openbhb_sets.load_openbhb(tmp_path)


def test_ramp_matrices_give_their_regional_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(openbhb_sets, "_RAMP", (("vbm", 5), ("quasiraw", 6), ("xhemi", 7)))
    matrix = np.arange(3 * (18 + 1796), dtype=np.float32).reshape(3, -1)
    np.save(tmp_path / "train.npy", matrix)
    rows = [["1", "20", "0", "train"], ["2", "30", "1", "train"], ["3", "40", "1", "train"]]
    write_rows(tmp_path / "train.tsv", ("participant_id", "age", "site", "split"), rows, "\t")
    subset = found(tmp_path)
    assert subset.layout == "openbhb-ramp"
    assert subset.cases[1].rows["smri"].tolist() == matrix[1, 18:].tolist()
    np.save(tmp_path / "train.npy", matrix[:2])
    with pytest.raises(DataError, match="2 x 1814"):
        openbhb_sets.load_openbhb_ramp(tmp_path)
