"""What a child says of an error: memory that ran out is no mistake of the program."""

import errno

import pytest

from medview.domain.errors import ReadError
from medview.services.worker import Place, _outcome

STARVED = {
    "numpy": lambda: MemoryError("Unable to allocate 8 GiB"),
    "torch": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: 12"),
    "loader": lambda: ImportError("libx.so: failed to map segment from shared object"),
    "system": lambda: OSError(errno.ENOMEM, "Cannot allocate memory"),
    "threads": lambda: RuntimeError("can't start new thread"),
}


def starve(job, kind):
    raise STARVED[kind]()


def starve_within(job, kind):
    try:
        raise STARVED[kind]()
    except Exception as error:
        raise ValueError("the weights cannot be read") from error


def fail(job, error):
    raise error


def outcome(work, *args):
    return _outcome(None, f"{__name__}:{work}", args)


@pytest.mark.parametrize("work", ["starve", "starve_within"])
@pytest.mark.parametrize("kind", STARVED)
def test_memory_that_ran_out_is_told_as_that_whoever_says_it(work, kind):
    assert outcome(work, kind) == ("died", "memory")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ImportError("no module named x"), "ImportError"),
        (RuntimeError("shapes differ"), "RuntimeError"),
        (OSError(errno.EACCES, "Permission denied"), "PermissionError"),
    ],
)
def test_other_errors_are_told_by_their_place(error, kind):
    said, place = outcome("fail", error)
    assert said == "broken"
    assert isinstance(place, Place)
    assert place.kind == kind


def test_a_full_disk_is_no_mistake_of_the_program():
    said, error = outcome("fail", OSError(errno.ENOSPC, "No space left on device", "/doe/a.dcm"))
    assert said == "failed"
    assert str(error) == "the disk is full. Free some space and write it again."


def test_an_error_with_words_for_the_reader_keeps_them():
    said, error = outcome("fail", ReadError("ends early", file="a.dcm"))
    assert (said, str(error)) == ("failed", "a.dcm: ends early.")
