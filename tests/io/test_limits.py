"""How much a file may claim depends on this machine, and what is small is always there."""

from __future__ import annotations

import psutil
import pytest

from medview.domain.errors import ReadError
from medview.io import limits


@pytest.fixture
def free(monkeypatch):
    """Pretend that so many bytes are free."""

    def pretend(size: int) -> None:
        found = psutil.virtual_memory()._replace(available=size)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: found)

    return pretend


def test_sixty_per_cent_of_what_is_free_may_be_used_and_never_more_than_8_gib(free):
    free(10 * 2**30)
    assert limits.memory_cap() == 6 * 2**30
    free(100 * 2**30)
    assert limits.memory_cap() == 8 * 2**30


def test_what_is_small_is_never_too_large(free):
    free(0)
    assert not limits.is_too_large(2**20)
    assert limits.is_too_large(2**30)


def test_what_is_too_large_is_refused_with_how_much_it_is(free):
    free(0)
    limits.refuse_too_large(2**20, "small.nii")
    with pytest.raises(ReadError, match=r"head\.nii: needs 1\.5 GiB, more than may be used here"):
        limits.refuse_too_large(3 * 2**29, "head.nii")


@pytest.mark.parametrize(
    ("threads", "device", "free_mb", "wanted"),
    [
        (4, "cpu", 10_000, 4),
        (1, "cpu", 10_000, 1),
        (None, "cpu", 100_000, 6),  # as many as there are cores
        (4, "cpu", 5_200, 3),  # 60 % of the memory is there for so many
        (4, "cpu", 100, 1),
        (4, "cuda:0", 10_000, 1),
    ],
)
def test_as_many_networks_train_at_once_as_threads_and_memory_are_there_for(
    threads, device, free_mb, wanted, free, monkeypatch
):
    free(free_mb * 10**6)
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert limits.networks_at_once(1000, threads, device) == wanted
    monkeypatch.setenv("WORLD_SIZE", "2")  # torchrun: several processes train one network
    assert limits.networks_at_once(1000, threads, device) == 1
