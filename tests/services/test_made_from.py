"""What results of a batch were made from: kept while it holds, named where it changed."""

import json
from dataclasses import replace

import pytest
from services.stubs import CARD

from medview.domain.errors import WriteError
from medview.services.inputs import Wanted
from medview.services.made_from import LEDGER, Made, asked_of, changed, note, read_ledger
from medview.services.running import RunOptions


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "series.csv"
    path.write_text("Hours,HR\n1,80\n")
    return path


@pytest.fixture
def result(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("{}")
    return path


def noted(tmp_path, asked, result) -> Made:
    note(tmp_path, "c1", asked, result)
    return read_ledger(tmp_path)["c1"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, ()),
        ({"alpha": 0.2}, ("alpha",)),
        ({"age_years": 60.0, "sex": "F"}, ("age", "sex")),
        ({"film_hour": 3.0}, ("film hour",)),
        ({"samples": 2, "seed": 1, "site": "A"}, ("samples", "seed", "site")),
        ({"precision": "bfloat16"}, ("precision",)),
        ({"maps": ("occlusion",)}, ("maps",)),
        ({"private": True}, ("whether words of the headers are told",)),
        ({"device": "cpu", "threads": 3}, ()),
    ],
)
def test_options_that_may_change_the_answer_are_named(tmp_path, table, result, options, why):
    wanted = Wanted(named=(("series", table),))
    made = noted(tmp_path, asked_of(CARD, wanted, RunOptions()), result)
    assert changed(made, asked_of(CARD, wanted, RunOptions(**options)), result) == why


def test_a_result_with_more_maps_than_wanted_holds(tmp_path, table, result):
    wanted = Wanted((table,))
    made = noted(tmp_path, asked_of(CARD, wanted, RunOptions(maps=("occlusion",))), result)
    assert changed(made, asked_of(CARD, wanted, RunOptions()), result) == ()


def test_other_words_in_a_file_other_weights_and_a_touched_result_are_named(
    tmp_path, table, result
):
    wanted = Wanted((table,))
    made = noted(tmp_path, asked_of(CARD, wanted, RunOptions()), result)
    table.write_text("Hours,HR\n1,81\n")
    result.write_text("{ }")
    card = replace(CARD, weights_sha256="0" * 64)
    now = asked_of(card, wanted, RunOptions())
    assert changed(made, now, result) == ("weights", "inputs", "its result file")
    assert changed(None, now, result) == ("what it was made from is not known",)


@pytest.mark.parametrize("beside", ["head.img", "head.raw"])
def test_the_values_of_a_header_lie_in_a_file_beside_it(tmp_path, beside):
    header = tmp_path / "head.hdr"
    header.write_bytes(b"header")
    (tmp_path / beside).write_bytes(b"1")
    first = asked_of(CARD, Wanted((header,)), RunOptions())
    (tmp_path / "other.img").write_bytes(b"of another one")
    assert asked_of(CARD, Wanted((header,)), RunOptions()) == first
    (tmp_path / beside).write_bytes(b"2")
    assert asked_of(CARD, Wanted((header,)), RunOptions()) != first


def test_a_folder_counts_with_all_its_files(tmp_path):
    folder = tmp_path / "study" / "series"
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_bytes(b"1")
    wanted = Wanted(named=(("t1", tmp_path / "study"),))
    first = asked_of(CARD, wanted, RunOptions())
    (folder / "2.dcm").write_bytes(b"2")
    assert asked_of(CARD, wanted, RunOptions()) != first


def test_a_line_that_was_cut_off_is_passed_over_and_the_last_one_counts(tmp_path, result):
    assert read_ledger(tmp_path) == {}
    note(tmp_path, "c1", {"seed": 1}, result)
    note(tmp_path, "c1", {"seed": 2}, result)
    whole = (tmp_path / LEDGER).read_text()
    (tmp_path / LEDGER).write_text(whole + '[]\n{"case": 3}\n' + json.dumps({"case": "c2"})[:7])
    assert {case: made.asked for case, made in read_ledger(tmp_path).items()} == {"c1": {"seed": 2}}
    note(tmp_path, "c3", {"seed": 3}, result)
    assert list(read_ledger(tmp_path)) == ["c1", "c3"]


def test_a_disk_that_refuses_is_told_by_the_name_of_the_file(tmp_path, result):
    (tmp_path / LEDGER).mkdir()
    with pytest.raises(WriteError, match="made_from"):
        note(tmp_path, "c1", {}, result)


def test_the_ledger_names_no_series(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"x")
    wanted = Wanted(paths=(tmp_path / "a.nii",), series="1.2.840.99.7")
    told, other = (
        asked_of(CARD, replace(wanted, series=uid), RunOptions()) for uid in ("1.2.840.99.7", "1.3")
    )
    assert "1.2.840.99.7" not in str(told)
    assert told["series"] != other["series"]
