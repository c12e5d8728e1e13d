"""Weights that are not of this model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medview.domain.errors import WeightsError
from medview.learning.armed_age_card import load_armed_age

pytestmark = pytest.mark.usefixtures("seeded")


def test_foreign_weights_are_refused(armed_weights: Path, tmp_path: Path) -> None:
    for name in ("weights.safetensors", "card.json"):
        (tmp_path / name).write_bytes((armed_weights / name).read_bytes())
    card = json.loads((tmp_path / "card.json").read_text("utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card | {"id": "icu"}), "utf-8")
    with pytest.raises(WeightsError, match="not of brain age"):
        load_armed_age(tmp_path / "weights.safetensors")
    del card["settings"]["sites"]
    (tmp_path / "card.json").write_text(json.dumps(card), "utf-8")
    with pytest.raises(WeightsError, match="cannot use"):
        load_armed_age(tmp_path / "weights.safetensors")
