import json
import stat
from pathlib import Path

import pytest
from services.stubs import LaterWriter

from medview.services.settings import (
    MOST_RECENT,
    Asked,
    Preferences,
    Settings,
    read_settings,
    write_settings,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "settings.json"


def test_settings_come_back_as_they_were_written(path):
    settings = Settings(theme="light", cine_rate=1.25, left_drag="scroll", recent=("/a", "/b"))
    write_settings(settings, path)
    assert read_settings(path) == settings


def test_a_missing_file_means_the_defaults(path):
    assert read_settings(path) == Settings()


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, "[1, 2]", "null", "\x00\xff", '"dark"'])
def test_a_damaged_file_means_the_defaults(tmp_path, body):
    path = tmp_path / "settings.json"
    path.write_text(body, "latin-1")
    assert read_settings(path) == Settings()


def test_a_value_that_makes_no_sense_leaves_the_others_alone(tmp_path):
    path = tmp_path / "settings.json"
    wrong = {"theme": "pink", "cine_rate": True, "threads": "two", "recent": [1], "no such": 1}
    path.write_text(json.dumps(wrong | {"left_drag": "pan", "private": True}))
    assert read_settings(path) == Settings(left_drag="pan", private=True)


def test_the_file_is_for_the_owner_only_and_nothing_else_is_left_beside_it(path):
    write_settings(Settings(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["settings.json"]


def test_a_change_is_in_force_told_and_kept(path):
    preferences = Preferences(path)
    heard = []
    preferences.changed.connect(heard.append)
    preferences.change(theme="light")
    assert heard == [Settings(theme="light")]
    assert Preferences(path).settings.theme == "light"


def test_a_disk_that_cannot_be_written_is_told_and_the_change_is_in_force(tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be")
    preferences = Preferences(tmp_path / "home" / "settings.json")
    heard = []
    preferences.unsaved.connect(heard.append)
    preferences.change(theme="light")
    assert preferences.settings.theme == "light"
    assert [error.file for error in heard] == ["settings.json"]


def test_recent_paths_stand_newest_first_once_each_and_not_too_many(path):
    preferences = Preferences(path)
    for n in [*range(MOST_RECENT + 3), 5]:
        preferences.remember(Path(f"/data/{n}"))
    recent = preferences.settings.recent
    assert recent[:2] == ("/data/5", f"/data/{MOST_RECENT + 2}")
    assert len(recent) == len(set(recent)) == MOST_RECENT


def test_in_private_mode_no_path_is_kept(path):
    preferences = Preferences(path)
    preferences.change(private=True)
    preferences.remember(Path("/data/ZQ7PN-Name"))
    assert preferences.settings.recent == ()
    assert "ZQ7PN" not in path.read_text()


@pytest.fixture
def late(path):
    """Settings that are kept, on a disk that has not answered in time."""
    kept = Settings(theme="light", cine_rate=3.0, recent=("/a", "/b"))
    write_settings(kept, path)
    return Preferences(path, LaterWriter())


def test_a_disk_that_takes_too_long_leaves_the_defaults_until_it_answers(late):
    heard = []
    late.changed.connect(heard.append)
    late.arrived.connect(lambda: heard.append("arrived"))
    assert (late.is_late, late.settings) == (True, Settings())
    late.writer.go_on()
    assert late.settings == Settings(theme="light", cine_rate=3.0, recent=("/a", "/b"))
    assert heard == [late.settings, "arrived"]
    assert not late.is_late


def test_what_is_changed_before_the_settings_are_read_takes_nothing_else_away(late, path):
    late.change(threads=3)
    late.remember(Path("/c"))
    late.change(cine_rate=5.0)
    late.change(cine_rate=10.0)  # as it is usually, and still a choice
    for piece in late.writer.waiting:  # the window hears of nothing any more
        assert piece.do() is None
    wanted = Settings(theme="light", threads=3, recent=("/c", "/a", "/b"))
    assert read_settings(path) == wanted
    late.writer.go_on()
    assert late.settings == wanted


def test_no_folder_is_kept_where_private_mode_was_chosen_and_is_read_late(path):
    write_settings(Settings(private=True), path)
    late = Preferences(path, LaterWriter())
    late.remember(Path("/data/ZQ7PN-Name"))
    while late.writer.waiting:
        late.writer.go_on()
    assert (late.settings.private, late.settings.recent) == (True, ())
    assert "ZQ7PN" not in path.read_text()


def test_what_was_asked_of_this_start_is_in_force_and_not_kept(path):
    write_settings(Settings(device="auto", threads=4), path)
    preferences = Preferences(path, asked=Asked("cpu", 2, 9))
    now = preferences.settings
    assert (now.device, now.threads, preferences.seed) == ("cpu", 2, 9)
    preferences.change(theme="light")
    assert (preferences.settings.device, preferences.settings.threads) == ("cpu", 2)
    assert read_settings(path) == Settings(theme="light", device="auto", threads=4)


def test_a_device_chosen_since_takes_the_place_of_what_was_asked(path):
    preferences = Preferences(path, asked=Asked("cpu", 2))
    preferences.change(device="cuda")
    assert (preferences.settings.device, preferences.settings.threads) == ("cuda", 2)
    assert read_settings(path) == Settings(device="cuda")


def test_what_was_asked_stays_in_force_when_settings_come_late(path):
    write_settings(Settings(device="cuda", theme="light"), path)
    writer = LaterWriter()
    preferences = Preferences(path, writer, asked=Asked("cpu"))
    assert preferences.is_late
    assert preferences.settings.device == "cpu"
    writer.go_on()
    assert preferences.settings == Settings(device="cpu", theme="light")
