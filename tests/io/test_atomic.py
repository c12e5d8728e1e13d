import errno
import os
from pathlib import Path

import pytest

from medview.domain.errors import WriteError
from medview.io import atomic
from medview.io.atomic import filled_folder, own_file, own_folder, sweep, whole_file, whole_folder


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.rglob("*"))


def test_a_file_stands_at_its_place_only_after_the_block(tmp_path):
    target = tmp_path / "new" / "r.nii.gz"
    with whole_file(target) as draft:
        draft.write_bytes(b"abc")
        assert not target.exists()
        assert draft.name.endswith(".nii.gz")  # writers choose their format by it
    assert target.read_bytes() == b"abc"
    assert names(tmp_path) == ["new", "r.nii.gz"]


def test_an_interrupted_file_leaves_the_old_one_and_nothing_else(tmp_path):
    target = tmp_path / "r.pdf"
    target.write_bytes(b"old")

    def write_and_stop():
        with whole_file(target) as draft:
            draft.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["r.pdf"]


def test_folders_made_for_a_file_that_failed_go_with_it(tmp_path):
    with pytest.raises(ValueError, match="no"), whole_file(tmp_path / "a" / "b" / "r.pdf"):
        raise ValueError("no")
    assert names(tmp_path) == []


def test_a_folder_for_finished_ones_goes_only_where_nothing_was_finished(tmp_path):
    def stop_after(*finished):
        with filled_folder(tmp_path / "a" / "b"):
            for name in finished:
                (tmp_path / "a" / "b" / name).touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_after()
    assert names(tmp_path) == []
    with pytest.raises(KeyboardInterrupt):
        stop_after("one")
    assert names(tmp_path) == ["a", "b", "one"]
    with pytest.raises(WriteError, match="is a file"), filled_folder(tmp_path / "a" / "b" / "one"):
        pass


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "r.pdf: the disk is full. Free some space and write it again."),
        (errno.EACCES, "r.pdf: may not be written here. Choose a folder you may write to."),
        (errno.EIO, "r.pdf: could not be written (Input/output error). Try another folder."),
    ],
)
def test_what_the_system_refuses_is_told_in_a_sentence(tmp_path, number, sentence):
    with pytest.raises(WriteError) as caught, whole_file(tmp_path / "r.pdf"):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == sentence
    assert names(tmp_path) == []


def test_a_library_that_raises_the_systems_error_anew_hides_no_reason(tmp_path):
    def save():
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise OSError(f"With tag 7FE0,0010: {error}") from error

    with pytest.raises(WriteError, match="the disk is full"), whole_file(tmp_path / "r.dcm"):
        save()


def test_who_fills_a_draft_is_refused_by_the_name_of_the_file(tmp_path):
    def fill(draft):
        with whole_file(draft):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(WriteError) as caught, whole_file(tmp_path / "head.nii.gz") as draft:
        fill(draft)
    assert caught.value.file == "head.nii.gz"


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_an_error_of_a_child_that_knows_no_name_gets_that_of_what_it_filled(tmp_path, whole):
    with pytest.raises(WriteError) as caught, whole(tmp_path / "out"):
        raise WriteError("the disk is full", do="Free some space.")
    assert str(caught.value) == "out: the disk is full. Free some space."
    assert names(tmp_path) == []


def test_a_file_below_a_file_is_refused(tmp_path):
    (tmp_path / "notes").write_text("x")
    with pytest.raises(WriteError, match="lies below a file"), whole_file(tmp_path / "notes" / "r"):
        raise AssertionError("must not be reached")


def test_a_folder_as_the_name_of_a_file_is_refused(tmp_path):
    with pytest.raises(WriteError, match="is a folder"), whole_file(tmp_path):
        raise AssertionError("must not be reached")


def test_a_new_folder_appears_with_all_it_holds(tmp_path):
    with whole_folder(tmp_path / "out") as draft:
        (draft / "maps").mkdir()
        (draft / "maps" / "a").write_text("1")
        assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ["a", "maps", "out"]


def test_a_folder_that_exists_keeps_what_is_not_replaced(tmp_path):
    out = tmp_path / "out"
    (out / "maps").mkdir(parents=True)
    (out / "maps" / "old").write_text("old")
    (out / "notes.txt").write_text("mine")
    with whole_folder(out) as draft:
        (draft / "maps").mkdir()
        (draft / "maps" / "new").write_text("new")
    assert names(out) == ["maps", "new", "notes.txt"]
    assert names(tmp_path) == ["maps", "new", "notes.txt", "out"]


def test_when_one_entry_cannot_be_replaced_the_old_ones_come_back(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("a", "b"):
        (out / name).write_text("old")
    really = os.replace

    def refuse_b(source, target):
        if Path(target) == out / "b" and "draft" in str(source):
            raise OSError(errno.ENOSPC, "No space left on device")
        really(source, target)

    def write_new():
        with whole_folder(out) as draft:
            for name in ("a", "b"):
                (draft / name).write_text("new")
            monkeypatch.setattr(os, "replace", refuse_b)

    with pytest.raises(WriteError, match="disk is full"):
        write_new()
    assert {item.name: item.read_text() for item in out.iterdir()} == {"a": "old", "b": "old"}
    assert names(tmp_path) == ["a", "b", "out"]


def test_what_cannot_be_put_back_is_kept_and_named(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("a", "b"):
        (out / name).write_text("old")
    really, broken = os.replace, []

    def break_at_b(source, target):
        if broken or Path(source).parts[-2:] == ("draft", "b"):
            broken.append(source)
            raise OSError(errno.EIO, "Input/output error")
        really(source, target)

    def write_new():
        with whole_folder(out) as draft:
            for name in ("a", "b"):
                (draft / name).write_text("new")
            monkeypatch.setattr(os, "replace", break_at_b)

    with pytest.raises(WriteError, match="not be put back: that is in") as told:
        write_new()
    (place,) = (item for item in tmp_path.iterdir() if item != out)
    assert f"{place.name}/old" in told.value.what
    assert told.value.file == "out"
    kept = {item.name: item.read_text() for item in (place / "old").iterdir()}
    assert kept == {"a": "old", "b": "old"}


def test_a_folder_is_on_the_disk_with_the_names_of_what_it_holds(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(atomic, "sync", lambda path: synced.append(path.name))
    for _ in range(2):
        with whole_folder(tmp_path / "out") as draft:
            (draft / "a").write_text("new")
    assert synced == ["a", "draft", tmp_path.name, "a", "draft", "out", tmp_path.name]


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_draft_is_found_from_any_folder(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with whole(Path("out")) as draft:
        assert draft.is_absolute()
        draft.touch()
    assert (tmp_path / "out").exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(WriteError, match="is a file"), whole_folder(tmp_path / "out"):
        raise AssertionError("must not be reached")


def test_drafts_of_killed_processes_are_swept_and_held_ones_stay(tmp_path, monkeypatch):
    called = (".medview-a1b2c3d4", ".medview-b2_c3_d4", "case-1")
    left, moved, other = (tmp_path / name for name in called)
    (left / "draft").mkdir(parents=True)
    (left / "draft" / "result.json").write_text("{")
    (moved / "old").mkdir(parents=True)
    other.mkdir()
    sweep(tmp_path)
    assert left.is_dir()  # so new a draft may not be held yet
    monkeypatch.setattr(atomic, "_NEW_S", -1.0)
    with whole_folder(tmp_path / "case-2") as draft:
        (draft / "result.json").write_text("{}")
        sweep(tmp_path)
        assert draft.is_dir()
    assert names(tmp_path) == [".medview-b2_c3_d4", "case-1", "case-2", "old", "result.json"]


def test_folders_that_are_only_called_like_drafts_are_not_swept(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_NEW_S", -1.0)
    (tmp_path / ".medview-home").mkdir()
    (tmp_path / ".medview-mystudy1").mkdir()
    (tmp_path / ".medview-mystudy1" / "notes.txt").write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".medview-linked00").symlink_to(tmp_path / "elsewhere")
    before = names(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == before


def test_a_file_for_its_owner_makes_no_folder_that_others_may_look_into(tmp_path):
    target = tmp_path / "home" / "drafts" / "one.json"
    with own_file(target) as draft:
        draft.write_text("words")
    assert target.read_text() == "words"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [p.stat().st_mode & 0o777 for p in (target.parent, tmp_path / "home")] == [0o700] * 2
    own_folder(tmp_path / "home")  # what is there stays


def test_a_file_for_its_owner_below_a_file_is_refused(tmp_path):
    (tmp_path / "notes").write_text("words")
    with pytest.raises(WriteError, match="lies below a file"), own_file(tmp_path / "notes" / "r"):
        raise AssertionError("never reached")
