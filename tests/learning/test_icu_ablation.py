"""Variants of the ICU model on the same folds."""

import pytest
from icu_minis import challenge

from medview.domain.ablation import AblateRequest
from medview.domain.progress import Silent
from medview.learning.ablation import ablate
from medview.services.recipes import read_recipe


@pytest.mark.parametrize(("leave_out", "folds"), [("", 2), ("site", 0)])
def test_ways_to_fuse_are_compared_on_the_same_stays(tmp_path, monkeypatch, leave_out, folds):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    folder = challenge(tmp_path / "set", 16)
    small = ("hidden=8", "width=8", "heads=2", "feed_forward=8", "epochs=1", "batch=8")
    request = AblateRequest(
        "icu", (str(folder),), str(tmp_path / "out"), read_recipe("icu", None, small),
        variants=("concat",), folds=folds, leave_out=leave_out, threads=1,
    )  # fmt: skip
    body = ablate(Silent(), request)
    assert body["finished"]
    assert {row["variant"] for row in body["rows"]} == {"default", "concat"}
    assert {"roc_auc", "pr_auc", "brier"} <= {row["name"] for row in body["rows"]}
