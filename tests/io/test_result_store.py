import os
from dataclasses import replace

import numpy as np
import pytest
from result_phantom import card, exam, head, prediction_on

from medview.cli.benches.kill import ask, fast_folder
from medview.cli.benches.kill_work import made
from medview.domain.errors import ReadError, WriteError
from medview.domain.prediction import Opinion
from medview.domain.progress import Silent
from medview.io.result_index import Binding
from medview.io.result_store import CRASH_POINTS, ResultStore
from medview.io.seen import salted

ABOUT = Binding("1.2.3", "1.2.3.4.55667788#0", "ab" * 32)


@pytest.fixture
def store(tmp_path):
    return ResultStore(tmp_path / "results")


def filed(store, study="1.0", value=0.5, **fields):
    about, prediction = made(study, value)
    return store.add(Silent(), about, replace(prediction, **fields))


def value_of(store, entry):
    return store.load(Silent(), entry).prediction.scores[0].value


def test_a_result_comes_back_as_it_was(store, tmp_path):
    prediction = prediction_on(head())
    known = salted(card())
    entry = store.add(Silent(), ABOUT, prediction, exam(), known)
    again = ResultStore(tmp_path / "results")
    kept = again.load(Silent(), again.find(ABOUT.series, ABOUT.sha256)[0])
    assert kept.entry == entry
    assert kept.prediction.scores == prediction.scores
    assert kept.prediction.findings == prediction.findings
    for name in ("score", "total"):
        assert np.array_equal(kept.prediction.map(name).array, prediction.map(name).array)
    assert kept.card == known


def test_only_the_very_pixels_find_their_results(store):
    filed(store)
    assert store.find("1.0.1#0", "pixels of 1.0")
    assert store.find("1.0.1#0", "other pixels") == ()
    assert store.find("1.0.1#1", "pixels of 1.0") == ()


def test_no_identity_is_kept(store, tmp_path):
    store.add(Silent(), ABOUT, prediction_on(head()), exam(), card())
    for path in (tmp_path / "results").rglob("*"):
        if path.is_file():
            for word in (exam().name, exam().patient_id, exam().birth_date):
                assert word.encode() not in path.read_bytes()


def test_a_newer_run_takes_the_place_of_the_older_one_of_its_model_only(store, tmp_path):
    filed(store, value=0.25)
    other = filed(store, value=0.5, model="other")
    newer = filed(store, value=0.75)
    assert {each.id for each in store.find("1.0.1#0", "pixels of 1.0")} == {newer.id, other.id}
    assert len(list((tmp_path / "results" / "data").iterdir())) == 2


def test_results_of_two_versions_stand_side_by_side_also_in_a_new_index(store, tmp_path):
    first = filed(store, value=0.25)
    second = filed(store, value=0.5, version="1.1")
    newest = filed(store, value=0.75, version="1.1")
    assert {each.id for each in store.entries()} == {first.id, newest.id} != {second.id}
    (tmp_path / "results" / "index.sqlite").unlink()
    again = ResultStore(tmp_path / "results").entries()
    assert [(each.key, each.id) for each in again] == [
        ("anomaly@1.0", first.id),
        ("anomaly@1.1", newest.id),
    ]


def test_answers_of_the_reader_stay_with_the_result(store):
    entry = filed(store)
    said = (Opinion("score anomaly", "agree", "A reader", "2026-11-21T10:00:00+00:00"),)
    store.judge(entry.id, said)
    assert store.load(Silent(), entry).opinions == store.answers(entry.id) == said
    assert store.answers("never filed") == ()
    store.judge(entry.id, ())
    assert store.load(Silent(), entry).opinions == ()


@pytest.mark.parametrize("damaged", ["{", "[]", '{"opinions": [{"newer": 1}]}'])
def test_answers_that_cannot_be_read_are_told_and_never_replaced(store, tmp_path, damaged):
    entry = filed(store)
    place = tmp_path / "results" / "data" / entry.id / "opinions.json"
    place.write_text(damaged)
    kept = store.load(Silent(), entry)
    assert kept.prediction.scores
    assert kept.opinions == ()
    assert "opinions.json: is damaged" in str(kept.doubt)
    said = (Opinion("score anomaly", "agree", "A reader", "2026-11-21T10:00:00+00:00"),)
    store.judge(entry.id, said)
    aside = list((tmp_path / "results" / "damaged").iterdir())
    assert [each.read_text() for each in aside] == [damaged]
    assert aside[0].name.startswith(entry.id)
    again = store.load(Silent(), entry)
    assert (again.opinions, again.doubt) == (said, None)
    store.judge(entry.id, ())
    assert len(list((tmp_path / "results" / "damaged").iterdir())) == 1


def test_what_is_not_there_any_more_is_not_judged(store):
    entry = filed(store)
    store.forget(entry.study)
    with pytest.raises(ReadError, match="stored no more"):
        store.judge(entry.id, ())


def test_the_same_result_filed_again_is_one_and_leaves_no_draft(store, tmp_path):
    first, again = filed(store), filed(store)
    assert again.id == first.id
    assert [each.id for each in store.entries()] == [first.id]
    assert value_of(store, again) == 0.5
    left = [list((tmp_path / "results" / name).iterdir()) for name in ("incoming", "trash")]
    assert left == [[], []]


@pytest.mark.parametrize(
    ("parameters", "samples"), [({"samples": 5}, 5), ({}, 0), ({"samples": "many"}, 0)]
)
def test_an_entry_says_what_the_run_took(parameters, samples, store):
    prediction = prediction_on(head())
    known = replace(prediction, maps=(), slices=(), parameters=parameters)
    entry = store.add(Silent(), ABOUT, known)
    assert (entry.voxels, entry.samples) == (40 * 48 * 36, samples)
    assert (entry.seconds, entry.peak_memory_mb, entry.device) == (31.2, 2100.0, "cpu")
    bare = store.add(Silent(), ABOUT, replace(known, inputs=()))
    assert bare.voxels == 0


def test_a_store_below_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match="lies below a file"):
        ResultStore(tmp_path / "file" / "results")


def test_a_deleted_study_takes_its_results_along_and_no_others(store, tmp_path):
    filed(store, "1.0")
    kept = filed(store, "1.1")
    assert store.forget("1.0") == 1
    assert store.entries() == (kept,)
    assert [path.name for path in (tmp_path / "results" / "data").iterdir()] == [kept.id]


@pytest.mark.parametrize("damage", [b"", b"no index", None])
def test_the_index_is_made_again_from_the_files(store, tmp_path, damage):
    entries = [filed(store, f"1.{n}", n / 4) for n in range(3)]
    index = tmp_path / "results" / "index.sqlite"
    if damage is None:
        index.unlink()
    else:
        index.write_bytes(damage)
    again = ResultStore(tmp_path / "results")
    assert again.entries() == tuple(entries)
    assert value_of(again, entries[2]) == 0.5
    assert (damage is not None) == (tmp_path / "results" / "index.sqlite.bad").exists()


def test_flipped_bytes_anywhere_in_the_index_lose_nothing(store, tmp_path):
    entries = tuple(filed(store, f"1.{n}", n / 4) for n in range(2))
    index = tmp_path / "results" / "index.sqlite"
    whole = index.read_bytes()
    for place in range(0, len(whole), 397):
        index.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        found = ResultStore(tmp_path / "results").entries()
        assert len(found) == 2, place
    index.write_bytes(whole)
    assert ResultStore(tmp_path / "results").entries() == entries


def test_an_index_of_a_newer_program_is_left_alone(store, tmp_path):
    from medview.io.result_index import connected

    with connected(tmp_path / "results" / "index.sqlite") as base:
        base.execute("PRAGMA user_version = 99")
    with pytest.raises(ReadError, match="newer medview"):
        ResultStore(tmp_path / "results")


def test_a_file_that_rots_is_named(store, tmp_path):
    entry = filed(store)
    path = tmp_path / "results" / "data" / entry.id / "result.json"
    path.write_text(path.read_text().replace("0.5", "0.9"))
    with pytest.raises(ReadError, match=r"result\.json: is not the file that was stored"):
        store.load(Silent(), entry)


def test_a_folder_without_a_readable_label_is_set_aside_not_deleted(store, tmp_path):
    entry = filed(store)
    (tmp_path / "results" / "data" / entry.id / "about.json").write_text("{")
    (tmp_path / "results" / "index.sqlite").unlink()
    assert ResultStore(tmp_path / "results").entries() == ()
    assert (tmp_path / "results" / "damaged" / entry.id / "result.json").is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="may not be written"):
        ResultStore(tmp_path / "results")


def test_every_labelled_step_may_be_the_last_one():
    with fast_folder() as folder:
        told = ask("at_each_point", f"{folder}/steps")
    assert {each["point"] for each in told if each["ended_there"]} == set(CRASH_POINTS)
    assert len(CRASH_POINTS) >= 25
    assert [each for each in told if each["faults"]] == []


def test_random_kills_lose_nothing_that_was_acknowledged():
    with fast_folder() as folder:
        told = ask("main", folder, "12", "5")
    assert told["faults"] == []
    assert told["acknowledged"] > 0


def test_a_loss_would_be_seen(tmp_path):
    from medview.cli.benches.kill_work import faults_of

    store = ResultStore(tmp_path / "store")
    lines = [["adding", "1.0", "0.5"], ["added", "1.0", "0.5"]]
    assert faults_of(tmp_path / "store", lines) != []
    entry = filed(store)
    assert faults_of(tmp_path / "store", lines) == []
    assert faults_of(tmp_path / "store", [*lines, ["judging", "1.0", "agree"], ["judged", "1.0"]])
    store.judge(entry.id, (Opinion("score anomaly", "agree"),))
    assert faults_of(tmp_path / "store", lines) != []
