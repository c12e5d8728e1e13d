"""One person: the age with and without the effect of the site."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from armed_ages import age_of, one_row

from medview.domain.errors import ModelInputError
from medview.domain.prediction import RunRequest
from medview.domain.progress import Silent
from medview.learning.armed_age_run import run_armed_age

pytestmark = pytest.mark.usefixtures("seeded")


def test_a_known_site_moves_the_age_and_an_unknown_one_is_told(
    armed_weights: Path, tmp_path: Path
) -> None:
    table = one_row(tmp_path)
    north = age_of(armed_weights, table, site="North", age_years=46.0)
    names = ["age", "age_fixed", "age_mixed", "gap_raw", "gap_corrected", "sex_male"]
    assert [score.name for score in north.scores] == names
    found = {score.name: score for score in north.scores}
    age, fixed = found["age"], found["age_fixed"]
    assert age.value == found["age_mixed"].value
    assert age.value is not None
    assert fixed.value is not None
    assert age.value > fixed.value + 1
    assert age.low is not None
    assert age.high is not None
    assert age.low < age.value < age.high
    assert found["gap_raw"].value == pytest.approx(age.value - 46.0)
    assert found["sex_male"].status == "not_available"
    assert not north.warnings
    for site in (None, "Atlantis"):
        other = age_of(armed_weights, table, site=site)
        told = {score.name: score for score in other.scores}
        assert told["age"].value == told["age_fixed"].value == pytest.approx(fixed.value)
        assert told["age_mixed"].status == "not_available"
        assert "fixed effects" in told["age"].meaning
        assert [note.code for note in other.warnings] == ["UNKNOWN_SITE"]
        assert told["gap_raw"].status == told["gap_corrected"].status == "not_available"


def test_columns_are_taken_by_name_and_few_may_be_missing(
    armed_weights: Path, tmp_path: Path
) -> None:
    right = age_of(armed_weights, one_row(tmp_path), site="West").scores[0].value
    turned = one_row(tmp_path, "m5,m4,m3,m2,m1", "-12,8,20,-40,40")
    assert age_of(armed_weights, turned, site="West").scores[0].value == right
    lacking = age_of(armed_weights, one_row(tmp_path, "m1,m2,m3,m4", "40,-40,20,8"), site="West")
    assert "MISSING_MEASURES" in [note.code for note in lacking.warnings]
    with pytest.raises(ModelInputError, match="4 of 5 measures are missing"):
        age_of(armed_weights, one_row(tmp_path, "m1", "40"))
    np.save(tmp_path / "short.npy", np.zeros(4))
    with pytest.raises(ModelInputError, match="4 values; the model takes 5"):
        age_of(armed_weights, tmp_path / "short.npy")
    with pytest.raises(ModelInputError, match="needs a table"):
        run_armed_age(Silent(), RunRequest("brain-age-armed", {}, ()))
