"""What a training leaves for the next start, and what one of its kind took."""

import pytest

from medview.services.training_notes import (
    TIMES,
    WISH,
    Amount,
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


@pytest.mark.parametrize(
    ("model", "folds", "threads", "device", "wanted"),
    [
        ("anomaly", 5, 4, "cpu", Amount("anomaly train, side by side", 2, 4)),
        ("anomaly", 5, 6, "auto", Amount("anomaly train, side by side", 1, 6)),
        ("anomaly", 5, 1, "cpu", Amount("anomaly train", 6)),
        ("anomaly", 5, 4, "cuda:0", Amount("anomaly train", 6)),
        ("anomaly", 0, 4, "cpu", Amount("anomaly train")),
        ("region-net", 3, 4, "cpu", Amount("region-net train, side by side", 1, 4)),
        ("cxr", 5, 4, "cpu", Amount("cxr train", 6)),
    ],
)
def test_networks_at_once_take_as_long_as_one(model, folds, threads, device, wanted, monkeypatch):
    monkeypatch.setattr(
        "medview.services.training_notes.networks_at_once",
        lambda mb, threads, device: threads if device == "cpu" else 1,
    )
    monkeypatch.setattr("medview.services.training_notes.may_have_gpu", lambda: False)
    found = Amount.of(model, "train", folds=folds, threads=threads, device=device)
    assert found == wanted


def test_a_training_without_an_epoch_says_nothing(tmp_path):
    note_time(tmp_path, "cxr full", seconds=60, epochs=0, cases=20, memory_mb=1)
    assert expected(read_times(tmp_path), "cxr full", epochs=1, cases=1) is None


def test_the_run_nearest_in_amount_tells_the_last_of_those(tmp_path):
    for seconds, epochs in ((50, 1), (900, 100), (1000, 100), (70, 2)):
        note_time(tmp_path, "cxr full", seconds=seconds, epochs=epochs, cases=10, memory_mb=800)

    def seconds_of(epochs):
        return expected(read_times(tmp_path), "cxr full", epochs=epochs, cases=10).seconds

    assert seconds_of(200) == pytest.approx(2000)
    assert seconds_of(1) == pytest.approx(50)
    assert seconds_of(4) == pytest.approx(140)
    for _ in range(3):
        note_time(tmp_path, "cxr full", seconds=7, epochs=1, cases=10, memory_mb=800)
    assert seconds_of(1) == pytest.approx(7)
    assert seconds_of(2) == pytest.approx(70)
    assert seconds_of(100) == pytest.approx(3500)


_ZERO = '{"cxr full": [{"epochs": 0, "cases": 3, "seconds": 1, "memory_mb": 2}, {"epochs": 1}, 5]}'


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cxr full": 3}', _ZERO])
def test_damaged_notes_are_no_notes(tmp_path, text):
    (tmp_path / TIMES).write_text(text)
    (tmp_path / WISH).write_text(text)
    assert expected(read_times(tmp_path), "cxr full", epochs=1, cases=1) is None
    assert read_wish(tmp_path).get("data") is None


def test_a_wish_comes_back(tmp_path):
    write_wish(tmp_path / "new", {"data": "x", "epochs": 3})
    assert read_wish(tmp_path / "new") == {"data": "x", "epochs": 3}
