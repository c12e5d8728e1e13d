"""Workspaces on a disk that takes its time, or refuses."""

import json

import pytest
from services.stubs import LaterWriter

from medview.domain.errors import WriteError
from medview.services import workspace_files
from medview.services.workspace import Workspace
from medview.services.workspace_files import Draft, read_workspace
from medview.services.workspace_store import WorkspaceStore
from medview.services.writing import AtOnce

ONE, TWO = Workspace(map_name="one"), Workspace(map_name="two")


class Desk:
    def __init__(self, root):
        self.root, self.writer, self.said = root, LaterWriter(), []
        self.store = WorkspaceStore(root, self.writer, lambda error: self.said.append(error.what))

    def go_on(self):
        while self.writer.waiting:
            self.writer.go_on()

    def read(self, study):
        """What is read once what was put last has been done; what was put before still waits."""
        found = []
        self.store.read(study, found.append)
        if not found:
            self.writer.waiting.insert(0, self.writer.waiting.pop())
            self.writer.go_on()
        return found[0]

    def lost(self):
        found = []
        self.store.lost(found.extend)
        self.go_on()
        return found


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "workspaces")


def refused(monkeypatch):
    def full(path):
        raise WriteError("the disk is full", file=path.name)

    monkeypatch.setattr(workspace_files, "own_file", full)


def test_a_study_that_was_just_left_comes_back_before_the_disk_has_it(desk):
    desk.store.keep("s", ONE)
    assert desk.read("s") is ONE
    assert not desk.root.exists()
    desk.go_on()
    assert desk.read("s") == read_workspace(desk.root, "s") == ONE
    assert desk.read("s") is not ONE


def test_of_two_that_are_on_their_way_the_newer_one_counts(desk):
    desk.store.keep("s", ONE)
    desk.store.keep("s", TWO)
    desk.writer.go_on()
    assert desk.read("s") is TWO
    desk.go_on()
    assert desk.read("s") == TWO


def test_what_is_forgotten_is_gone_at_once_and_what_is_kept_again_is_there(desk):
    desk.store.keep("s", ONE)
    desk.go_on()
    desk.store.forget("s")
    assert desk.read("s") is None
    assert read_workspace(desk.root, "s") == ONE
    desk.store.keep("s", TWO)
    desk.writer.go_on()
    assert desk.read("s") is TWO
    desk.go_on()
    assert desk.read("s") == TWO
    desk.store.forget("s")
    desk.go_on()
    assert list(desk.root.iterdir()) == []


def test_a_full_disk_is_told_once_and_nothing_is_lost_while_the_program_runs(desk, monkeypatch):
    with monkeypatch.context() as patch:
        refused(patch)
        for n in range(3):
            desk.store.keep_draft(Draft("s", f"{n}", ONE))
        desk.store.keep("s", ONE)
        desk.go_on()
        refusal = (
            "drawings and layout of this study could not be kept in medview's own folder "
            "(the disk is full)"
        )
        assert desk.said == [refusal]
        assert desk.read("s") is ONE
    desk.store.keep("s", TWO)
    desk.go_on()
    assert read_workspace(desk.root, "s") == TWO
    refused(monkeypatch)
    desk.store.keep("s", ONE)
    desk.go_on()
    assert desk.said == [refusal] * 2


def test_what_cannot_be_deleted_is_said(desk):
    (desk.root / "s.json").mkdir(parents=True)
    desk.store.forget("s")
    desk.go_on()
    assert desk.said == ["what was kept of this study cannot be deleted"]


def lost_by_a_kill(root):
    """A draft of another program, which was killed."""
    WorkspaceStore(root, AtOnce(), lambda error: None).keep_draft(Draft("s", "1", ONE))
    (file,) = root.glob("*.draft.json")
    body = json.loads(file.read_text())
    body["process"]["started"] -= 1000
    file.write_text(json.dumps(body))


def test_what_was_lost_is_there_at_once_when_it_is_taken_back(desk):
    lost_by_a_kill(desk.root)
    found = []
    desk.store.recover(found.extend)
    desk.writer.go_on()
    assert [draft.workspace for draft in found] == [ONE]
    assert desk.read("s") == ONE
    desk.go_on()
    assert desk.lost() == []
    assert read_workspace(desk.root, "s") == ONE


def test_what_was_lost_can_be_left_away(desk):
    lost_by_a_kill(desk.root)
    desk.store.skip()
    assert len(list(desk.root.iterdir())) == 1
    assert desk.lost() == []
    assert desk.read("s") is None
