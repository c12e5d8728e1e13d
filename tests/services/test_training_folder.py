"""What a training leaves in its folder, looked at on a disk that takes its time."""

import pytest
from services.stubs import LaterWriter

from medview.domain.training import BEGUN_WITH
from medview.services import training_folder
from medview.services.training_folder import TrainingFolder


@pytest.fixture
def folder(preferences):
    return TrainingFolder(preferences)


def seen(folder, **fields):
    found = []
    folder.look(found.append, **fields)
    return found[0]


def test_one_with_a_checkpoint_and_no_outcome_can_go_on(folder):
    assert not seen(folder).can_go_on
    (folder.path / "checkpoint").mkdir(parents=True)
    (folder.path / "checkpoint" / BEGUN_WITH).touch()
    assert not seen(folder).can_go_on
    (folder.path / "checkpoint" / "last.pt").touch()
    assert seen(folder).can_go_on
    folder.weights.touch()
    assert not seen(folder).can_go_on


def test_a_new_training_finds_nothing_and_one_that_goes_on_what_it_left(folder):
    for n in (1, 12):
        (folder.path / "preview" / f"{n:04}").mkdir(parents=True)
        (folder.path / "preview" / f"{n:04}" / folder.weights.name).touch()
    found = []
    folder.make_room({"data": "a"}, found.append, resume=True)
    assert (found[0].preview.parent.name, found[0].begun) == ("0012", {"data": "a"})
    folder.make_room(None, found.append, resume=False)
    assert (found[1].preview, found[1].begun, folder.path.exists()) == (None, {}, False)


def test_nobody_waits_and_a_disk_that_refuses_is_nothing_found(folder, preferences, monkeypatch):
    folder.path.mkdir()
    preferences.writer = LaterWriter()
    found = []
    folder.look(found.append)
    folder.clear()
    assert (found, folder.path.exists()) == ([], True)

    def gone(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(training_folder, "curves_in", gone)
    preferences.writer.go_on()
    assert found == [None]
    preferences.writer.go_on()
    assert not folder.path.exists()
