"""Work for the disk, done beside the window: in order, the newest alone, nothing lost."""

import threading
from pathlib import Path

import pytest
from running import PATIENCE_S, soon

from medview.domain.errors import WriteError
from medview.services.writing import AtOnce, Beside

FULL = WriteError("the disk is full", file="a.json")


def refuse():
    raise FULL


class Desk:
    """A writer whose thread stands at a gate, and a post that keeps what it is given."""

    def __init__(self):
        self.posted, self.made = [], []
        self.gate, self.reached = threading.Event(), threading.Event()
        self.writer = Beside(self.posted.append)

    def hold(self):
        self.writer.put(self._wait)
        assert self.reached.wait(PATIENCE_S)

    def _wait(self):
        self.reached.set()
        assert self.gate.wait(PATIENCE_S)

    def put(self, name, key="", **calls):
        self.writer.put(lambda: self.made.append(name), key=key, **calls)

    def end(self):
        self.gate.set()
        told = self.writer.close()
        for call in self.posted:
            call()
        return told


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.gate.set()
    made.writer.close()


def test_nobody_waits_for_the_disk_and_at_the_end_all_is_done_in_order(desk):
    desk.hold()
    for name in "abc":
        desk.put(name)
    assert desk.made == []
    desk.end()
    assert desk.made == ["a", "b", "c"]


def test_of_what_waits_the_newest_of_a_key_alone_is_done(desk):
    desk.hold()
    heard = []
    for n in range(5):
        desk.put(n, "settings", done=lambda n=n: heard.append(n))
    desk.end()
    assert desk.made == heard == [4]


def test_what_was_put_after_other_work_stays_after_it(desk):
    desk.hold()
    for name in ("draft 1", "kept", "draft 2"):
        desk.put(name, name.split()[0])
    desk.end()
    assert desk.made == ["draft 1", "kept", "draft 2"]


def test_what_is_read_is_handed_over_after_all_that_was_put_before(desk):
    desk.hold()
    heard = []
    desk.put("written")
    desk.writer.fetch(lambda: list(desk.made), heard.append)
    desk.writer.fetch(refuse, heard.append, heard.append)
    assert heard == []
    desk.end()
    assert heard == [["written"], FULL]


def test_work_under_way_is_not_replaced(desk):
    def slow():
        desk._wait()
        desk.made.append("old")

    desk.writer.put(slow, key="settings")
    assert desk.reached.wait(PATIENCE_S)
    desk.put("new", "settings")
    desk.end()
    assert desk.made == ["old", "new"]


def test_a_refusal_is_told_where_the_state_is_owned_and_work_goes_on(desk):
    heard = []
    desk.writer.put(refuse, failed=heard.append, done=lambda: heard.append("done"))
    desk.put("next")
    desk.end()
    assert heard == [FULL]
    assert desk.made == ["next"]


def test_what_is_refused_at_the_end_is_handed_over(desk):
    desk.hold()
    desk.writer.put(refuse)
    threading.Timer(0.05, desk.gate.set).start()
    assert desk.writer.close() == (FULL,)
    assert desk.writer.close() == ()
    desk.put("too late")
    assert desk.made == []


def test_what_was_refused_just_before_the_end_and_not_heard_is_handed_over(desk):
    heard = []
    desk.writer.put(refuse, failed=heard.append)
    desk.hold()
    for call in desk.posted:
        call()
    assert heard == [FULL]
    desk.gate.set()
    refused = threading.Event()
    desk.writer.put(refuse)
    desk.writer.put(refused.set)
    assert refused.wait(PATIENCE_S)
    assert desk.writer.close() == (FULL,)


def test_a_disk_that_never_answers_is_not_waited_for_for_ever(desk):
    desk.hold()
    desk.put("behind it", key="a")
    desk.put("left out for it", key="a")
    (told,) = desk.writer.close(give_up_s=0.05)
    assert told.what.startswith("2 changes could not be written: the disk")
    assert desk.writer.is_at_work
    assert desk.made == []


def test_of_what_was_only_to_be_read_nothing_is_lost(desk):
    desk.hold()
    desk.writer.fetch(lambda: 1, desk.made.append)
    desk.put("behind it")
    desk.writer.fetch(lambda: 2, desk.made.append)
    (told,) = desk.writer.close(give_up_s=0.05)
    assert told.what.startswith("2 changes could not be written")


def test_a_slow_disk_is_waited_for_as_long_as_it_gets_on(desk, monkeypatch):
    ready, asked, thread = threading.Semaphore(0), [], desk.writer._thread
    for n in range(4):
        desk.writer.put(lambda n=n: (ready.acquire(timeout=PATIENCE_S), desk.made.append(n)))

    def join(patience, really=thread.join):
        """The patience is over, and one piece more is there."""
        asked.append(patience)
        ended = desk.writer._ended
        ready.release()
        assert soon(lambda: desk.writer._ended > ended)
        really(0.0 if len(asked) < 4 else patience)

    monkeypatch.setattr(thread, "join", join)
    assert desk.writer.close(give_up_s=PATIENCE_S) == ()
    assert (desk.made, desk.writer.is_at_work) == ([0, 1, 2, 3], False)
    assert asked == [PATIENCE_S] * 4


def test_what_the_system_refuses_is_told_in_words(desk):
    heard = []
    desk.writer.put(Path("/nowhere/at all").read_bytes, failed=lambda e: heard.append(e.what))
    desk.end()
    AtOnce().put(Path("/nowhere/at all").read_bytes, failed=lambda e: heard.append(e.what))
    assert heard == ["a file could not be read or written (No such file or directory)"] * 2


def test_a_mistake_in_the_work_is_not_silent_and_ends_nothing(desk, monkeypatch):
    seen, heard = [], []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))
    desk.writer.put(lambda: 1 / 0, failed=lambda error: heard.append(error.what))
    desk.put("next")
    desk.end()
    assert (seen, desk.made) == ([ZeroDivisionError], ["next"])
    assert heard[0].startswith("unexpected error (ZeroDivisionError")


def test_without_a_window_all_is_done_at_once():
    heard = []
    writer = AtOnce()
    writer.put(lambda: heard.append("work"), key="a", done=lambda: heard.append("done"))
    writer.put(refuse, failed=heard.append, done=lambda: heard.append("never"))
    assert heard == ["work", "done", FULL]
