"""The index of results: rows in the order they were filed, made again from what there is."""

import sqlite3
from dataclasses import replace

import pytest

from medview.domain.errors import ReadError
from medview.io.result_index import (
    VERSION,
    Entry,
    connected,
    entries,
    insert,
    is_sound,
    rebuild,
    remove,
)


def entry(number, **fields):
    made = Entry(
        id=f"r{number}",
        study="1.1",
        series=f"1.1.{number}#0",
        sha256="ab" * 32,
        model="anomaly",
        version="1.2",
        made_at="2026-03-14T10:41:00+00:00",
        filed_at=f"2026-03-14T10:42:00.{number:06d}+00:00",
        device="cpu",
        seconds=31.25,
        peak_memory_mb=2100.5,
        voxels=32768,
        samples=5,
    )
    return replace(made, **fields)


def made(path, *found):
    steps = []
    rebuild(path, found, steps.append)
    return steps


def kept(path, *where):
    with connected(path) as base:
        return entries(base, *where)


def test_every_row_comes_back_with_its_values_and_kinds(tmp_path):
    given = tuple(entry(n) for n in range(4))
    made(tmp_path / "index", *reversed(given))
    assert kept(tmp_path / "index") == given
    assert is_sound(tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_of_one_version_on_the_same_pixels_the_last_one_filed_stays(tmp_path):
    first = entry(1)
    again = replace(entry(2), series=first.series)
    other_version = replace(entry(3), series=first.series, version="ward")
    other_pixels = replace(entry(4), series=first.series, sha256="cd" * 32)
    made(tmp_path / "index", again, first, other_version, other_pixels)
    assert kept(tmp_path / "index") == (again, other_version, other_pixels)


def test_rows_are_put_in_found_and_taken_out(tmp_path):
    path = tmp_path / "index"
    made(path, entry(1), entry(2))
    with connected(path) as base:
        insert(base, entry(3, study="9.9"))
        insert(base, entry(1, seconds=2.0))  # in the place of the one with its id
        remove(base, ["r2", "never there"])
        assert entries(base) == (entry(1, seconds=2.0), entry(3, study="9.9"))
        assert entries(base, "study = ?", "9.9") == (entry(3, study="9.9"),)
        # What comes from outside is a value, whatever it says.
        assert entries(base, "study = ?", "9.9' OR '1'='1") == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(4000)),
        lambda path: path.write_bytes(path.read_bytes()[:-2000]),
        lambda path: run(path, "PRAGMA user_version = 1"),
        lambda path: run(path, "ALTER TABLE results DROP COLUMN samples"),
    ],
)
def test_what_cannot_be_used_is_found_out_made_again_and_kept_aside(tmp_path, damage):
    path = tmp_path / "index"
    made(path, *(entry(n) for n in range(40)))
    damage(path)
    was_there = path.exists()
    assert not is_sound(path)
    steps = made(path, entry(1))
    assert steps[0] == "rebuild: made"
    assert steps[-1] == "rebuild: renamed"
    assert is_sound(path)
    assert kept(path) == (entry(1),)
    assert path.with_name("index.bad").exists() is was_there


def test_a_journal_of_the_damaged_index_is_not_played_into_the_new_one(tmp_path):
    path = tmp_path / "index"
    path.write_bytes(b"damaged")
    for name in ("index-journal", "index.new", "index.new-journal"):
        (tmp_path / name).write_bytes(b"left by a crash")
    made(path, entry(1))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["index", "index.bad"]
    assert kept(path) == (entry(1),)


def test_what_is_committed_is_on_the_disk(tmp_path):
    with connected(tmp_path / "index") as base:
        assert base.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA
        assert base.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def run(path, words):
    with connected(path) as base:
        base.execute(words)


def test_an_index_of_a_newer_program_is_refused_not_replaced(tmp_path):
    path = tmp_path / "index"
    made(path, entry(1))
    run(path, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(ReadError, match="newer medview"):
        is_sound(path)


def test_an_index_that_is_in_use_is_not_called_damaged(tmp_path, monkeypatch):
    path = tmp_path / "index"
    made(path, entry(1))
    monkeypatch.setattr("medview.io.result_index._BUSY_S", 0.01)
    with connected(path) as base:
        base.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            is_sound(path)
        base.execute("ROLLBACK")
    assert is_sound(path)


def test_versions_of_a_model_have_keys_of_their_own():
    assert entry(1).key == "anomaly@1.2"
    assert entry(1, version="ward").key == "anomaly@ward"
