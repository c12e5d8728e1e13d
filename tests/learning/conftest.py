"""What tests of trainings share."""

import pytest

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
