"""Where networks run, and what that takes."""

import pytest

from medview.domain.errors import ModelInputError
from medview.learning.devices import choose_device, peak_memory_mb


def test_a_gpu_that_is_not_there_is_told():
    with pytest.raises(ModelInputError, match="no GPU"):
        choose_device("cuda:77")
    assert choose_device("cpu") == "cpu"


def test_the_peak_of_memory_never_falls():
    before = peak_memory_mb()
    held = bytearray(200_000_000)
    most = peak_memory_mb()
    del held
    assert most >= max(before, 200)
    assert peak_memory_mb() >= most
