"""A series is decoded from the wanted slice outward, and shown as it fills."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from dicom_files import catalogue, image, save
from running import children

from medview.domain.errors import Cancelled
from medview.domain.progress import Silent
from medview.domain.volume import Volume
from medview.io import dicom
from medview.io.crew import AT_HAND, Order
from medview.services.wire import room

COUNT = 30


@dataclass
class Child(Silent):
    """A job as the child for files gives it: with memory that processes share."""

    parts: list[Volume] = field(default_factory=list)
    reports: list[tuple[int, int]] = field(default_factory=list)
    wish: int | None = None
    cancelled_after: int = 10**9

    def room(self, size: int) -> memoryview:
        return memoryview(room(size))

    def hint(self) -> object:
        return self.wish

    def partial(self, payload: object) -> None:
        assert isinstance(payload, Volume)
        self.parts.append(payload)

    def report(self, done: int, total: int, text: str = "") -> None:
        self.reports.append((done, total))

    def check(self) -> None:
        if len(self.reports) > self.cancelled_after:
            raise Cancelled("stopped by the user")


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    slices = [
        image(np.full((40, 50), 100 + k, np.int16), ImagePositionPatient=[0, 0, 3.0 * k])
        for k in range(COUNT)
    ]
    folder: Path = save(slices, tmp_path_factory.mktemp("series"))
    return catalogue(folder).all_series()[0]


def test_processes_and_threads_decode_the_same_volume(series):
    apart, here = dicom.load(Child(), series), dicom.load(Silent(), series)
    np.testing.assert_array_equal(apart.array, here.array)
    assert apart.array[7, 0, 0] == 107
    assert not apart.array.flags.writeable


def test_without_a_wanted_slice_nothing_is_handed_over_before_the_end(series):
    job = Child()
    dicom.load(job, series)
    assert job.parts == []
    assert job.reports[-1] == (COUNT, COUNT)


@pytest.mark.parametrize("wanted", [0, 12, COUNT - 1])
def test_the_first_part_holds_the_wanted_slice_or_its_neighbour(wanted, series, monkeypatch):
    monkeypatch.setattr(dicom, "SHOW_EVERY_S", 0.0)
    # In a child: where another test has loaded torch, threads decode, and end in any order.
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    job = Child()
    whole = dicom.load(job, series, wanted=wanted)
    first = job.parts[0]
    there = set(range(COUNT)) - set(first.slices_to_come)
    # Several workers begin at once; those done may be any of the ones that were taken so far.
    order, most = Order(range(COUNT), wanted), len(there) + AT_HAND * (os.cpu_count() or 1)
    assert there <= {order.take() for _ in range(min(COUNT, most))}
    counts = [len(part.slices_to_come) for part in job.parts]
    assert counts == sorted(counts, reverse=True)
    assert whole.slices_to_come == first.missing_slices == ()


def test_parts_share_the_memory_of_the_whole(series, monkeypatch):
    monkeypatch.setattr(dicom, "SHOW_EVERY_S", 0.0)
    job = Child()
    whole = dicom.load(job, series, wanted=0)
    assert np.shares_memory(job.parts[0].array, whole.array)


@pytest.fixture
def one_by_one(monkeypatch):
    """Slices are decoded one after the other; their numbers are listed as they come."""
    taken = []

    def decoded(job, filling, order):
        while len(order):
            taken.append(order.take())
            filling.decode(taken[-1])
            yield taken[-1], None

    monkeypatch.setattr(dicom, "_decoded", decoded)
    return taken


@pytest.mark.parametrize(("wanted", "first"), [(None, COUNT // 2), (0, 0), (5, 5)])
def test_slices_come_from_the_wanted_one_outward(wanted, first, series, one_by_one):
    dicom.load(Silent(), series, wanted=wanted)
    assert sorted(one_by_one) == list(range(COUNT))
    away = [abs(k - first) for k in one_by_one]
    assert away == sorted(away)


def test_a_wish_is_followed_when_it_changes_and_only_then(series, one_by_one):
    class Wishing(Child):
        def hint(self):
            return None if len(one_by_one) < 3 else 20 if len(one_by_one) < 6 else 0

    dicom.load(Wishing(), series, wanted=10)
    first, second, last = one_by_one[:3], one_by_one[3:6], one_by_one[6:]
    assert sorted(first) == [9, 10, 11]
    assert sorted(second) == [19, 20, 21]
    assert last == sorted(last)  # from slice 0 on


def test_what_has_come_is_shown_at_once_and_then_now_and_then(series, one_by_one, monkeypatch):
    seconds = iter(range(1000))
    monkeypatch.setattr(dicom.clock, "monotonic", lambda: 100 + next(seconds))
    monkeypatch.setattr(dicom, "SHOW_EVERY_S", 5)
    job = Child()
    dicom.load(job, series, wanted=0)
    there = [COUNT - len(part.slices_to_come) for part in job.parts]
    assert there == list(range(1, COUNT, 5))
    assert job.reports == [(n, COUNT) for n in range(1, COUNT + 1)]


def test_the_whole_is_no_part_and_what_has_no_values_yet_is_not_shown(
    series, one_by_one, monkeypatch
):
    monkeypatch.setattr(dicom, "SHOW_EVERY_S", 0.0)
    job = Child()
    dicom.load(job, series, wanted=0)
    assert [len(part.slices_to_come) for part in job.parts] == list(range(COUNT - 1, 0, -1))
    job.parts.clear()
    monkeypatch.setattr(dicom.Filling, "so_far", lambda filling: None)
    dicom.load(job, series, wanted=0)
    assert job.parts == []


# On a crowded machine the workers can be half through before the hint is heard.
@pytest.mark.slow
def test_a_hint_redirects_the_decoder(series, monkeypatch):
    monkeypatch.setattr(dicom, "SHOW_EVERY_S", 0.0)
    job = Child(wish=COUNT - 1)
    dicom.load(job, series, wanted=0)
    halfway = next(p for p in job.parts if len(p.slices_to_come) <= COUNT // 2)
    assert COUNT - 2 not in halfway.slices_to_come
    assert COUNT // 2 - 4 in halfway.slices_to_come


def test_a_cancel_ends_the_workers(series):
    before = children()
    with pytest.raises(Cancelled):
        dicom.load(Child(cancelled_after=2), series)
    assert children() <= before
