"""What a training leaves for the next start, and what one of its kind took."""

import pytest

from medview.services.training_notes import (
    TIMES,
    WISH,
    expected,
    note_time,
    read_times,
    read_wish,
    write_wish,
)


def test_time_goes_with_epochs_and_cases(tmp_path):
    assert expected(read_times(tmp_path), "cxr full", epochs=1, cases=1) is None
    note_time(tmp_path, "cxr full", seconds=60, epochs=3, cases=20, memory_mb=800)
    found = expected(read_times(tmp_path), "cxr full", epochs=6, cases=40)
    assert found.seconds == pytest.approx(240)
    assert found.memory_mb == 800
    assert expected(read_times(tmp_path), "cxr head", epochs=6, cases=40) is None


def test_a_training_without_an_epoch_says_nothing(tmp_path):
    note_time(tmp_path, "cxr full", seconds=60, epochs=0, cases=20, memory_mb=1)
    assert expected(read_times(tmp_path), "cxr full", epochs=1, cases=1) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cxr full": 3}'])
def test_damaged_notes_are_no_notes(tmp_path, text):
    (tmp_path / TIMES).write_text(text)
    (tmp_path / WISH).write_text(text)
    assert expected(read_times(tmp_path), "cxr full", epochs=1, cases=1) is None
    assert read_wish(tmp_path).get("data") is None


def test_a_wish_comes_back(tmp_path):
    write_wish(tmp_path / "new", {"data": "x", "epochs": 3})
    assert read_wish(tmp_path / "new") == {"data": "x", "epochs": 3}
