"""What tests of trainings share."""

import pytest
import torch
from armed_ages import age_cases, train_ages

from medview.learning import checkpoint
from medview.models import anomaly_vae


@pytest.fixture
def every_epoch(monkeypatch):
    """The checkpoint is written after every epoch, however short."""
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)


@pytest.fixture(scope="module")
def narrow():
    """The anomaly model is narrow: its trainings and runs do not know how wide it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anomaly_vae, "WIDTHS", (8, 8, 16, 16))
        yield


@pytest.fixture
def seeded():
    """Neither the dice nor the number of threads stay as a test has left them."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def armed_weights(tmp_path_factory):
    """The folder of a small training with site effects."""
    folder = tmp_path_factory.mktemp("armed")
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        train_ages(age_cases(folder / "data"), folder / "out")
    torch.set_num_threads(threads)
    return folder / "out"
