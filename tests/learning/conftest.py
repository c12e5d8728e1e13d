"""What tests of trainings share."""

import pytest

from medview.learning import checkpoint


@pytest.fixture
def every_epoch(monkeypatch):
    """The checkpoint is written after every epoch, however short."""
    monkeypatch.setattr(checkpoint, "KEEP_S", 0.0)
