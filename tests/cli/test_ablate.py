"""What a comparison of variants prints for people."""

import pytest

from medview.cli.ablate import _in_words

ROW = {
    "variant": "armed", "subset": "physionet2012", "task": "mortality", "name": "roc_auc",
    "mean": 0.812, "value_low": 0.79, "value_high": 0.83, "n": 3396, "runs": 10, "sd": 0.01,
    "difference": -0.004, "low": -0.011, "high": 0.003, "p": 0.256,
    "test": "paired bootstrap, Holm",
}  # fmt: skip
BODY = {"runs_done": 20, "runs_planned": 20, "seconds": 120.0, "finished": True, "against": "bce"}


def test_a_row_says_what_it_is_compared_with():
    summary, row = _in_words({**BODY, "rows": [ROW]}).splitlines()
    assert summary.startswith("20 of 20 runs in 2 min")
    assert row == (
        "physionet2012 mortality ROC AUC  armed: 0.812 [0.790, 0.830]  n 3396, 10 runs; "
        "against bce -0.004 [-0.011, 0.003], p 0.256 (paired bootstrap, Holm)"
    )


@pytest.mark.parametrize("p", [None, 0.256])
def test_few_patients_have_no_interval(p):
    bare = {"value_low": None, "value_high": None, "low": None, "high": None, "p": p}
    row = _in_words({**BODY, "rows": [{**ROW, **bare}]}).splitlines()[1]
    assert "0.812  n 3396" in row
    assert row.endswith("against bce -0.004" + (", p 0.256 (paired bootstrap, Holm)" if p else ""))


def test_what_is_not_finished_goes_on():
    words = _in_words({**BODY, "finished": False, "runs_done": 7, "rows": []})
    assert words.endswith("the same command goes on with the rest")
