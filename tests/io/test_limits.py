"""How much a file may claim depends on this machine, and what is small is always there."""

from __future__ import annotations

import psutil
import pytest

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
