"""The training loop: the same curve, also after an interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from armed_ages import age_trainer

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.usefixtures("every_epoch")
def test_resumed_training_has_the_same_curve(tmp_path: Path) -> None:
    whole = age_trainer(tmp_path / "d")
    list(whole.fit())
    first = age_trainer(tmp_path / "d")
    first.folder = tmp_path / "run"
    for report in first.fit():
        if report.epoch == 5:
            break
    torch.rand(17)  # whatever happens between
    second = age_trainer(tmp_path / "d")
    second.resume(tmp_path / "run")
    assert second.epoch == 5
    list(second.fit())
    assert [row[:3] for row in second.history] == [row[:3] for row in whole.history]
    np.testing.assert_allclose(
        [row[3] for row in second.history], [row[3] for row in whole.history], atol=1e-6
    )
