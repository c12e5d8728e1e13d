"""Values that lie on a disk, looked at without waiting for it."""

import pytest
from services.stubs import LaterWriter

from medview.services.known import Known
from medview.services.writing import AtOnce


class Shelf:
    """A value that is read, how often it was, and what was told of it."""

    def __init__(self, writer):
        self.value, self.reads, self.told, self.writer = "a", 0, 0, writer
        self.known = Known(self.read, "", writer)
        self.known.changed.connect(self.tell)

    def read(self):
        self.reads += 1
        if self.value is None:
            raise OSError("no such file")
        return self.value

    def tell(self):
        self.told += 1


@pytest.fixture
def shelf():
    return Shelf(LaterWriter())


def test_what_is_looked_at_is_what_was_read_last_and_a_new_value_is_told(shelf):
    assert shelf.known.now == shelf.known.now == ""
    assert len(shelf.writer.waiting) == 1
    shelf.writer.go_on()
    assert (shelf.told, shelf.known.now) == (1, "a")
    shelf.writer.go_on()
    assert (shelf.told, shelf.reads) == (1, 2)
    shelf.value = "b"
    assert shelf.known.now == "a"
    shelf.writer.go_on()
    assert (shelf.told, shelf.known.now) == (2, "b")


def test_a_nan_that_is_read_again_is_no_new_value(shelf):
    shelf.value = {"seconds": float("nan")}
    for _ in range(2):
        shelf.known.look()
        shelf.writer.go_on()
        shelf.value = {"seconds": float("nan")}
    assert shelf.told == 1


def test_who_looks_is_called_once_it_is_read_also_where_it_cannot_be(shelf):
    heard = []
    for value in ("a", None):
        shelf.value = value
        shelf.known.look(lambda: heard.append(shelf.reads))
        shelf.writer.go_on()
    assert (heard, shelf.known.now) == ([1, 2], "a")


def test_without_a_window_a_look_finds_what_is_there():
    shelf = Shelf(AtOnce())
    assert shelf.known.now == "a"
    shelf.value = "b"
    assert shelf.known.now == "b"
    assert shelf.told == 0
